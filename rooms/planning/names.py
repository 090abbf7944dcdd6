"""Names behind the codes of a county's files, for whoever shows a plan or a lesson to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables
from rooms.planning.circumstance_rows import bell_in_force
from rooms.planning.timetable import Period


@dataclass(frozen=True, slots=True)
class SchoolName:
    code: str
    name: str
    kind: str
    role: str
    township: str
    bell_code: str
    retired: bool

    @property
    def leads(self) -> bool:
        return self.role in ("lead", "both") and not self.retired

    @property
    def receives(self) -> bool:
        return self.role in ("receive", "both") and not self.retired


@dataclass(frozen=True, slots=True)
class TeacherName:
    code: str
    name: str
    school_code: str
    subjects: tuple[str, ...]
    title: str
    retired: bool


@dataclass(frozen=True, slots=True)
class ClassName:
    code: str
    school_code: str
    grades: tuple[int, ...]
    size: int
    retired: bool


@dataclass(frozen=True, slots=True)
class RoomName:
    code: str
    school_code: str
    kind: str
    can_lead: bool
    level: str
    custodian_name: str
    custodian_phone: str
    retired: bool


@dataclass(frozen=True)
class Names:
    """Everything of a county that has a name, by code. A code that is not there any more is shown as it stands."""

    schools: Mapping[str, SchoolName] = field(default_factory=dict)
    teachers: Mapping[str, TeacherName] = field(default_factory=dict)
    classes: Mapping[str, ClassName] = field(default_factory=dict)
    rooms: Mapping[str, RoomName] = field(default_factory=dict)
    communities: Mapping[str, str] = field(default_factory=dict)
    courses: Mapping[str, str] = field(default_factory=dict)

    def school(self, code: str) -> str:
        """Name of a school."""
        return self.schools[code].name if code in self.schools else code

    def teacher(self, code: str) -> str:
        """Name of a teacher."""
        return self.teachers[code].name if code in self.teachers else code

    def school_of_teacher(self, code: str) -> str:
        """Code of a teacher's school, or nothing."""
        return self.teachers[code].school_code if code in self.teachers else ""

    def school_of_class(self, code: str) -> str:
        """Code of a class's school, or nothing."""
        return self.classes[code].school_code if code in self.classes else ""

    def grades(self, code: str) -> tuple[int, ...]:
        """Grades of a class."""
        return self.classes[code].grades if code in self.classes else ()

    def activity(self, ref: str) -> str:
        """Name of a community, or title of a network course."""
        return self.communities.get(ref) or self.courses.get(ref) or ref


async def names_of(session: AsyncSession, county: str) -> Names:
    """The names of a county, those of retired rows included, for lessons already held keep them."""
    school, teacher, group, room = tables.School, tables.Teacher, tables.SchoolClass, tables.Room
    schools = await session.scalars(select(school).where(school.county == county).order_by(school.code))
    teachers = await session.scalars(select(teacher).where(teacher.county == county).order_by(teacher.code))
    classes = await session.scalars(select(group).where(group.county == county).order_by(group.code))
    rooms = await session.scalars(select(room).where(room.county == county).order_by(room.code))
    return Names(
        {row.code: _school(row) for row in schools},
        {row.code: _teacher(row) for row in teachers},
        {row.code: _class(row) for row in classes},
        {row.code: _room(row) for row in rooms},
        await _communities(session, county),
        await _courses(session, county),
    )


async def _communities(session: AsyncSession, county: str) -> dict[str, str]:
    table = tables.Community
    rows = await session.execute(select(table.code, table.name).where(table.county == county).order_by(table.code))
    return {row.code: row.name for row in rows}


async def _courses(session: AsyncSession, county: str) -> dict[str, str]:
    table = tables.NetworkCourse
    rows = await session.execute(select(table.code, table.title).where(table.county == county).order_by(table.code))
    return {row.code: row.title for row in rows}


def _school(row: tables.School) -> SchoolName:
    return SchoolName(row.code, row.name, row.kind, row.role, row.township, row.bell_code, row.retired)


def _teacher(row: tables.Teacher) -> TeacherName:
    return TeacherName(row.code, row.name, row.school_code, tuple(sorted(row.subjects)), row.title, row.retired)


def _class(row: tables.SchoolClass) -> ClassName:
    return ClassName(row.code, row.school_code, tuple(sorted(row.grades)), row.size, row.retired)


def _room(row: tables.Room) -> RoomName:
    return RoomName(
        row.code, row.school_code, row.kind, row.can_lead, row.level, row.custodian_name, row.custodian_phone,
        row.retired,
    )  # fmt: skip


async def periods_of(session: AsyncSession, county: str, school: str) -> Mapping[int, tuple[Period, ...]]:
    """The teaching periods of a school by weekday, in the week that is planned; none for a code that is no school."""
    bell = tables.Bell
    owner = await session.get(tables.School, (county, school))
    if owner is None:
        return {}
    followed = await bell_in_force(session, county, owner.bell_code)
    query = select(bell).where(bell.county == county, bell.bell_code == followed).order_by(bell.weekday, bell.start)
    found: dict[int, tuple[Period, ...]] = {}
    for row in await session.scalars(query):
        found[row.weekday] = (*found.get(row.weekday, ()), Period(row.period, row.start, row.end, row.label))
    return found
