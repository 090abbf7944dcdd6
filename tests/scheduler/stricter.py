"""Counties a little stricter than the one a legal plan was made for: each breaks its rule, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from scheduler.assemble import missing_of
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    Lesson,
    Meeting,
    Plan,
    Problem,
    SchoolCode,
    Slot,
    TeacherCode,
    Unavailability,
)
from tests.scheduler.legal import Case, Mutation, again, delivery


def _one_minute(meeting: Meeting, minute: int | None = None) -> Slot:
    start = meeting.slot.start if minute is None else minute
    return Slot(meeting.slot.weekday, start, start + 1, meeting.slot.weeks)


def _away(problem: Problem, *gone: tuple[str, str, Slot]) -> Problem:
    more = tuple(Unavailability(kind, code, slot) for kind, code, slot in gone)  # type: ignore[arg-type]
    return replace(problem, unavailabilities=problem.unavailabilities + more)


def unqualified(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H1: a lead teacher no longer teaches the grade; who teaches no meeting's class else may keep the others."""
    for meeting in delivery(plan):
        teacher = problem.teachers[meeting.lead_teacher]
        subjects = {**teacher.subjects, meeting.subject: frozenset({99})}
        yield replace(problem, teachers={**problem.teachers, teacher.code: replace(teacher, subjects=subjects)}), plan


def school_no_longer_leads(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        school = problem.schools[problem.teachers[meeting.lead_teacher].school]
        yield replace(problem, schools={**problem.schools, school.code: replace(school, leads=False)}), plan


def room_cannot_lead(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        room = replace(problem.rooms[meeting.lead_room], can_lead=False)
        yield replace(problem, rooms={**problem.rooms, room.code: room}), plan


def somebody_away(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H3: a class or a lead room is held by something else for a minute."""
    for meeting in plan.meetings:
        for code in meeting.classes:
            yield _away(problem, ("class", code, _one_minute(meeting))), plan
        yield _away(problem, ("room", meeting.lead_room, _one_minute(meeting, meeting.slot.end - 1))), plan


def host_of_another_subject(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        if meeting.host_lesson is not None:
            lessons = tuple(
                replace(lesson, subject="other", room=None) if lesson.row == meeting.host_lesson else lesson
                for lesson in problem.lessons
            )
            yield replace(problem, lessons=lessons), plan


def _a_minute_later(lesson: Lesson) -> Lesson:
    return replace(lesson, slot=lesson.slot._replace(start=lesson.slot.start + 1))


def bells_moved(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H5: a period of the lead school, and what is taught in it, begins a minute later."""
    for meeting in delivery(plan):
        school = problem.schools[problem.teachers[meeting.lead_teacher].school]
        start = meeting.slot.start
        periods = {
            weekday: tuple((first + (first == start), end) for first, end in windows)
            for weekday, windows in school.periods.items()
        }
        lessons = {
            lesson.row: _a_minute_later(lesson)
            if (lesson.school, lesson.slot.start) == (school.code, start)
            else lesson
            for lesson in problem.lessons
        }
        if periods != school.periods and not any(m.host_lesson is not None for m in plan.meetings):
            schools = {**problem.schools, school.code: replace(school, periods=periods)}
            yield replace(problem, schools=schools, lessons=tuple(lessons.values())), plan


def receiving_room_away(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        for code in meeting.classes:
            room = problem.classes[code].receiving_room
            if room is not None:
                yield _away(problem, ("room", room, _one_minute(meeting))), plan


def fewer_seats(problem: Problem, plan: Plan) -> Iterator[Case]:
    most = max((len(meeting.classes) for meeting in delivery(plan)), default=0)
    if most > 1:
        yield replace(problem, policy=replace(problem.policy, max_receivers=most - 1)), plan


def other_editions(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in delivery(plan):
        if len(meeting.classes) > 1:
            groups = dict(problem.classes)
            for number, code in enumerate(meeting.classes):
                groups[code] = replace(groups[code], editions={**groups[code].editions, meeting.subject: f"E{number}"})
            stricter = replace(problem, classes=groups, policy=replace(problem.policy, match_edition=True))
            if all(m is meeting or len(m.classes) < 2 for m in delivery(plan)):
                yield stricter, plan


def less_is_asked(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H8: a need asks for half a lesson less than it gets."""
    missing = missing_of(problem, plan.meetings)
    for need in problem.needs:
        given = need.halves - missing.get((need.school_class, need.subject), 0)
        if given > 1:
            needs = tuple(replace(one, halves=given - 1) if one is need else one for one in problem.needs)
            yield again(replace(problem, needs=needs), plan.meetings)


def tighter_weeks(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        for code in (meeting.lead_teacher, *meeting.members):
            teacher = replace(problem.teachers[code], week_limit=0)
            yield replace(problem, teachers={**problem.teachers, code: teacher}), plan


def tighter_days(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        teacher = replace(problem.teachers[meeting.lead_teacher], day_limit=0)
        yield replace(problem, teachers={**problem.teachers, teacher.code: teacher}), plan


def fewer_partners(problem: Problem, plan: Plan) -> Iterator[Case]:
    if delivery(plan):
        yield replace(problem, policy=replace(problem.policy, max_partners_per_lead=0)), plan
        yield replace(problem, policy=replace(problem.policy, max_partners_per_receiver=0)), plan


def everybody_away(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H11: no teacher of a receiving school is left who takes part in no meeting."""
    strict = replace(problem, policy=replace(problem.policy, require_assistant=True))
    busy = {code for meeting in plan.meetings for code in (meeting.lead_teacher, *meeting.members)}
    staff: dict[SchoolCode, list[TeacherCode]] = {}
    for teacher in problem.teachers.values():
        staff.setdefault(teacher.school, []).append(teacher.code)
    for meeting in plan.meetings:
        for school in {problem.classes[code].school for code in meeting.classes}:
            teachers = staff.get(school, [])
            if teachers and not busy & set(teachers):
                yield _away(strict, *(("teacher", code, _one_minute(meeting)) for code in teachers)), plan


def more_must_attend(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        if meeting.family == "master":
            communities = tuple(replace(one, min_attendance_pct=101) for one in problem.communities)
            yield replace(problem, communities=communities), plan


def other_weeks(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        if meeting.family == "master":
            weeks = {ODD: EVEN, EVEN: ODD, ALL_WEEKS: ODD}
            communities = tuple(
                replace(one, weeks=weeks[one.weeks]) if one.code == meeting.ref else one for one in problem.communities
            )
            yield replace(problem, communities=communities), plan


def longer_course(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        if meeting.family == "network":
            courses = tuple(replace(one, halves=one.halves + 1) for one in problem.courses)
            yield replace(problem, courses=courses), plan
            courses = tuple(replace(one, length=200) for one in problem.courses)
            yield replace(problem, courses=courses), plan


STRICTER: Mapping[str, tuple[Mutation, ...]] = {
    "H1": (unqualified, school_no_longer_leads),
    "H2": (room_cannot_lead,),
    "H3": (somebody_away,),
    "H4": (host_of_another_subject,),
    "H5": (bells_moved,),
    "H6": (receiving_room_away,),
    "H7": (fewer_seats, other_editions),
    "H8": (less_is_asked,),
    "H9": (tighter_weeks, tighter_days),
    "H10": (fewer_partners,),
    "H11": (everybody_away,),
    "H12": (more_must_attend, other_weeks),
    "H13": (longer_course,),
}
