"""Mending a plan that stands: the fewest meetings moved, then as many lessons as possible, in about a second.

What no longer keeps the rules must move; how few meetings that can be is proved (`hits`). Everything else is held as if it were locked, and the
lessons that are lacking are seated around it by one exact model (`mend`). Each difference comes with its reason (`changes`).
"""

from scheduler.repair.bells import follow_bells
from scheduler.repair.changes import Change, Repaired

__all__ = ["Change", "Repaired", "follow_bells"]
