"""Time in single minutes of a fortnight, and who is held in which of them before any meeting: for windows that are free of bells."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from scheduler.problem import (
    EVEN,
    ODD,
    ClassCode,
    Plan,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    TeacherCode,
)

DAY = 24 * 60
WEEK = 7 * DAY

Minutes = int
"""A bit a minute of the week; the even weeks lie above the odd ones."""


def minutes(slot: Slot) -> Minutes:
    """The minutes of a slot."""
    piece = ((1 << (slot.end - slot.start)) - 1) << ((slot.weekday - 1) * DAY + slot.start)
    return (piece if slot.weeks & ODD else 0) | (piece << WEEK if slot.weeks & EVEN else 0)


@dataclass(frozen=True, slots=True)
class Sketch:
    """An activity's meeting before it gets a code."""

    slot: Slot
    room: RoomCode
    classes: tuple[ClassCode, ...] = ()
    members: tuple[TeacherCode, ...] = ()

    @property
    def audience(self) -> int:
        return (len(self.classes) + len(self.members)) * self.slot.halves


class Standing:
    """Who is held when before any meeting: computed once for a county."""

    def __init__(self, problem: Problem, previous: Plan | None = None) -> None:
        self.problem = problem
        self.stood: dict[tuple[str, Slot], RoomCode] = {
            (meeting.ref, meeting.slot): meeting.lead_room
            for meeting in (previous.meetings if previous else ())
            if meeting.ref
        }
        """Windows of the activities in a plan that stood before, and their rooms: preferred where the audience is the same."""
        self.staff: dict[SchoolCode, list[TeacherCode]] = defaultdict(list)
        for teacher in problem.teachers.values():
            self.staff[teacher.school].append(teacher.code)
        self.lead_rooms: dict[SchoolCode, list[RoomCode]] = defaultdict(list)
        for room in problem.rooms.values():
            if room.can_lead:
                self.lead_rooms[room.school].append(room.code)
        self.held: dict[tuple[str, str], Minutes] = defaultdict(int)
        self._absences()
        for lesson in problem.lessons:
            mask = minutes(lesson.slot)
            if lesson.teacher:
                self.held["teacher", lesson.teacher] |= mask
            if lesson.room:
                self.held["room", lesson.room] |= mask
            for code in lesson.classes:
                self.held["class", code] |= mask

    def _absences(self) -> None:
        problem = self.problem
        members: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for teacher in problem.teachers.values():
            members[teacher.school].append(("teacher", teacher.code))
        for room in problem.rooms.values():
            members[room.school].append(("room", room.code))
        for group in problem.classes.values():
            members[group.school].append(("class", group.code))
        for gone in problem.unavailabilities:
            mask = minutes(gone.slot)
            for key in members[gone.code] if gone.resource == "school" else [(gone.resource, gone.code)]:
                self.held[key] |= mask
