"""Communities and network courses around a delivery plan that stands (H12, H13).

Delivery comes first in the order of wishes, so these meetings take what it leaves: every activity held where it can be, in the
window with the largest audience. Time is counted in single minutes here, since a community's window is free of bells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count

from scheduler.board import Board
from scheduler.hall import Hall
from scheduler.minutes import Standing
from scheduler.problem import (
    Meeting,
    Slot,
)


def place_activities(board: Board, standing: Standing | None = None, before: Iterable[Meeting] = ()) -> list[Meeting]:
    """Every course and community that can be held around the board's meetings: courses first, they have fewer windows.

    `before`: their meetings in a plan that stood; windows that still serve are kept.
    """
    problem = board.offers.problem
    hall = Hall(board, standing or Standing(problem))
    locked: dict[str, list[Meeting]] = defaultdict(list)
    for meeting in hall.locked():
        locked[meeting.ref].append(meeting)
    liked: dict[str, list[Slot]] = defaultdict(list)
    for meeting in before:
        liked[meeting.ref].append(meeting.slot)
    meetings: list[Meeting] = []
    for course in problem.courses:
        held = locked[course.code]
        sketches = hall.course(course, [meeting.slot for meeting in held], liked[course.code])
        if sketches is not None:
            meetings += held
            told = (course.subject, course.lead_teacher)
            for code, sketch in zip(_codes(course.code, held), sketches, strict=False):
                meetings.append(
                    Meeting(code, "network", *told, sketch.room, sketch.slot, sketch.classes, (), course.code)
                )
    for community in problem.communities:
        held = locked[community.code]
        sketches = hall.community(community, [meeting.slot for meeting in held], liked[community.code])
        if sketches is not None:
            meetings += held
            told = (community.subject, community.host)
            for code, sketch in zip(_codes(community.code, held), sketches, strict=False):
                hall.take(community.host, sketch)
                meetings.append(
                    Meeting(code, "master", *told, sketch.room, sketch.slot, (), sketch.members, community.code)
                )
    return meetings


def _codes(ref: str, held: Iterable[Meeting]) -> Iterator[str]:
    taken = {meeting.code for meeting in held}
    return (code for code in (f"{ref}-{number}" for number in count(1)) if code not in taken)


def worth(meetings: Iterable[Meeting]) -> tuple[int, int]:
    """The second wish: how many activities are held, then their audience in halves."""
    meetings = list(meetings)
    audience = sum((len(meeting.classes) + len(meeting.members)) * meeting.slot.halves for meeting in meetings)
    return len({meeting.ref for meeting in meetings}), audience
