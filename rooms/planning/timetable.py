"""The week of a school, a teacher or a room: local lessons and remote meetings, in the school's own periods and to the minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.circumstance_rows import bell_in_force
from rooms.planning.occurrences import OccurrenceView, Who, between
from rooms.planning.terms import load_term
from rooms.tables import Bell, LocalLesson, Room, School, Teacher
from scheduler.terms import Term, parity


@dataclass(frozen=True, slots=True)
class Period:
    """A teaching period of a bell table on one day; minutes since midnight."""

    name: str
    start: int
    end: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What a window takes of one period; `whole` where it covers it."""

    period: Period
    start: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True)
class LocalEntry:
    """A local lesson on a day."""

    row: int
    period: str
    start: int
    end: int
    subject: str
    class_codes: tuple[str, ...]
    teacher_code: str | None
    teacher_name: str | None
    room_code: str | None


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """A remote lesson on a day, as the school meets it. `role` is ``lead``, ``receiver`` or ``member``."""

    occurrence: OccurrenceView
    role: str
    class_codes: tuple[str, ...]
    """This school's classes that attend; empty where it leads."""
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class DayView:
    day: date
    kind: str
    """school, weekend, holiday, makeup, exam, closed, outside (of the term)."""
    taught_as: int | None
    """Weekday whose timetable holds; None where there is none."""
    note: str
    periods: tuple[Period, ...]
    local: tuple[LocalEntry, ...]
    remote: tuple[RemoteEntry, ...]


@dataclass(frozen=True, slots=True)
class WeekView:
    county: str
    title: str
    """Name of the school, teacher or room."""
    week: int
    """Term week; 0 or less before the term."""
    monday: date
    days: tuple[DayView, ...]
    """Monday to Sunday; a weekend day without anything on it is left out."""


def parts(start: int, end: int, periods: Sequence[Period]) -> tuple[Part, ...]:
    """The periods a window touches, with the minutes it takes of each; minutes in a break belong to none."""
    found: list[Part] = []
    for period in sorted(periods, key=lambda period: period.start):
        first, last = max(start, period.start), min(end, period.end)
        if first < last:
            found.append(Part(period, first, last, (first, last) == (period.start, period.end)))
    return tuple(found)


async def school_week(session: AsyncSession, county: str, school_code: str, any_day: date) -> WeekView | None:
    """The week that contains `any_day` at a school; None where there is no such school."""
    school = await session.get(School, (county, school_code))
    if school is None:
        return None
    who = Who(county, schools=frozenset([school_code]))
    return await _week(session, school, school.name, who, any_day, lambda lesson: True)


async def teacher_week(session: AsyncSession, county: str, teacher_code: str, any_day: date) -> WeekView | None:
    """The same for a teacher: own local lessons, lessons led, communities attended."""
    teacher = await session.get(Teacher, (county, teacher_code))
    school = await session.get(School, (county, teacher.school_code)) if teacher else None
    if teacher is None or school is None:
        return None
    who = Who(county, teacher=teacher_code)
    return await _week(session, school, teacher.name, who, any_day, lambda row: row.teacher_code == teacher_code)


async def room_week(session: AsyncSession, county: str, room_code: str, any_day: date) -> WeekView | None:
    """The same for a room."""
    room = await session.get(Room, (county, room_code))
    school = await session.get(School, (county, room.school_code)) if room else None
    if room is None or school is None:
        return None
    who = Who(county, room=room_code)
    return await _week(session, school, room_code, who, any_day, lambda row: row.room_code == room_code)


@dataclass(frozen=True)
class _Grid:
    """What a school has every week."""

    term: Term
    school_code: str
    periods: dict[int, tuple[Period, ...]]
    """Weekday → its teaching periods."""
    lessons: Sequence[LocalLesson]
    teachers: dict[str, str]


async def _week(
    session: AsyncSession, school: School, title: str, who: Who, any_day: date, wanted: Callable[[LocalLesson], bool]
) -> WeekView:
    term = await load_term(session, school.county)
    week = term.week(any_day)
    monday = term.monday(week)
    grid = await _grid(session, term, school, monday, wanted)
    lessons = await between(session, who, monday, monday + timedelta(days=6))
    days = [_day(grid, day, [each for each in lessons if each.day == day], who) for day in _seven(monday)]
    shown = [day for day in days if day.day.isoweekday() <= 5 or day.local or day.remote or day.kind != "weekend"]
    return WeekView(school.county, title, week, monday, tuple(shown))


async def _grid(
    session: AsyncSession, term: Term, school: School, monday: date, wanted: Callable[[LocalLesson], bool]
) -> _Grid:
    followed = await bell_in_force(session, school.county, school.bell_code, monday)
    bells = await session.scalars(
        select(Bell).where(Bell.county == school.county, Bell.bell_code == followed).order_by(Bell.weekday, Bell.start)
    )
    periods: dict[int, tuple[Period, ...]] = {}
    for bell in bells:
        periods[bell.weekday] = (*periods.get(bell.weekday, ()), Period(bell.period, bell.start, bell.end, bell.label))
    lessons = await session.scalars(
        select(LocalLesson)
        .where(LocalLesson.county == school.county, LocalLesson.school_code == school.code)
        .order_by(LocalLesson.row)
    )
    teachers = await session.execute(
        select(Teacher.code, Teacher.name).where(Teacher.county == school.county, Teacher.school_code == school.code)
    )
    return _Grid(term, school.code, periods, [row for row in lessons if wanted(row)], dict(teachers.all()))


def _seven(monday: date) -> list[date]:
    return [monday + timedelta(days=number) for number in range(7)]


def _day(grid: _Grid, day: date, lessons: Sequence[OccurrenceView], who: Who) -> DayView:
    weekday = grid.term.taught_as(day)
    periods = grid.periods.get(weekday or day.isoweekday(), ())
    special = grid.term.special.get(day)
    return DayView(
        day,
        _kind(grid.term, day),
        weekday if grid.periods.get(weekday or 0) else None,
        special.note if special else "",
        periods,
        _local(grid, weekday, grid.term.week(day), periods) if weekday else (),
        tuple(_remote(grid, lesson, periods, who) for lesson in lessons),
    )


def _kind(term: Term, day: date) -> str:
    if not term.first <= day <= term.last:
        return "outside"
    if day in term.special:
        return term.special[day].kind
    return "school" if day.isoweekday() <= 5 else "weekend"


def _local(grid: _Grid, weekday: int, week: int, periods: Sequence[Period]) -> tuple[LocalEntry, ...]:
    windows = {period.name: period for period in periods}
    found = [
        LocalEntry(
            row.row,
            row.period,
            windows[row.period].start,
            windows[row.period].end,
            row.subject,
            tuple(row.class_codes),
            row.teacher_code,
            grid.teachers.get(row.teacher_code or ""),
            row.room_code,
        )
        for row in grid.lessons
        if row.weekday == weekday and row.weeks & parity(week) and row.period in windows
    ]
    return tuple(sorted(found, key=lambda entry: (entry.start, entry.row)))


def _remote(grid: _Grid, lesson: OccurrenceView, periods: Sequence[Period], who: Who) -> RemoteEntry:
    """A remote lesson as this school, teacher or room meets it: on the side that is theirs, the lead's first."""
    own = [
        side
        for side in lesson.sides
        if side.school_code == grid.school_code
        and who.teacher in (None, side.teacher_code)
        and who.room in (None, side.room_code)
    ]
    role = own[0].side if own else "receiver"
    classes = tuple(side.class_code for side in own if side.class_code)
    return RemoteEntry(lesson, role, classes, parts(lesson.start, lesson.end, periods))
