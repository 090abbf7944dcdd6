"""Weekly attendances of two plans, set against each other: who is taught another time, by another teacher, from another room. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal, NamedTuple

from scheduler.problem import Meeting, Plan, Slot

Change = Literal["added", "removed", "moved", "teacher", "room"]
Attendance = tuple[str, str, str, str]
"""Family, subject, ref, and the class or member that attends."""


class Place(NamedTuple):
    """When, by whom and in which lead room."""

    slot: Slot
    teacher: str
    room: str


@dataclass(frozen=True, slots=True)
class Shift:
    """One weekly attendance that is not as it was: what stood before, and what stands instead. At least one is given."""

    family: str
    subject: str
    ref: str
    who: str
    before: Place | None
    after: Place | None

    @property
    def change(self) -> Change:
        """``added``, ``removed``; else what differs first: the time (``moved``), the ``teacher``, or the ``room`` alone."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        if self.before.slot != self.after.slot:
            return "moved"
        return "teacher" if self.before.teacher != self.after.teacher else "room"


def place_of(meeting: Meeting) -> Place:
    """Where and when a meeting takes place."""
    return Place(meeting.slot, meeting.lead_teacher, meeting.lead_room)


def shifts_between(before: Plan, after: Plan) -> tuple[tuple[Shift, ...], int]:
    """The shifts from one plan to the other, and how many attendances stand as they were."""
    old, new = _attendances(before), _attendances(after)
    shifts: list[Shift] = []
    unchanged = 0
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key, set()), new.get(key, set())
        unchanged += len(was & will)
        shifts += [Shift(*key, before, after) for before, after in _matched(was - will, will - was)]
    return tuple(shifts), unchanged


def _attendances(plan: Plan) -> dict[Attendance, set[Place]]:
    found: defaultdict[Attendance, set[Place]] = defaultdict(set)
    for meeting in plan.meetings:
        for who in (*meeting.classes, *meeting.members):
            found[meeting.family, meeting.subject, meeting.ref, who].add(place_of(meeting))
    return found


def _matched(gone: set[Place], come: set[Place]) -> list[tuple[Place | None, Place | None]]:
    """Sets what came against what went: first that in the same slot, then that on the same weekday, then in order of time."""
    left, new = sorted(gone), sorted(come)
    pairs: list[tuple[Place | None, Place | None]] = []
    for like in (_same_slot, _same_day, lambda one, two: True):
        for before in tuple(left):
            after = next((each for each in new if like(before, each)), None)
            if after is not None:
                left.remove(before)
                new.remove(after)
                pairs.append((before, after))
    alone: list[tuple[Place | None, Place | None]] = [(before, None) for before in left]
    return pairs + alone + [(None, after) for after in new]


def _same_slot(one: Place, two: Place) -> bool:
    return one.slot == two.slot


def _same_day(one: Place, two: Place) -> bool:
    return one.slot.weekday == two.slot.weekday
