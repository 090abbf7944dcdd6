"""Two plans side by side: service, pairings, and which weekly meetings came, went or moved. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.problem import Meeting, Pair, Plan, Slot

Attendance = tuple[str, str, str]
"""Family, ref or subject, and the class or member that attends."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One attendance whose weekly slots differ: what was there and is not, and what is there and was not."""

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
    """Weekly attendances that stand in the same slot."""

    @property
    def changes(self) -> Mapping[str, int]:
        """How many shifts of each kind."""
        return Counter(shift.change for shift in self.shifts)


def compare(before: Plan, after: Plan) -> Comparison:
    """The differences between two plans of one county."""
    old, new = _attendances(before), _attendances(after)
    shifts, unchanged = [], 0
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key, {}), new.get(key, {})
        unchanged += len(was.keys() & will.keys())
        gone, come = sorted(was.keys() - will.keys()), sorted(will.keys() - was.keys())
        if gone or come:
            shifts.append(_shift(key, was, will, tuple(gone), tuple(come)))
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


def _attendances(plan: Plan) -> dict[Attendance, dict[Slot, Meeting]]:
    found: defaultdict[Attendance, dict[Slot, Meeting]] = defaultdict(dict)
    for meeting in plan.meetings:
        for who in (*meeting.classes, *meeting.members):
            found[meeting.family, meeting.ref or meeting.subject, who][meeting.slot] = meeting
    return found


def _shift(
    key: Attendance,
    was: Mapping[Slot, Meeting],
    will: Mapping[Slot, Meeting],
    gone: tuple[Slot, ...],
    come: tuple[Slot, ...],
) -> Shift:
    some = next(iter((*will.values(), *was.values())))
    return Shift(
        family=key[0],
        subject=some.subject,
        who=key[2],
        lead_before=next((meeting.lead_teacher for meeting in was.values()), ""),
        lead_after=next((meeting.lead_teacher for meeting in will.values()), ""),
        before=gone,
        after=come,
    )
