"""A planner's problem as a county again, so that random ones can be written to files for somebody else to judge."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

from rooms import county as c
from scheduler.problem import Lesson, Policy, Problem, School


def county_of(problem: Problem) -> c.County:
    """The county that `problem_of` makes this problem from; what the planner does not see is made up."""
    return c.County(
        code=problem.code,
        name="random",
        term_start=date(2026, 9, 7),
        term_end=date(2027, 1, 22),
        schools=tuple(
            c.School(code, code, "central_primary", _role(school), f"bell-{code}")
            for code, school in problem.schools.items()
        ),
        bells=tuple(
            c.Bell(f"bell-{code}", weekday, str(number), start, end)
            for code, school in problem.schools.items()
            for weekday, periods in school.periods.items()
            for number, (start, end) in enumerate(periods, 1)
        ),
        rooms=tuple(
            c.Room(room.code, room.school, "recording" if room.can_lead else "receiving", room.can_lead, room.max_receivers)
            for room in problem.rooms.values()
        ),
        teachers=tuple(
            c.Teacher(
                one.code, one.school, one.code, {str(subject): grades for subject, grades in one.subjects.items()},
                max_remote_per_week=one.week_limit, max_remote_per_day=one.day_limit,
            )
            for one in problem.teachers.values()
        ),
        classes=tuple(
            c.SchoolClass(
                one.code, one.school, one.grades, 30, one.receiving_room,
                {str(subject): edition for subject, edition in one.editions.items()},
            )
            for one in problem.classes.values()
        ),
        lessons=tuple(_lesson(problem, lesson) for lesson in problem.lessons),
        unavailabilities=tuple(
            c.Unavailability(
                row, gone.resource, gone.code, frozenset({gone.slot.weekday}), "", gone.slot.start, gone.slot.end, gone.slot.weeks
            )
            for row, gone in enumerate(problem.unavailabilities, 1)
        ),
        needs=tuple(c.Need(one.school_class, one.subject, one.halves, one.priority) for one in problem.needs),
        communities=tuple(
            c.Community(one.code, one.code, one.subject, "primary", one.host, one.members, one.weeks, one.length, one.min_attendance_pct)
            for one in problem.communities
        ),
        courses=tuple(
            c.NetworkCourse(
                one.code, one.code, one.subject, frozenset({1}), one.lead_teacher, one.halves, one.audience, one.length
            )
            for one in problem.courses
        ),
        pairings=tuple(
            c.Pairing(*one.pair, tuple(sorted(one.subjects)), one.locked) for one in problem.pairings
        ),
        policy_values={one.name: int(getattr(problem.policy, one.name)) for one in fields(Policy)},
    )  # fmt: skip


def _role(school: School) -> c.SchoolRole:
    if school.leads:
        return "both" if school.receives else "lead"
    return "receive" if school.receives else "none"


def _lesson(problem: Problem, lesson: Lesson) -> c.LocalLesson:
    slot = lesson.slot
    period = problem.schools[lesson.school].periods[slot.weekday].index((slot.start, slot.end)) + 1
    return c.LocalLesson(
        lesson.row, lesson.school, lesson.classes, lesson.subject, slot.weekday, str(period), lesson.teacher, lesson.room, slot.weeks
    )  # fmt: skip
