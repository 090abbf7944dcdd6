"""Delivery meetings of an old plan as seats in the new term: who is still there, in which room and window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from scheduler.problem import ClassCode, LessonRow, Meeting, Problem, RoomCode, School, Slot, TeacherCode
from scheduler.roll_over.classes import Followed
from scheduler.roll_over.judge import Misfit, Seat
from scheduler.rules.base import Ground, Resource, host_fault


class Carrier:
    """Puts old meetings into the new term, one after the other; rooms that it gave in place of others stay given."""

    def __init__(self, problem: Problem, classes: Followed) -> None:
        self.problem, self.classes = problem, classes
        self._bare = Ground(problem)
        self._given: dict[RoomCode, list[Slot]] = defaultdict(list)
        self._hosts: dict[tuple[TeacherCode, Slot], list[LessonRow]] = defaultdict(list)
        for lesson in self.problem.lessons:
            if lesson.teacher is not None:
                key = lesson.teacher, lesson.slot._replace(weeks=0)
                self._hosts[key].append(lesson.row)

    def seats(self, old: Meeting, misfits: list[Misfit]) -> Iterator[Seat]:
        """The seats of a delivery meeting that name nobody who is gone; the others become misfits."""
        now = self._led(old, misfits)
        if now is None:
            return
        there = [(who, found) for who in old.classes if (found := self._class(old, who, misfits)) is not None]
        weight = sum(self._weight(old, code) for _, code in there)
        seen: set[ClassCode] = set()
        for who, code in there:
            if code in seen:
                misfits.append(Misfit(old, who, "roll_class_merged", {"school_class": code}))
                continue
            seen.add(code)
            yield Seat(old, who, self._hosted(now, code), weight * 10_000 + self._weight(old, code))

    def _weight(self, old: Meeting, code: ClassCode) -> int:
        return self.problem.need_by_key[code, old.subject].priority * old.slot.halves

    def _class(self, old: Meeting, who: ClassCode, misfits: list[Misfit]) -> ClassCode | None:
        code = self.classes.get(who, who)
        if code is None or code not in self.problem.classes:
            misfits.append(Misfit(old, who, "roll_class_gone", {"school_class": who}))
        elif (code, old.subject) not in self.problem.need_by_key:
            misfits.append(Misfit(old, who, "roll_need_gone", {"school_class": code, "subject": old.subject}))
        else:
            return code
        return None

    def _led(self, old: Meeting, misfits: list[Misfit]) -> Meeting | None:
        """The meeting without classes, in its window and room of now."""
        teacher = self.problem.teachers.get(old.lead_teacher)
        if teacher is None:
            misfits.append(Misfit(old, "", "roll_teacher_gone", {"teacher": old.lead_teacher}))
            return None
        slot = follow_period(self.problem.schools[teacher.school], old.slot)
        if slot is None:
            facts = {"school": teacher.school, "weekday": old.slot.weekday}
            misfits.append(Misfit(old, "", "roll_window_gone", facts))
            return None
        room = self.room(old, slot)
        if room is None:
            misfits.append(Misfit(old, "", "roll_room_gone", {"school": teacher.school, "room": old.lead_room}))
            return None
        return Meeting(old.code, "delivery", old.subject, old.lead_teacher, room, slot)

    def room(self, old: Meeting, slot: Slot) -> RoomCode | None:
        """The old lead room where it still is one of the teacher's school, else another one that is free; None without any."""
        school = self.problem.teachers[old.lead_teacher].school
        rooms = sorted(code for code, room in self.problem.rooms.items() if room.school == school and room.can_lead)
        if old.lead_room in rooms or not rooms:
            return old.lead_room if rooms else None
        free = [code for code in rooms if self._free(code, slot)]
        chosen = free[0] if free else rooms[0]
        self._given[chosen].append(slot)
        return chosen

    def _free(self, room: RoomCode, slot: Slot) -> bool:
        held = self._bare.holds.get(Resource("room", room), [])
        return not any(hold.slot.clashes(slot) for hold in held) and not any(
            given.clashes(slot) for given in self._given[room]
        )

    def _hosted(self, meeting: Meeting, code: ClassCode) -> Meeting:
        """With the class, and synchronous with a lesson of the teacher that may carry it (H4), where one lies in the same window."""
        alone = replace(meeting, classes=(code,))
        for row in self._hosts.get((meeting.lead_teacher, meeting.slot._replace(weeks=0)), ()):
            hosted = replace(alone, host_lesson=row)
            if host_fault(self.problem, hosted) is None:
                return hosted
        return alone


def follow_period(school: School, slot: Slot) -> Slot | None:
    """The window where it still lies inside a period of the school, else that period which it overlaps most; None without any."""
    periods = school.periods.get(slot.weekday, ())
    if any(start <= slot.start and slot.end <= end for start, end in periods):
        return slot
    shared = [(min(slot.end, end) - max(slot.start, start), -start, end) for start, end in periods]
    best = max(shared, default=None)
    if best is None or best[0] <= 0:
        return None
    return slot._replace(start=-best[1], end=best[2])
