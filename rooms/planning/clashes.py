"""Who and what would have to be in two dated lessons at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.tables import Occurrence, OccurrenceSide

Taken = tuple[str, str]
"""``teacher``, ``room`` or ``class``, and its code."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A lesson that stands, and what of it is wanted at the same time."""

    occurrence_id: str
    what: str
    """teacher, room or class"""
    code: str
    day: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """A lesson that stands, with everything it takes."""

    occurrence_id: str
    day: date
    starts_at: datetime
    ends_at: datetime
    taken: frozenset[Taken]


def taken_by(sides: Iterable[OccurrenceSide]) -> frozenset[Taken]:
    """The teachers, rooms and classes of a lesson's sides."""
    return frozenset(
        (what, code)
        for side in sides
        for what, code in (("teacher", side.teacher_code), ("room", side.room_code), ("class", side.class_code))
        if code
    )


def clashes(
    starts_at: datetime, ends_at: datetime, taken: Iterable[Taken], standing: Sequence[Engagement]
) -> list[Clash]:
    """Where a lesson wants what a standing one takes, in a common minute."""
    wanted = frozenset(taken)
    return [
        Clash(other.occurrence_id, what, code, other.day, other.starts_at, other.ends_at)
        for other in standing
        if other.starts_at < ends_at and starts_at < other.ends_at
        for what, code in sorted(wanted & other.taken)
    ]


async def engagements(session: AsyncSession, condition: ColumnElement[bool]) -> list[Engagement]:
    """The lessons that meet a condition on `Occurrence` and are not cancelled, in order of time."""
    meets = (condition, Occurrence.state != "cancelled")
    lessons = await session.scalars(select(Occurrence).where(*meets).order_by(Occurrence.starts_at, Occurrence.id))
    sides: dict[str, list[OccurrenceSide]] = {}
    for side in await session.scalars(
        select(OccurrenceSide).where(OccurrenceSide.occurrence_id.in_(select(Occurrence.id).where(*meets)))
    ):
        sides.setdefault(side.occurrence_id, []).append(side)
    return [
        Engagement(lesson.id, lesson.day, lesson.starts_at, lesson.ends_at, taken_by(sides.get(lesson.id, ())))
        for lesson in lessons
    ]
