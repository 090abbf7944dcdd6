"""W5: what stood stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import ClassVar

from scheduler.problem import Meeting, Slot
from scheduler.wishes.base import Cause, Scene, Wish

Place = tuple[str, str, str, str, Slot, str]
"""What a meeting is known by: family, activity, subject, lead teacher, window, lead room."""


def place_of(meeting: Meeting) -> Place:
    return meeting.family, meeting.ref, meeting.subject, meeting.lead_teacher, meeting.slot, meeting.lead_room


def moved(before: Iterable[Meeting], after: Iterable[Meeting]) -> Iterator[tuple[Meeting, list[Meeting]]]:
    """Every meeting that stood and does not stand as it was, with those that took its place (same code, or same receivers).

    A meeting stands while its teacher, window and room stay and nobody who attended is gone; others may have joined.
    """
    after = list(after)
    there: dict[Place, Meeting] = {place_of(meeting): meeting for meeting in after}
    by_attendance: dict[tuple[str, str, str, str], list[Meeting]] = defaultdict(list)
    for meeting in after:
        for who in (*meeting.classes, *meeting.members):
            by_attendance[meeting.family, meeting.ref, meeting.subject, who].append(meeting)
    for old in before:
        new = there.get(place_of(old))
        if new is None or set(old.classes) - set(new.classes) or set(old.members) - set(new.members):
            heirs = [
                heir
                for who in (*old.classes, *old.members)
                for heir in by_attendance[old.family, old.ref, old.subject, who]
            ]
            yield old, list({heir.code: heir for heir in heirs}.values())


class FewMoves(Wish):
    """W5: meetings of the plan that stood before which are not there as they were. Nothing where none stood."""

    code: ClassVar[str] = "W5"
    key: ClassVar[str] = "wish_few_moves"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        if scene.previous is None:
            return
        for old, heirs in moved(scene.previous.meetings, scene.meetings):
            facts = {"meeting": old.code, "teacher": old.lead_teacher, "subject": old.subject, "slot": old.slot}
            yield Cause(1, facts, tuple(heir.code for heir in heirs))
