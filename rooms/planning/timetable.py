"""The week of a school, a teacher or a room: local lessons and remote meetings, in the school's own periods and to the minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.occurrences import OccurrenceView


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
    """The periods a window touches, with the minutes it takes of each."""
    raise NotImplementedError


async def school_week(session: AsyncSession, county: str, school_code: str, any_day: date) -> WeekView | None:
    """The week that contains `any_day` at a school; None where there is no such school."""
    raise NotImplementedError


async def teacher_week(session: AsyncSession, county: str, teacher_code: str, any_day: date) -> WeekView | None:
    """The same for a teacher: own local lessons, lessons led, communities attended."""
    raise NotImplementedError


async def room_week(session: AsyncSession, county: str, room_code: str, any_day: date) -> WeekView | None:
    """The same for a room."""
    raise NotImplementedError
