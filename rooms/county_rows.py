"""Between the values of `rooms.county` and the rows of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import county as c
from rooms import tables as t

Values = dict[str, Any]

LASTING: Mapping[str, type[t.Base]] = {
    "schools": t.School,
    "rooms": t.Room,
    "teachers": t.Teacher,
    "classes": t.SchoolClass,
}
"""File → table whose rows are updated in place and retired when they are missing, never removed."""
REPLACED: Mapping[str, type[t.Base]] = {
    "bells": t.Bell,
    "lessons": t.LocalLesson,
    "unavailability": t.Unavailability,
    "curriculum": t.CurriculumHours,
    "needs": t.Need,
    "communities": t.Community,
    "network_courses": t.NetworkCourse,
    "pairings": t.Pairing,
    "calendar": t.CalendarDay,
    "policy": t.PolicyValue,
}
"""File → table whose rows of a county are replaced by an import."""


def header_values(county: c.County) -> Values:
    """The columns of `tables.County` that the files fill."""
    return {
        "name": county.name,
        "term_start": county.term_start,
        "term_end": county.term_end,
        "city": county.city,
        "province": county.province,
        "curriculum_plan": county.curriculum_plan,
        "timezone": county.timezone,
        "needs_given": county.needs is not None,
    }


def rows_of(county: c.County) -> dict[str, list[Values]]:
    """File → the rows of its table."""
    found: dict[str, list[Values]] = {
        "schools": [_fields(school, stages=list(school.stages)) for school in county.schools],
        "rooms": [_fields(room) for room in county.rooms],
        "teachers": [
            _fields(
                teacher,
                subjects={subject: sorted(grades) for subject, grades in teacher.subjects.items()},
                cohorts=list(teacher.cohorts),
            )
            for teacher in county.teachers
        ],
        "classes": [
            _fields(group, grades=sorted(group.grades), editions=dict(group.editions)) for group in county.classes
        ],
        "bells": [_fields(bell) for bell in county.bells],
        "lessons": [_fields(lesson, class_codes=list(lesson.class_codes)) for lesson in county.lessons],
        "unavailability": [_fields(away, weekdays=sorted(away.weekdays)) for away in county.unavailabilities],
        "curriculum": [_fields(hours) for hours in county.curriculum],
        "needs": [_fields(need) for need in county.needs or ()],
        "communities": [
            _fields(community, member_teacher_codes=list(community.member_teacher_codes))
            for community in county.communities
        ],
        "network_courses": [
            _fields(course, grades=sorted(course.grades), audience_class_codes=list(course.audience_class_codes))
            for course in county.courses
        ],
        "pairings": [_fields(pairing, subjects=list(pairing.subjects)) for pairing in county.pairings],
        "calendar": [_fields(day) for day in county.calendar],
        "policy": [{"key": key, "value": str(value)} for key, value in county.policy_values.items()],
    }
    for rows in found.values():
        for row in rows:
            row["county"] = county.code
    return found


def _fields(value: Any, **replaced: Any) -> Values:
    return {name: replaced[name] if name in replaced else getattr(value, name) for name in value.__slots__}


async def read_rows(session: AsyncSession, header: t.County) -> c.County:
    """The county of a header row, as it was read from its files; retired rows are left out."""
    code = header.code

    async def rows(table: type[t.Base], *order: str) -> Sequence[Mapping[str, Any]]:
        columns = table.__table__.columns
        chosen = select(table.__table__).where(columns["county"] == code)
        if "retired" in columns:
            chosen = chosen.where(columns["retired"].is_(False))
        found = [dict(row) for row in (await session.execute(chosen)).mappings()]
        return sorted(found, key=lambda row: tuple(row[name] for name in order))

    return c.County(
        code=code,
        name=header.name,
        term_start=header.term_start,
        term_end=header.term_end,
        city=header.city,
        province=header.province,
        curriculum_plan=header.curriculum_plan,
        timezone=header.timezone,
        schools=tuple(_value(c.School, row, stages=tuple) for row in await rows(t.School, "code")),
        bells=tuple(_value(c.Bell, row) for row in await rows(t.Bell, "bell_code", "weekday", "period")),
        rooms=tuple(_value(c.Room, row) for row in await rows(t.Room, "code")),
        teachers=tuple(
            _value(c.Teacher, row, subjects=_grades_by_subject, cohorts=tuple) for row in await rows(t.Teacher, "code")
        ),
        classes=tuple(
            _value(c.SchoolClass, row, grades=frozenset, editions=_sorted) for row in await rows(t.SchoolClass, "code")
        ),
        lessons=tuple(_value(c.LocalLesson, row, class_codes=tuple) for row in await rows(t.LocalLesson, "row")),
        unavailabilities=tuple(
            _value(c.Unavailability, row, weekdays=frozenset) for row in await rows(t.Unavailability, "row")
        ),
        curriculum=tuple(
            _value(c.CurriculumHours, row) for row in await rows(t.CurriculumHours, "plan_code", "subject", "grade")
        ),
        needs=tuple(_value(c.Need, row) for row in await rows(t.Need, "class_code", "subject"))
        if header.needs_given
        else None,
        communities=tuple(
            _value(c.Community, row, member_teacher_codes=tuple) for row in await rows(t.Community, "code")
        ),
        courses=tuple(
            _value(c.NetworkCourse, row, grades=frozenset, audience_class_codes=tuple)
            for row in await rows(t.NetworkCourse, "code")
        ),
        pairings=tuple(
            _value(c.Pairing, row, subjects=tuple)
            for row in await rows(t.Pairing, "lead_school_code", "receive_school_code")
        ),
        calendar=tuple(_value(c.CalendarDay, row) for row in await rows(t.CalendarDay, "day")),
        policy_values={row["key"]: int(row["value"]) for row in await rows(t.PolicyValue, "key")},
        policy_set={row["key"]: row["value"] for row in await rows(t.PolicyOverride, "key")},
    )


def _value(kind: Any, row: Mapping[str, Any], **read: Any) -> Any:
    return kind(**{name: read[name](row[name]) if name in read else row[name] for name in kind.__slots__})


def _grades_by_subject(stored: Mapping[str, list[int]]) -> dict[str, frozenset[int]]:
    return {subject: frozenset(grades) for subject, grades in sorted(stored.items())}


def _sorted(stored: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(stored.items()))
