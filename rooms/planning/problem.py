"""From a county's files to the problem the planner solves."""

from __future__ import annotations

from collections.abc import Iterator

from rooms.county import County, School, Unavailability
from rooms.gaps import needs_of
from scheduler import problem as planner
from scheduler.problem import (
    ClassCode,
    LessonRow,
    Lock,
    Pair,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)


def problem_of(county: County, locks: tuple[Lock, ...] = ()) -> Problem:
    """The county as the planner sees it, with the meetings that must stand. A pure function; the county must have been read without errors."""
    return Problem(
        code=county.code,
        policy=county.policy,
        schools=_schools(county),
        rooms={
            RoomCode(room.code): planner.Room(
                RoomCode(room.code), SchoolCode(room.school_code), room.can_lead, room.max_receivers
            )
            for room in county.rooms
        },
        teachers=_teachers(county),
        classes=_classes(county),
        lessons=_lessons(county),
        unavailabilities=tuple(slot for row in county.unavailabilities for slot in _unavailabilities(county, row)),
        needs=tuple(
            planner.Need(ClassCode(need.class_code), Subject(need.subject), need.halves, need.priority)
            for need in needs_of(county)
            if need.halves
        ),
        communities=_communities(county),
        courses=_courses(county),
        pairings=tuple(
            planner.StandingPairing(
                Pair(SchoolCode(pairing.lead_school_code), SchoolCode(pairing.receive_school_code)),
                frozenset(map(Subject, pairing.subjects)),
                pairing.locked,
            )
            for pairing in county.pairings
        ),
        locks=locks,
    )


def _schools(county: County) -> dict[SchoolCode, planner.School]:
    periods: dict[str, dict[int, set[tuple[int, int]]]] = {}
    for bell in county.bells:
        periods.setdefault(bell.bell_code, {}).setdefault(bell.weekday, set()).add((bell.start, bell.end))
    tables = {
        code: {weekday: tuple(sorted(days[weekday])) for weekday in sorted(days)} for code, days in periods.items()
    }

    def seen(school: School) -> planner.School:
        return planner.School(SchoolCode(school.code), school.leads, school.receives, tables[school.bell_code])

    return {SchoolCode(school.code): seen(school) for school in county.schools}


def _teachers(county: County) -> dict[TeacherCode, planner.Teacher]:
    policy = county.policy
    return {
        TeacherCode(teacher.code): planner.Teacher(
            TeacherCode(teacher.code),
            SchoolCode(teacher.school_code),
            {Subject(subject): county.grades_taught(teacher, subject) for subject in teacher.subjects},
            policy.max_remote_per_week if teacher.max_remote_per_week is None else teacher.max_remote_per_week,
            policy.max_remote_per_day if teacher.max_remote_per_day is None else teacher.max_remote_per_day,
        )
        for teacher in county.teachers
    }


def _classes(county: County) -> dict[ClassCode, planner.SchoolClass]:
    return {
        ClassCode(group.code): planner.SchoolClass(
            ClassCode(group.code),
            SchoolCode(group.school_code),
            group.grades,
            None if group.receiving_room_code is None else RoomCode(group.receiving_room_code),
            {Subject(subject): edition for subject, edition in group.editions.items()},
        )
        for group in county.classes
    }


def _lessons(county: County) -> tuple[planner.Lesson, ...]:
    bell_of = {school.code: school.bell_code for school in county.schools}
    windows = county.windows
    return tuple(
        planner.Lesson(
            LessonRow(lesson.row),
            SchoolCode(lesson.school_code),
            tuple(map(ClassCode, lesson.class_codes)),
            Subject(lesson.subject),
            Slot(lesson.weekday, *windows[bell_of[lesson.school_code], lesson.weekday, lesson.period], lesson.weeks),
            None if lesson.teacher_code is None else TeacherCode(lesson.teacher_code),
            None if lesson.room_code is None else RoomCode(lesson.room_code),
        )
        for lesson in county.lessons
    )


def _unavailabilities(county: County, row: Unavailability) -> Iterator[planner.Unavailability]:
    """One value for each weekday of the row; weekdays on which the school has no such period are passed over."""
    bell_code = county.school_by_code[school_of(county, row)].bell_code
    given = (row.start or 0, row.end or 0)
    for weekday in sorted(row.weekdays):
        window = county.windows.get((bell_code, weekday, row.period)) if row.period else given
        if window and window[0] < window[1]:
            yield planner.Unavailability(row.resource, row.code, Slot(weekday, *window, row.weeks))


def school_of(county: County, row: Unavailability) -> str:
    """The code of the school whose clock the row's periods follow."""
    match row.resource:
        case "school":
            return row.code
        case "teacher":
            return county.teacher_by_code[row.code].school_code
        case "room":
            return county.room_by_code[row.code].school_code
        case "class":
            return county.class_by_code[row.code].school_code


def _communities(county: County) -> tuple[planner.Community, ...]:
    return tuple(
        planner.Community(
            community.code,
            Subject(community.subject),
            TeacherCode(community.host_teacher_code),
            tuple(map(TeacherCode, community.member_teacher_codes)),
            community.weeks,
            community.length_min,
            community.min_attendance_pct,
        )
        for community in county.communities
    )


def _courses(county: County) -> tuple[planner.NetworkCourse, ...]:
    return tuple(
        planner.NetworkCourse(
            course.code,
            Subject(course.subject),
            TeacherCode(course.lead_teacher_code),
            course.halves,
            tuple(map(ClassCode, course.audience_class_codes)),
            course.length_min or None,
        )
        for course in county.courses
    )
