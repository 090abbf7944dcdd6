"""H3 and H6: nobody and nothing is in two places at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.rules.base import Case, Hold, Resource, Rule, Violation, clock


def clashes(case: Case) -> Iterator[tuple[Resource, Hold, Hold]]:
    """Every two holds of one resource that share a minute, a meeting being one of them, and that nothing excuses."""
    for resource, holds in case.holds.items():
        if all(hold.meeting is None for hold in holds):
            continue
        ordered = sorted(holds, key=lambda hold: (hold.slot.weekday, hold.slot.start))
        for place, first in enumerate(ordered):
            for second in ordered[place + 1 :]:
                if second.slot.weekday != first.slot.weekday or second.slot.start >= first.slot.end:
                    break
                if first.slot.clashes(second.slot) and not _excused(resource, first, second):
                    yield resource, first, second


def _excused(resource: Resource, first: Hold, second: Hold) -> bool:
    """Two holds without a meeting, a meeting with itself, or a meeting with the lesson it hosts (H4 judges that)."""
    if first.meeting is second.meeting:
        return True
    meeting, lesson = first.meeting or second.meeting, first.lesson or second.lesson
    hosts = meeting is not None and lesson is not None and meeting.host_lesson == lesson
    return hosts and resource.kind in ("teacher", "room") and not (first.receiving or second.receiving)


def _in_receiving_room(resource: Resource, first: Hold, second: Hold) -> bool:
    return resource.kind == "room" and (first.receiving or second.receiving)


def _violation(rule: str, resource: Resource, first: Hold, second: Hold) -> Violation:
    codes = tuple(hold.meeting.code for hold in (first, second) if hold.meeting)
    facts = {"code": resource.code, "first": clock(first.slot), "second": clock(second.slot)}
    return Violation(rule, f"rule_{rule.lower()}_{resource.kind}", codes, facts)


class OnePlaceAtATime(Rule):
    """H3: a teacher, a room, a class and a community member are in one place at a time."""

    code: ClassVar[str] = "H3"

    def violations(self, case: Case) -> Iterator[Violation]:
        for resource, first, second in clashes(case):
            if not _in_receiving_room(resource, first, second):
                yield _violation(self.code, resource, first, second)


class ReceivingRoomFree(Rule):
    """H6: a receiving class occupies its receiving room; the classes of one meeting may share it."""

    code: ClassVar[str] = "H6"

    def violations(self, case: Case) -> Iterator[Violation]:
        for resource, first, second in clashes(case):
            if _in_receiving_room(resource, first, second):
                yield _violation(self.code, resource, first, second)
