"""The dated lessons of a plan version as rows: which one stands where, and whether two are the same lesson."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.clashes import Taken
from rooms.planning.terms import load_term
from rooms.tables import Community, NetworkCourse, PlanMeeting, Room, SchoolClass, Teacher
from scheduler.problem import Slot
from scheduler.terms import dated

KIND_OF_FAMILY: Mapping[str, str] = {"delivery": "lesson", "network": "lesson", "master": "seminar"}

Values = dict[str, Any]
"""Column values of a row to insert."""

LessonKey = tuple[str, str, str, datetime, datetime, str, str, tuple[str, ...], tuple[str, ...]]
"""Family, ref, subject, start, end, lead teacher, lead room, classes, members: equal keys are the same lesson."""


@dataclass(frozen=True)
class People:
    """Who and what a county has, as far as a side of a lesson needs it."""

    school_of_teacher: Mapping[str, str]
    school_of_room: Mapping[str, str]
    classes: Mapping[str, SchoolClass]
    titles: Mapping[str, str]
    """Community or course code → its name."""
    gone: frozenset[Taken] = frozenset()
    """Those of them that the county's files no longer name; lessons already held keep them."""

    def lacks(self, kind: str, code: str) -> bool:
        """Whether the county has no such ``teacher``, ``room`` or ``class`` (any more)."""
        known = {"teacher": self.school_of_teacher, "room": self.school_of_room, "class": self.classes}
        return code not in known[kind] or (kind, code) in self.gone


@dataclass(frozen=True, slots=True)
class Planned:
    """A dated lesson that a plan version asks for."""

    meeting: PlanMeeting
    day: date
    week: int
    starts_at: datetime
    ends_at: datetime

    @property
    def key(self) -> LessonKey:
        meeting = self.meeting
        return (
            meeting.family,
            meeting.ref,
            meeting.subject,
            self.starts_at,
            self.ends_at,
            meeting.lead_teacher_code,
            meeting.lead_room_code,
            tuple(sorted(meeting.class_codes)),
            tuple(sorted(meeting.member_codes)),
        )


async def load_people(session: AsyncSession, county: str) -> People:
    """Teachers, rooms, classes, and the names of communities and courses."""
    teachers = await session.execute(select(Teacher.code, Teacher.school_code).where(Teacher.county == county))
    rooms = await session.execute(select(Room.code, Room.school_code).where(Room.county == county))
    classes = await session.scalars(select(SchoolClass).where(SchoolClass.county == county))
    names = await session.execute(select(Community.code, Community.name).where(Community.county == county))
    courses = await session.execute(
        select(NetworkCourse.code, NetworkCourse.title).where(NetworkCourse.county == county)
    )
    gone: set[Taken] = set()
    for what, table in (("teacher", Teacher), ("room", Room), ("class", SchoolClass)):
        left = await session.scalars(select(table.code).where(table.county == county, table.retired))
        gone.update((what, code) for code in left)
    return People(
        dict(teachers.all()),
        dict(rooms.all()),
        {row.code: row for row in classes},
        dict([*names.all(), *courses.all()]),
        frozenset(gone),
    )


async def planned_lessons(session: AsyncSession, county: str, plan_id: int, first: date) -> list[Planned]:
    """Every dated lesson of a plan version from `first` to the end of the term."""
    term = await load_term(session, county)
    meetings = {
        row.code: row for row in await session.scalars(select(PlanMeeting).where(PlanMeeting.plan_id == plan_id))
    }
    slots = [(row.code, Slot(row.weekday, row.start, row.end, row.weeks)) for row in meetings.values()]

    def lessons() -> list[Planned]:
        return [
            Planned(meetings[lesson.key], lesson.day, lesson.week, lesson.starts_at, lesson.ends_at)
            for lesson in dated(term, slots, first=first)
        ]

    return await asyncio.to_thread(lessons)  # tens of thousands


def takes_of(meeting: PlanMeeting, people: People) -> set[Taken]:
    """What a meeting takes: its teachers, rooms and classes."""
    rooms = {people.classes[code].receiving_room_code for code in meeting.class_codes} | {meeting.lead_room_code}
    return (
        {("teacher", code) for code in [meeting.lead_teacher_code, *meeting.member_codes]}
        | {("class", code) for code in meeting.class_codes}
        | {("room", code) for code in rooms if code}
    )


def rows_of(county: str, plan_id: int, lesson: Planned, people: People) -> tuple[Values, list[Values]]:
    """A new occurrence and its sides, as column values."""
    meeting = lesson.meeting
    row: Values = {
        "id": uuid.uuid4().hex,
        "county": county,
        "plan_id": plan_id,
        "meeting_code": meeting.code,
        "family": meeting.family,
        "kind": KIND_OF_FAMILY[meeting.family],
        "ref": meeting.ref,
        "title": people.titles.get(meeting.ref, ""),
        "subject": meeting.subject,
        "day": lesson.day,
        "week": lesson.week,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "lead_school_code": people.school_of_teacher[meeting.lead_teacher_code],
        "lead_teacher_code": meeting.lead_teacher_code,
        "lead_room_code": meeting.lead_room_code,
        "state": "planned",
        "shift_seconds": 0,
    }
    return row, sides_of(row, meeting.class_codes, meeting.member_codes, people)


def sides_of(
    occurrence: Values, class_codes: Sequence[str], member_codes: Sequence[str], people: People
) -> list[Values]:
    """The lead's side, one for each receiving class, one for each member, as column values."""
    lead = occurrence["lead_teacher_code"], occurrence["lead_school_code"], occurrence["lead_room_code"] or None
    sides = [_side("lead", lead[1], teacher=lead[0], room=lead[2])]
    for code in class_codes:
        attending = people.classes[code]
        sides.append(
            _side(
                "receiver",
                attending.school_code,
                school_class=code,
                room=attending.receiving_room_code,
                expected=attending.size,
            )
        )
    sides += [_side("member", people.school_of_teacher[code], teacher=code, expected=1) for code in member_codes]
    of = {"occurrence_id": occurrence["id"], "county": occurrence["county"]}
    return [{**side, **of} for side in sides]


def _side(
    side: str,
    school: str,
    *,
    school_class: str | None = None,
    teacher: str | None = None,
    room: str | None = None,
    expected: int = 0,
) -> Values:
    return {
        "id": uuid.uuid4().hex,
        "side": side,
        "school_code": school,
        "class_code": school_class,
        "teacher_code": teacher,
        "room_code": room,
        "expected": expected,
    }
