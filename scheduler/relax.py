"""Takes facts away, and nothing else, and lets the judge say whether the missing lesson then has its place.

This is how a reason is verified: `relaxed` gives the county and the plan without exactly the named facts, `placed` adds the lesson, and
the rules of `scheduler.check` find nothing. It shares no code with the search for the facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from scheduler.ledger import absence_code
from scheduler.locked_meetings import rule_violations, sketch, stands
from scheduler.problem import (
    ClassCode,
    Fact,
    Lesson,
    LessonRow,
    Meeting,
    Need,
    NetworkCourse,
    Place,
    Problem,
    Room,
    RoomCode,
    School,
    SchoolCode,
    Slot,
    Teacher,
    TeacherCode,
    Unavailability,
)
from scheduler.rules import Case, Violation
from scheduler.rules.courses import could_attend

NEW = "+"
"""Code of the meeting that is tried; no plan has it."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A county and its meetings without some facts."""

    problem: Problem
    meetings: tuple[Meeting, ...]
    excused: frozenset[str] = frozenset()
    """Codes of violations by the tried need that no switch of the county can allow (H8: one lead teacher)."""


def relaxed(problem: Problem, meetings: Iterable[Meeting], facts: Iterable[Fact]) -> Relaxed:
    """The county and the plan in which exactly these facts no longer hold.

    Lessons, absences and meetings are gone; a limit is one higher; a school has one lead room or one assistant more; a class's edition is
    unknown; two bells are one. A lesson whose receivers are gone stays in the lead room.
    """
    facts = tuple(facts)
    rows = {LessonRow(int(fact.code)) for fact in facts if fact.kind.endswith("_lesson")}
    codes = {fact.code for fact in facts if fact.kind.endswith("_meeting")}
    left, moved = [], []
    for meeting in meetings:
        if (meeting.ref or meeting.code) in codes:
            moved.append(meeting)
        else:
            left.append(replace(meeting, host_lesson=None) if meeting.host_lesson in rows else meeting)
    absent = {fact.code for fact in facts if fact.kind.endswith("_away") or fact.kind == "school_closed"}
    problem = replace(
        problem,
        lessons=tuple(_lessons(problem, rows, moved)),
        unavailabilities=tuple(gone for gone in problem.unavailabilities if absence_code(gone) not in absent),
    )
    for fact in facts:
        problem = _without(problem, fact, left)
    problem = replace(problem, locks=tuple(lock for lock in problem.locks if stands(lock, left)))
    excused = frozenset({"rule_h8_teachers"} if any(fact.kind == "other_teacher" for fact in facts) else ())
    return Relaxed(problem, tuple(left), excused)


def _lessons(problem: Problem, rows: set[LessonRow], moved: Sequence[Meeting]) -> Iterator[Lesson]:
    """The local lessons that are left; those that hosted a meeting now gone stay where they were taught."""
    rooms = {meeting.host_lesson: meeting for meeting in moved if meeting.host_lesson is not None}
    spare = max((lesson.row for lesson in problem.lessons), default=0)
    for lesson in problem.lessons:
        if lesson.row in rows:
            continue
        meeting = rooms.get(lesson.row)
        if meeting is None:
            yield lesson
            continue
        rest = lesson.slot.weeks & ~meeting.slot.weeks
        spare += 1
        if rest:
            yield replace(lesson, slot=lesson.slot._replace(weeks=rest))
        row = LessonRow(spare) if rest else lesson.row
        slot = lesson.slot._replace(weeks=lesson.slot.weeks & meeting.slot.weeks)
        yield replace(lesson, row=row, slot=slot, room=meeting.lead_room)


