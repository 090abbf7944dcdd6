"""A plan before its judge: who is held where, and what a violation looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from scheduler.problem import (
    EVEN,
    ODD,
    Lesson,
    LessonRow,
    Meeting,
    Plan,
    Problem,
    SchoolCode,
    Slot,
)

Kind = Literal["teacher", "room", "class"]


class Resource(NamedTuple):
    kind: Kind
    code: str


class Hold(NamedTuple):
    """A resource held in a slot: by a meeting, by a local lesson, or (both None) by an absence."""

    slot: Slot
    meeting: Meeting | None = None
    lesson: LessonRow | None = None
    receiving: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a plan breaks; `code` is a key of the ``plan`` catalogue, `facts` fill its places."""

    rule: str
    code: str
    meetings: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


class Ground:
    """Every hold on every teacher, room and class before any meeting: absences and local lessons. Serves many plans of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.holds: dict[Resource, list[Hold]] = defaultdict(list)
        self._hold_absences()
        self._hold_lessons()

    def _hold_absences(self) -> None:
        problem = self.problem
        members: dict[str, list[Resource]] = defaultdict(list)
        for teacher in problem.teachers.values():
            members[teacher.school].append(Resource("teacher", teacher.code))
        for room in problem.rooms.values():
            members[room.school].append(Resource("room", room.code))
        for group in problem.classes.values():
            members[group.school].append(Resource("class", group.code))
        for gone in problem.unavailabilities:
            held = members[gone.code] if gone.resource == "school" else [Resource(gone.resource, gone.code)]
            for resource in held:
                self.holds[resource].append(Hold(gone.slot))

    def _hold_lessons(self) -> None:
        for lesson in self.problem.lessons:
            hold = Hold(lesson.slot, lesson=lesson.row)
            if lesson.teacher:
                self.holds[Resource("teacher", lesson.teacher)].append(hold)
            for code in lesson.classes:
                self.holds[Resource("class", code)].append(hold)
            if lesson.room:
                self.holds[Resource("room", lesson.room)].append(hold)


class Case:
    """A problem, a plan, and every hold on every teacher, room and class."""

    def __init__(self, problem: Problem, plan: Plan, ground: Ground | None = None) -> None:
        self.problem, self.plan = problem, plan
        self.delivery = [meeting for meeting in plan.meetings if meeting.family == "delivery"]
        ground = ground or Ground(problem)
        self.holds: dict[Resource, list[Hold]] = defaultdict(list)
        self.holds.update((resource, list(holds)) for resource, holds in ground.holds.items())
        self._move_hosted()
        for meeting in plan.meetings:
            self._hold_meeting(meeting)

    def lead_school(self, meeting: Meeting) -> SchoolCode:
        return self.problem.teachers[meeting.lead_teacher].school

    def _move_hosted(self) -> None:
        """A lesson that is hosted by a meeting has moved to the lead room in those weeks (H4)."""
        moved: dict[LessonRow, int] = defaultdict(int)
        for meeting in self.delivery:
            if meeting.host_lesson is not None and host_fault(self.problem, meeting) is None:
                moved[meeting.host_lesson] |= meeting.slot.weeks
        for row, weeks in moved.items():
            lesson = self.problem.lesson_by_row[row]
            if lesson.room:
                holds = self.holds[Resource("room", lesson.room)]
                holds[:] = [hold for hold in holds if hold.lesson != row]
                if lesson.slot.weeks & ~weeks:
                    left = lesson.slot._replace(weeks=lesson.slot.weeks & ~weeks)
                    holds.append(Hold(left, lesson=row))

    def _hold_meeting(self, meeting: Meeting) -> None:
        here, there = Hold(meeting.slot, meeting), Hold(meeting.slot, meeting, receiving=True)
        self.holds[Resource("teacher", meeting.lead_teacher)].append(here)
        self.holds[Resource("room", meeting.lead_room)].append(here)
        for member in meeting.members:
            self.holds[Resource("teacher", member)].append(there)
        for code in meeting.classes:
            self.holds[Resource("class", code)].append(there)
        rooms = {self.problem.classes[code].receiving_room for code in meeting.classes} - {None}
        for room in rooms:
            self.holds[Resource("room", str(room))].append(there)

    def free(self, resource: Resource, meeting: Meeting) -> bool:
        """Whether nothing but the meeting itself holds the resource in its window."""
        return not any(hold.meeting is not meeting and hold.slot.clashes(meeting.slot) for hold in self.holds[resource])


class Rule(ABC):
    """One hard rule of docs/PLANNING.md."""

    code: ClassVar[str]
    """``H1`` … ``H13``."""

    @abstractmethod
    def violations(self, case: Case) -> Iterator[Violation]:
        """Every breach of this rule, and of no other."""


def host_fault(problem: Problem, meeting: Meeting) -> str | None:
    """H4: the code of what forbids the meeting to be synchronous with the lesson it names; None where nothing does."""
    assert meeting.host_lesson is not None
    lesson = problem.lesson_by_row.get(meeting.host_lesson)
    if not problem.policy.allow_synchronous:
        return "host_not_allowed"
    if meeting.family != "delivery":
        return "host_not_delivery"
    if lesson is None:
        return "host_unknown"
    if lesson.teacher != meeting.lead_teacher:
        return "host_other_teacher"
    if lesson.subject != meeting.subject:
        return "host_other_subject"
    if not _same_window(lesson, meeting):
        return "host_other_window"
    grades = {grade for code in lesson.classes for grade in problem.classes[code].grades}
    if any(not problem.classes[code].grades & grades for code in meeting.classes):
        return "host_other_grade"
    return None


def _same_window(lesson: Lesson, meeting: Meeting) -> bool:
    one, two = lesson.slot, meeting.slot
    return (one.weekday, one.start, one.end) == (two.weekday, two.start, two.end) and not two.weeks & ~one.weeks


def busier_week(slots: list[Slot]) -> int:
    """How many of the slots fall in the busier of the odd and the even weeks."""
    return max(sum(bool(slot.weeks & week) for slot in slots) for week in (ODD, EVEN))


def by_weekday(meetings: list[Meeting]) -> dict[int, list[Meeting]]:
    found: dict[int, list[Meeting]] = defaultdict(list)
    for meeting in meetings:
        found[meeting.slot.weekday].append(meeting)
    return found


def codes_of(meetings: list[Meeting]) -> tuple[str, ...]:
    return tuple(meeting.code for meeting in meetings)


def clock(slot: Slot) -> str:
    """``2 09:20-10:00``: a weekday and a window, for facts."""
    first, last = (f"{minute // 60:02}:{minute % 60:02}" for minute in (slot.start, slot.end))
    return f"{slot.weekday} {first}-{last}"
