"""The rows all figures are made of: one for each side of each lesson in a scope and a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.occurrences import standing
from rooms.tables import Occurrence, OccurrenceSide, School, Verdict


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
    spared: bool
    """Excused or cancelled before the start, and not held all the same."""
    due: bool
    """Planned, over, and not spared."""
    verdict: str | None
    reason: str | None
    late: bool
    early_leave: bool
    presence_seconds: int
    common_seconds: int
    required_seconds: int
    expected: int
    head_count: int | None

    @property
    def done(self) -> bool:
        """Held, and by the rule set in force: the side is VALID."""
        return self.verdict == "VALID"


async def schools_of(session: AsyncSession, scope: Scope) -> list[School]:
    """The schools of a scope that are still there, by code."""
    conditions: list[ColumnElement[bool]] = [School.county == scope.county, School.retired.is_(False)]
    if scope.township is not None:
        conditions.append(School.township == scope.township)
    if scope.school is not None:
        conditions.append(School.code == scope.school)
    return list(await session.scalars(select(School).where(*conditions).order_by(School.code)))


async def side_rows(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[SideRow]:
    """Every planned side in order of time; rehearsals and lessons superseded by a later plan are left out.

    A session reads a county's rows once for each period and `now`: all the figures of a page stand on the same rows.
    """
    kept: dict[tuple[str, Period, datetime], list[SideRow]] = session.info.setdefault("side_rows", {})
    key = (scope.county, period, now)
    if key not in kept:
        kept[key] = await _county_rows(session, scope.county, period, now)
    return [
        row for row in kept[key] if scope.township in (None, row.township) and scope.school in (None, row.school_code)
    ]


async def _county_rows(session: AsyncSession, county: str, period: Period, now: datetime) -> list[SideRow]:
    within = _within(county, period)
    excused = await _lead_excuses(session, within)
    found = await session.execute(
        select(*_COLUMNS)
        .join(Occurrence, Occurrence.id == OccurrenceSide.occurrence_id)
        .outerjoin(Verdict, Verdict.side_id == OccurrenceSide.id)
        .outerjoin(School, and_(School.county == OccurrenceSide.county, School.code == OccurrenceSide.school_code))
        .where(within)
        .order_by(Occurrence.starts_at, Occurrence.id, OccurrenceSide.side, OccurrenceSide.id)
    )
    return [_row(each, excused, now) for each in found]


_COLUMNS = (
    Occurrence.id.label("lesson"), OccurrenceSide.id.label("side_id"), Occurrence.day, Occurrence.week,
    Occurrence.starts_at, Occurrence.ends_at, Occurrence.family, Occurrence.kind, Occurrence.subject, Occurrence.title,
    Occurrence.state, Occurrence.cancelled_at, Occurrence.lead_school_code, Occurrence.lead_teacher_code,
    OccurrenceSide.side, OccurrenceSide.school_code, OccurrenceSide.class_code, OccurrenceSide.teacher_code,
    OccurrenceSide.room_code, OccurrenceSide.excused_at, OccurrenceSide.expected,
    School.name.label("school_name"), School.kind.label("school_kind"), School.township,
    Verdict.verdict, Verdict.reason, Verdict.late, Verdict.early_leave, Verdict.presence_seconds,
    Verdict.common_seconds, Verdict.required_seconds, Verdict.head_count,
)  # fmt: skip


def _within(county: str, period: Period) -> ColumnElement[bool]:
    return and_(
        Occurrence.county == county,
        Occurrence.day.between(period.first, period.last),
        Occurrence.kind != "rehearsal",
        standing(),
    )


async def _lead_excuses(session: AsyncSession, within: ColumnElement[bool]) -> dict[str, datetime]:
    """Lesson → when its lead was excused; the receivers of an excused lead are excused with it."""
    rows = await session.execute(
        select(OccurrenceSide.occurrence_id, OccurrenceSide.excused_at)
        .join(Occurrence, Occurrence.id == OccurrenceSide.occurrence_id)
        .where(within, OccurrenceSide.side == "lead", OccurrenceSide.excused_at.is_not(None))
    )
    return {occurrence_id: excused_at for occurrence_id, excused_at in rows if excused_at is not None}


def _row(found: Any, lead_excuses: Mapping[str, datetime], now: datetime) -> SideRow:
    excuses = (found.cancelled_at, found.excused_at, lead_excuses.get(found.lesson))
    before = any(at is not None and at <= found.starts_at for at in excuses)
    spared = before and found.verdict in (None, "UNJUDGED", "EXCUSED")  # who came after all is counted like everybody
    over = found.state in ("ended", "judged") or found.ends_at <= now
    return SideRow(
        found.lesson,
        found.side_id,
        found.day,
        found.week,
        found.starts_at,
        found.ends_at,
        found.family,
        found.kind,
        found.subject,
        found.title,
        found.state,
        found.side,
        found.school_code,
        found.school_name or found.school_code,
        found.school_kind or "",
        found.township or "",
        found.class_code,
        found.teacher_code,
        found.room_code,
        found.lead_school_code,
        found.lead_teacher_code,
        spared,
        over and not spared,
        found.verdict,
        found.reason,
        bool(found.late),
        bool(found.early_leave),
        found.presence_seconds or 0,
        found.common_seconds or 0,
        found.required_seconds or 0,
        found.expected,
        found.head_count,
    )
