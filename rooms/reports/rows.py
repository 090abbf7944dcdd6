"""The rows all figures are made of: one for each side of each lesson in a scope and a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.occurrences import standing
from rooms.tables import Occurrence, OccurrenceSide, School, Verdict

AT_ONCE = 500
"""A term of a county has a hundred thousand sides: the classes that this process relays go on between two lots of them."""


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


class SideRow(NamedTuple):
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

    A session reads them once for each scope, period and `now`: all the figures of a page stand on the same rows.
    """
    kept: dict[tuple[Scope, Period, datetime], list[SideRow]] = session.info.setdefault("side_rows", {})
    for key in ((scope, period, now), (Scope(scope.county), period, now)):
        if key in kept:
            return [
                row
                for row in kept[key]
                if scope.township in (None, row.township) and scope.school in (None, row.school_code)
            ]
    kept[scope, period, now] = rows = await _read(session, scope, period, now)
    return list(rows)


async def _read(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[SideRow]:
    within = _within(scope.county, period)
    excused = await _lead_excuses(session, within)
    found = await session.stream(
        select(*_COLUMNS)
        .join(Occurrence, Occurrence.id == OccurrenceSide.occurrence_id)
        .outerjoin(Verdict, Verdict.side_id == OccurrenceSide.id)
        .outerjoin(School, and_(School.county == OccurrenceSide.county, School.code == OccurrenceSide.school_code))
        .where(
            within,
            true() if scope.township is None else School.township == scope.township,
            true() if scope.school is None else OccurrenceSide.school_code == scope.school,
        )
        .order_by(Occurrence.starts_at, Occurrence.id, OccurrenceSide.side, OccurrenceSide.id)
    )
    rows: list[SideRow] = []
    async for some in found.partitions(AT_ONCE):
        rows += [_row(tuple(each), excused, now) for each in some]
    return rows


_COLUMNS = (
    Occurrence.id, OccurrenceSide.id, Occurrence.day, Occurrence.week, Occurrence.starts_at, Occurrence.ends_at,
    Occurrence.family, Occurrence.kind, Occurrence.subject, Occurrence.title, Occurrence.state, OccurrenceSide.side,
    OccurrenceSide.school_code, OccurrenceSide.class_code, OccurrenceSide.teacher_code, OccurrenceSide.room_code,
    Occurrence.lead_school_code, Occurrence.lead_teacher_code, OccurrenceSide.expected,
    School.name, School.kind, School.township,
    Verdict.verdict, Verdict.reason, Verdict.late, Verdict.early_leave, Verdict.presence_seconds,
    Verdict.common_seconds, Verdict.required_seconds, Verdict.head_count,
    Occurrence.cancelled_at, OccurrenceSide.excused_at,
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


def _row(found: Sequence[Any], lead_excuses: Mapping[str, datetime], now: datetime) -> SideRow:
    """From a row's values, in the order of `_COLUMNS`: by their names it takes twice the time."""
    (
        lesson, side_id, day, week, starts_at, ends_at, family, kind, subject, title, state, side, school_code, class_code,
        teacher_code, room_code, lead_school_code, lead_teacher_code, expected, school_name, school_kind, township,
        verdict, reason, late, early_leave, presence, common, required, head_count, cancelled_at, excused_at,
    ) = found  # fmt: skip
    excuses = (cancelled_at, excused_at, lead_excuses.get(lesson))
    before = any(at is not None and at <= starts_at for at in excuses)
    spared = before and verdict in (None, "UNJUDGED", "EXCUSED")  # who came after all is counted like everybody
    due = (state in ("ended", "judged") or ends_at <= now) and not spared
    return SideRow(
        lesson, side_id, day, week, starts_at, ends_at, family, kind, subject, title, state, side, school_code,
        school_name or school_code, school_kind or "", township or "", class_code, teacher_code, room_code,
        lead_school_code, lead_teacher_code, spared, due, verdict, reason, bool(late), bool(early_leave), presence or 0,
        common or 0, required or 0, expected, head_count,
    )  # fmt: skip
