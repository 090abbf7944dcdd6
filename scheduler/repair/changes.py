"""The difference between a standing plan and the mended one, meeting by meeting, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from scheduler.locked_meetings import same_meeting
from scheduler.problem import Meeting, Plan
from scheduler.rules import Violation

Kind = Literal["moved", "room", "receivers", "joined", "dropped", "new"]
MOVES: frozenset[Kind] = frozenset({"moved", "room", "receivers", "dropped"})
"""Kinds of change of a standing meeting that those who are in it notice."""


@dataclass(frozen=True, slots=True)
class Change:
    """One meeting that is not as it was. `reason` is a key of the ``plan`` catalogue, `facts` its places."""

    kind: Kind
    before: Meeting | None
    after: Meeting | None
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended plan, and what it changes."""

    plan: Plan
    changes: tuple[Change, ...]
    forced: int
    """Standing meetings that cannot stay as they are in any plan."""
    moved: int
    """Standing meetings that do not stay as they were."""
    proved: bool
    """Whether it is proved that no fewer could move (with `more_moves` 0)."""


def changes_between(
    standing: Sequence[Meeting], mended: Sequence[Meeting], reasons: Mapping[str, Violation]
) -> tuple[Change, ...]:
    """Every change from one plan to the other. `reasons`: why a standing meeting could not stay, by its code."""
    left = {_place(meeting): meeting for meeting in mended}
    found: list[Change] = []
    gone: list[Meeting] = []
    for meeting in standing:
        same = left.get(_place(meeting))
        if same is None or not same_meeting(meeting, same) or not _everybody(meeting, same):
            gone.append(meeting)
            continue
        del left[_place(meeting)]
        if len(same.classes) + len(same.members) > len(meeting.classes) + len(meeting.members):
            found.append(Change("joined", meeting, same, "repair_more_join"))
    for meeting in gone:
        after = max(left.values(), key=lambda other: _likeness(meeting, other), default=None)
        if after is not None and not any(_likeness(meeting, after)[:1]):
            after = None
        if after is not None:
            del left[_place(after)]
        violation = reasons.get(meeting.code)
        reason, facts = (violation.code, violation.facts) if violation else ("repair_for_others", {})
        found.append(Change(_kind(meeting, after), meeting, after, reason, facts))
    found += [Change("new", None, meeting, "repair_more_service") for meeting in left.values()]
    return tuple(sorted(found, key=_order))


def _place(meeting: Meeting) -> tuple[object, ...]:
    """What no two meetings of a plan have in common."""
    return meeting.lead_teacher, meeting.slot, meeting.ref, meeting.subject


def _everybody(before: Meeting, after: Meeting) -> bool:
    return set(before.classes) <= set(after.classes) and set(before.members) <= set(after.members)


def _likeness(before: Meeting, after: Meeting) -> tuple[bool, int, bool, bool, str]:
    """How much of a meeting another one carries on; the first place says whether it does at all."""
    if before.family != "delivery" or after.family != "delivery":
        return before.ref == after.ref and before.family == after.family, 0, False, False, after.code
    common = len(set(before.classes) & set(after.classes)) if before.subject == after.subject else 0
    same_teacher = before.lead_teacher == after.lead_teacher
    return common > 0, common, before.slot == after.slot, same_teacher, after.code


def _kind(before: Meeting, after: Meeting | None) -> Kind:
    if after is None:
        return "dropped"
    if before.slot != after.slot or before.lead_teacher != after.lead_teacher:
        return "moved"
    return "receivers" if not _everybody(before, after) else "room"


def _order(change: Change) -> tuple[int, object, str]:
    meeting = change.before or change.after
    assert meeting is not None
    return int(change.kind in ("joined", "new")), meeting.slot, meeting.code
