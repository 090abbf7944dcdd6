"""The live class: its life cycle, who is there, and the evidence of it."""
