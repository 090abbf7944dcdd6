"""What a new plan version changes in the week of each school. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Window = tuple[int, int, int, int]
"""Weekday, start, end, weeks."""


@dataclass(frozen=True, slots=True)
class WeeklyChange:
    """A weekly meeting that a school sees come, go or move. `change` is ``added``, ``removed`` or ``moved``."""

    change: str
    family: str
    subject: str
    lead_teacher_code: str
    class_code: str
    """The class; for a community the member's code; empty for the lead itself."""
    before: Window | None
    after: Window | None


@dataclass(frozen=True, slots=True)
class WeeklyEntry:
    """One meeting as one school meets it."""

    school_code: str
    family: str
    subject: str
    lead_teacher_code: str
    class_code: str
    window: Window

    @property
    def what(self) -> tuple[str, str, str, str, str]:
        return (self.school_code, self.family, self.subject, self.lead_teacher_code, self.class_code)


def weekly_changes(
    before: Iterable[WeeklyEntry], after: Iterable[WeeklyEntry]
) -> Mapping[str, tuple[WeeklyChange, ...]]:
    """School code → its changes. What only changed its window is ``moved``; what is the same on both sides is left out."""
    old, new = Counter(before), Counter(after)
    gone, come = _by_what(old - new), _by_what(new - old)
    found: dict[str, list[WeeklyChange]] = {}
    for what in sorted(gone.keys() | come.keys()):
        school, rest = what[0], what[1:]
        left, right = gone.get(what, []), come.get(what, [])
        moved = list(zip(left, right, strict=False))
        changes = [WeeklyChange("moved", *rest, old_window, new_window) for old_window, new_window in moved]
        changes += [WeeklyChange("removed", *rest, window, None) for window in left[len(moved) :]]
        changes += [WeeklyChange("added", *rest, None, window) for window in right[len(moved) :]]
        found.setdefault(school, []).extend(changes)
    return {school: tuple(changes) for school, changes in found.items()}


def _by_what(entries: Counter[WeeklyEntry]) -> dict[tuple[str, str, str, str, str], list[Window]]:
    found: dict[tuple[str, str, str, str, str], list[Window]] = {}
    for entry in sorted(entries.elements(), key=lambda entry: entry.window):
        found.setdefault(entry.what, []).append(entry.window)
    return found