def _without(problem: Problem, fact: Fact, meetings: Sequence[Meeting]) -> Problem:
    """The county without one fact that is neither a lesson nor an absence nor a meeting."""
    policy = problem.policy
    match fact.kind:
        case "lead_room":
            room = Room(RoomCode(f"{NEW}{fact.code}"), SchoolCode(fact.code), True, None)
            return replace(problem, rooms={**problem.rooms, room.code: room})
        case "assistants":
            code = TeacherCode(f"{NEW}{fact.code}")
            return replace(problem, teachers={**problem.teachers, code: Teacher(code, SchoolCode(fact.code), {}, 0, 0)})
        case "week_limit" | "day_limit":
            teacher = problem.teachers[TeacherCode(fact.code)]
            more = (
                replace(teacher, week_limit=teacher.week_limit + 1)
                if fact.kind == "week_limit"
                else replace(teacher, day_limit=teacher.day_limit + 1)
            )
            return replace(problem, teachers={**problem.teachers, teacher.code: more})
        case "partners_lead":
            return replace(problem, policy=replace(policy, max_partners_per_lead=policy.max_partners_per_lead + 1))
        case "partners_receive":
            more_partners = policy.max_partners_per_receiver + 1
            return replace(problem, policy=replace(policy, max_partners_per_receiver=more_partners))
        case "one_a_day":
            return replace(problem, policy=replace(policy, one_lesson_per_day=False))
        case "seats":
            meeting = next(meeting for meeting in meetings if meeting.code == fact.code)
            seats = max(policy.max_receivers, len(meeting.classes) + 1)
            larger = replace(problem.rooms[meeting.lead_room], max_receivers=None)
            return replace(
                problem, policy=replace(policy, max_receivers=seats), rooms={**problem.rooms, larger.code: larger}
            )
        case "edition":
            group = problem.classes[ClassCode(fact.code)]
            known = {subject: edition for subject, edition in group.editions.items() if subject != fact.subject}
            return replace(problem, classes={**problem.classes, group.code: replace(group, editions=known)})
        case "bells":
            assert fact.slot is not None
            school = _one_period(problem.schools[SchoolCode(fact.code)], fact.slot)
            return replace(problem, schools={**problem.schools, school.code: school})
        case _:
            return problem


def _one_period(school: School, slot: Slot) -> School:
    """The periods that a window touches, as one."""
    periods = school.periods.get(slot.weekday, ())
    touched = [period for period in periods if period[0] < slot.end and slot.start < period[1]]
    whole = (touched[0][0], max(end for _, end in touched))
    return replace(
        school,
        periods={**school.periods, slot.weekday: tuple(sorted({*periods} - {*touched} | {whole}))},
    )


# ---------------------------------------------------------------- the lesson in its place


def placed(problem: Problem, meetings: Sequence[Meeting], need: Need, place: Place) -> Iterator[tuple[Meeting, ...]]:
    """The meetings with one more lesson of the need in a place: one answer a lead room it could be led from."""
    rooms = [room for room in problem.rooms.values() if room.school == place.school and room.can_lead]
    if place.joins:
        standing = next((meeting for meeting in meetings if meeting.code == place.joins), None)
        if standing is None:
            return
        others = tuple(meeting for meeting in meetings if meeting is not standing)
        joined = replace(standing, classes=tuple(sorted((*standing.classes, need.school_class))))
        rooms.sort(key=lambda room: room.code != standing.lead_room)
        yield from ((*others, replace(joined, lead_room=room.code)) for room in rooms)
        return
    rooms.sort(key=lambda room: problem.policy.max_receivers if room.max_receivers is None else room.max_receivers)
    for room in rooms:
        new = Meeting(NEW, "delivery", need.subject, place.teacher, room.code, place.slot, (need.school_class,))
        yield (*meetings, replace(new, host_lesson=place.host_lesson))


def fits(after: Relaxed, need: Need, place: Place) -> tuple[Meeting, ...] | None:
    """The meetings with the lesson in its place, where the judge finds nothing against them."""
    for meetings in placed(after.problem, after.meetings, need, place):
        found = violations(after.problem, meetings, after.excused, need)
        if found and all(violation.code == "rule_h13_left_out" for violation in found):
            meetings = _attended(after.problem, meetings)
            found = violations(after.problem, meetings, after.excused, need)
        if not found and all(stands(lock, meetings) for lock in after.problem.locks):
            return meetings
    return None


def violations(
    problem: Problem, meetings: tuple[Meeting, ...], excused: frozenset[str] = frozenset(), need: Need | None = None
) -> list[Violation]:
    """What the judge's rules find in bare meetings; `excused` codes are forgiven to one need."""
    found = rule_violations(Case(problem, sketch(problem, meetings)))
    if not excused or need is None:
        return found
    key = (need.school_class, need.subject)
    return [v for v in found if v.code not in excused or (v.facts.get("school_class"), v.facts.get("subject")) != key]


