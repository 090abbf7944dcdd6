"""Two plans side by side: service, pairings, and which weekly meetings came, went or moved. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.problem import Pair, Plan, Slot

Attendance = tuple[str, str, str, str]
"""Family, subject, ref, and the class or member that attends."""
Place = tuple[Slot, str]
"""A weekly slot and who leads in it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One attendance whose weekly slots or teachers differ: what was there and is not, and what is there and was not."""

    family: str
    subject: str
    who: str
    lead_before: str
    lead_after: str
    before: tuple[Slot, ...]
    after: tuple[Slot, ...]

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``moved``."""
        return "moved" if self.before and self.after else "added" if self.after else "removed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the second plan does otherwise than the first."""

    served_before: int
    served_after: int
    pairs_added: tuple[Pair, ...]
    pairs_removed: tuple[Pair, ...]
    pairs_kept: int
    shifts: tuple[Shift, ...]
    unchanged: int
    """Weekly attendances that stand in the same slot with the same teacher."""

    @property
    def changes(self) -> Mapping[str, int]:
        """How many shifts of each kind."""
        return Counter(shift.change for shift in self.shifts)


def compare(before: Plan, after: Plan) -> Comparison:
    """The differences between two plans of one county."""
    old, new = _attendances(before), _attendances(after)
    shifts, unchanged = [], 0
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key, set()), new.get(key, set())
        unchanged += len(was & will)
        if was != will:
            shifts.append(_shift(key, was, will))
    pairs_before = {planned.pair for planned in before.pairings}
    pairs_after = {planned.pair for planned in after.pairings}
    return Comparison(
        before.served_halves,
        after.served_halves,
        tuple(sorted(pairs_after - pairs_before)),
        tuple(sorted(pairs_before - pairs_after)),
        len(pairs_before & pairs_after),
        tuple(shifts),
        unchanged,
    )


def _attendances(plan: Plan) -> dict[Attendance, set[Place]]:
    found: defaultdict[Attendance, set[Place]] = defaultdict(set)
    for meeting in plan.meetings:
        for who in (*meeting.classes, *meeting.members):
            found[meeting.family, meeting.subject, meeting.ref, who].add((meeting.slot, meeting.lead_teacher))
    return found


def _shift(key: Attendance, was: set[Place], will: set[Place]) -> Shift:
    gone, come = sorted(was - will), sorted(will - was)
    return Shift(
        family=key[0],
        subject=key[1],
        who=key[3],
        lead_before=gone[0][1] if gone else "",
        lead_after=come[0][1] if come else "",
        before=tuple(slot for slot, _ in gone),
        after=tuple(slot for slot, _ in come),
    )
