"""The rows all figures are made of: one for each side of each lesson in a scope and a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Scope:
    """Part of a county: all of it, one township, or one school. A township or school is that of the row's own side."""

    county: str
    township: str | None = None
    school: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """The county's dates from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class SideRow:
    """One side of one lesson: planned, due and done or not, and why."""

    occurrence_id: str
    side_id: str
    day: date
    week: int
    starts_at: datetime
    ends_at: datetime
    family: str
    kind: str
    subject: str
    title: str
    state: str
    side: str
    """lead, receiver or member."""
    school_code: str
    school_name: str
    school_kind: str
    township: str
    class_code: str | None
    teacher_code: str | None
    """Who teaches (lead) or attends (member)."""
    room_code: str | None
    lead_school_code: str
    lead_teacher_code: str
    due: bool
    """Planned, over, and not excused before the start."""
    verdict: str | None
    reason: str | None
    late: bool
    early_leave: bool
    presence_seconds: int
    common_seconds: int
    required_seconds: int
    expected: int
    head_count: int | None


async def side_rows(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[SideRow]:
    """Every planned side in order of time; rehearsals and lessons superseded by a later plan are left out."""
    raise NotImplementedError