def _attended(problem: Problem, meetings: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
    """H13: a class that has become free attends its network course."""
    audience = {course.code: course.audience for course in problem.courses}
    if not audience or problem.policy.require_assistant:
        return meetings
    case = Case(problem, sketch(problem, meetings))
    for number, meeting in enumerate(meetings):
        for code in audience.get(meeting.ref, ()) if meeting.family == "network" else ():
            if code not in meeting.classes and could_attend(case, meeting, code):
                more = replace(meeting, classes=(*meeting.classes, code))
                return _attended(problem, (*meetings[:number], more, *meetings[number + 1 :]))
    return meetings


# ---------------------------------------------------------------- only what a place can touch


class Surroundings:
    """Cuts a county down to what one place can touch, so that the judge answers in milliseconds."""

    def __init__(self, problem: Problem, meetings: Sequence[Meeting]) -> None:
        self.problem, self.meetings = problem, meetings
        self._lessons: dict[SchoolCode, list[Lesson]] = defaultdict(list)
        for lesson in problem.lessons:
            self._lessons[lesson.school].append(lesson)
        self._absences: dict[str, list[Unavailability]] = defaultdict(list)
        for gone in problem.unavailabilities:
            self._absences[gone.code].append(gone)

    def of(self, need: Need, place: Place) -> tuple[Problem, tuple[Meeting, ...]]:
        """The two schools with all that holds their people, rooms and classes, and the meetings that either has a part in."""
        problem = self.problem
        home = problem.classes[need.school_class].school
        near = {home, place.school}
        refs = {m.ref for m in self.meetings if m.ref and self._involves(m, near)}
        meetings = [
            self._at_home(m, home) for m in self.meetings if (m.ref in refs if m.ref else self._involves(m, near))
        ]
        classes = {code for m in meetings for code in m.classes}
        classes.update(code for code, group in problem.classes.items() if group.school == home)
        teachers = {code for m in meetings for code in (m.lead_teacher, *m.members)} | {place.teacher}
        teachers.update(code for code, teacher in problem.teachers.items() if teacher.school in near)
        days = {place.slot.weekday, *(m.slot.weekday for m in meetings if m.family == "network")}
        hosts = {m.host_lesson for m in meetings} | {place.host_lesson}
        lessons = {lesson.row: lesson for row in hosts if row and (lesson := problem.lesson_by_row.get(row))}
        for school in near:
            for lesson in self._lessons[school]:
                if lesson.slot.weekday in days and (school == home or self._matters(lesson, place)):
                    lessons[lesson.row] = lesson
        classes.update(code for lesson in lessons.values() for code in lesson.classes)
        schools = {problem.classes[code].school for code in classes} | {problem.teachers[t].school for t in teachers}
        schools |= near
        if problem.policy.require_assistant:  # a school with half of its teachers would seem short of assistants
            teachers.update(code for code, teacher in problem.teachers.items() if teacher.school in schools)
        rooms = {code: room for code, room in problem.rooms.items() if room.school in schools}
        absent: list[Unavailability] = []
        for code in sorted({*near, *self._held_here(near, place), *classes, *rooms}):
            absent += [gone for gone in self._absences.get(code, ()) if gone.slot.weekday in days]
        return (
            replace(
                problem,
                schools={code: problem.schools[code] for code in sorted(schools)},
                rooms=rooms,
                teachers={code: problem.teachers[code] for code in sorted(teachers)},
                classes={code: problem.classes[code] for code in sorted(classes)},
                unavailabilities=tuple(absent),
                lessons=tuple(lessons[row] for row in sorted(lessons)),
                needs=tuple(n for n in problem.needs if n.school_class in classes),
                communities=tuple(community for community in problem.communities if community.code in refs),
                courses=tuple(self._course(course, home) for course in problem.courses if course.code in refs),
                pairings=(),
                locks=tuple(lock for lock in problem.locks if stands(lock, meetings)),
            ),
            tuple(meetings),
        )

    def _involves(self, meeting: Meeting, near: set[SchoolCode]) -> bool:
        problem = self.problem
        return (
            problem.teachers[meeting.lead_teacher].school in near
            or any(problem.classes[code].school in near for code in meeting.classes)
            or any(problem.teachers[code].school in near for code in meeting.members)
        )

    def _held_here(self, near: set[SchoolCode], place: Place) -> set[TeacherCode]:
        """The teachers whose absences count: the one of the place, and where assistants are required all of both schools."""
        if not self.problem.policy.require_assistant:
            return {place.teacher}
        return {code for code, teacher in self.problem.teachers.items() if teacher.school in near}

    def _matters(self, lesson: Lesson, place: Place) -> bool:
        """Lessons of the lead school that can stand in the way: of the teacher, in a lead room, or of that day's assistants."""
        room = self.problem.rooms.get(lesson.room) if lesson.room else None
        return (
            lesson.teacher == place.teacher
            or (room is not None and room.can_lead)
            or (self.problem.policy.require_assistant and lesson.slot.weekday == place.slot.weekday)
        )

    def _at_home(self, meeting: Meeting, home: SchoolCode) -> Meeting:
        """A course's meeting with the classes of one school alone: of the others it is not known here when they are free."""
        if meeting.family != "network":
            return meeting
        return replace(meeting, classes=tuple(c for c in meeting.classes if self.problem.classes[c].school == home))

    def _course(self, course: NetworkCourse, home: SchoolCode) -> NetworkCourse:
        return replace(course, audience=tuple(c for c in course.audience if self.problem.classes[c].school == home))
