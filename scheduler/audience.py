"""Activities that stand, before everybody who has become free: delivery that moves out of the way lets more attend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scheduler.board import Board
from scheduler.hall import Hall
from scheduler.minutes import Sketch, Standing, minutes
from scheduler.problem import Meeting


def widened(board: Board, standing: Standing, activities: Iterable[Meeting]) -> list[Meeting]:
    """The same meetings at the same time; every free class of a course's audience (H13) and free members join."""
    hall = Hall(board, standing)
    activities = list(activities)
    for meeting in activities:
        hall.take(meeting.lead_teacher, Sketch(meeting.slot, meeting.lead_room, meeting.classes, meeting.members))
    return [_joined(hall, meeting) for meeting in activities]


def _joined(hall: Hall, meeting: Meeting) -> Meeting:
    problem, slot, mask = hall.problem, meeting.slot, minutes(meeting.slot)
    school = problem.teachers[meeting.lead_teacher].school
    if meeting.family == "network":
        course = next(course for course in problem.courses if course.code == meeting.ref)
        rooms = [room for code in meeting.classes if (room := problem.classes[code].receiving_room) is not None]
        classes = hall.listeners(course, slot, mask, school, rooms)
        hall.join(slot, classes, ())
        return replace(meeting, classes=tuple(sorted({*meeting.classes, *classes}))) if classes else meeting
    community = next(community for community in problem.communities if community.code == meeting.ref)
    away = {community.host, *meeting.members}
    present = [code for code in community.members if code not in away and hall.teacher_free(code, slot)]
    members = hall.who_may_leave(present, mask, school)
    hall.join(slot, (), members)
    return replace(meeting, members=tuple(sorted({*meeting.members, *members}))) if members else meeting
