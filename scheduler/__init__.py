"""The planner: values in, values out. No database, no web, no clock of its own."""
