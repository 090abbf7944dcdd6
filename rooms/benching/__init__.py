"""Measuring the planner beside what an engineer would use instead: methods, runs under watch, rows, and what they show."""
