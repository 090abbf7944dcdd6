"""The rows all figures are made of: one for each side of each lesson in a scope and a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

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
    """Every planned side in order of time; rehearsals and lessons superseded by a later plan are left out."""
    within = _within(scope.county, period)
    excused = await _lead_excuses(session, within)
    wanted = [within]
    if scope.township is not None:
        wanted.append(School.township == scope.township)
    if scope.school is not None:
        wanted.append(OccurrenceSide.school_code == scope.school)
    found = await session.execute(
        select(OccurrenceSide, Occurrence, Verdict, School.name, School.kind, School.township)
        .join(Occurrence, Occurrence.id == OccurrenceSide.occurrence_id)
        .outerjoin(Verdict, Verdict.side_id == OccurrenceSide.id)
        .outerjoin(School, and_(School.county == OccurrenceSide.county, School.code == OccurrenceSide.school_code))
        .where(*wanted)
        .order_by(Occurrence.starts_at, Occurrence.id, OccurrenceSide.side, OccurrenceSide.id)
    )
    return [
        _row(side, lesson, verdict, (name or side.school_code, kind or "", township or ""), excused, now)
        for side, lesson, verdict, name, kind, township in found
    ]


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


def _row(
    side: OccurrenceSide,
    lesson: Occurrence,
    verdict: Verdict | None,
    school: tuple[str, str, str],
    lead_excuses: Mapping[str, datetime],
    now: datetime,
) -> SideRow:
    name, kind, township = school
    excuses = (lesson.cancelled_at, side.excused_at, lead_excuses.get(lesson.id))
    before = any(at is not None and at <= lesson.starts_at for at in excuses)
    over = lesson.state in ("ended", "judged") or lesson.ends_at <= now
    return SideRow(
        lesson.id,
        side.id,
        lesson.day,
        lesson.week,
        lesson.starts_at,
        lesson.ends_at,
        lesson.family,
        lesson.kind,
        lesson.subject,
        lesson.title,
        lesson.state,
        side.side,
        side.school_code,
        name,
        kind,
        township,
        side.class_code,
        side.teacher_code,
        side.room_code,
        lesson.lead_school_code,
        lesson.lead_teacher_code,
        over and not before,
        verdict.verdict if verdict else None,
        verdict.reason if verdict else None,
        verdict.late if verdict else False,
        verdict.early_leave if verdict else False,
        verdict.presence_seconds if verdict else 0,
        verdict.common_seconds if verdict else 0,
        verdict.required_seconds if verdict else 0,
        side.expected,
        verdict.head_count if verdict else None,
    )
