"""The circumstances of a county in the store, and the county that the planner sees because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables
from rooms.audit import append
from rooms.counties import load_county
from rooms.county import County
from rooms.planning.circumstances import Circumstance, misfit, with_circumstances
from rooms.refusals import Invalid
from rooms.store import Actor

Effect = Mapping[str, Any]
"""What a dated circumstance did to a lesson, as JSON: see `rooms.planning.substitutions`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A circumstance with who told it, when, and whether it was lifted."""

    id: int
    what: Circumstance
    effects: tuple[Effect, ...]
    by: str
    at: datetime
    lifted_at: datetime | None
    lifted_by: str | None

    def over(self, today: date) -> bool:
        """Whether it no longer counts: lifted, or its last day is past."""
        return self.lifted_at is not None or (self.what.until_date is not None and self.what.until_date < today)


async def recorded(session: AsyncSession, county: str) -> list[Recorded]:
    """Every circumstance of a county, the newest first."""
    table = tables.Circumstance
    rows = await session.scalars(select(table).where(table.county == county).order_by(table.id.desc()))
    return [recorded_of(row) for row in rows]


async def in_force(session: AsyncSession, county: str) -> list[Circumstance]:
    """The circumstances that were not lifted, in the order they were told; dated ones too."""
    table = tables.Circumstance
    query = select(table).where(table.county == county, table.lifted_at.is_(None)).order_by(table.id)
    return [_what(row) for row in await session.scalars(query)]


async def bell_in_force(session: AsyncSession, county: str, bell_code: str, day: date | None = None) -> str:
    """The bell table that the schools of a table follow: on a date, or (None) in the week that is planned."""
    for each in await in_force(session, county):
        if each.kind == "bell_changed" and each.code == bell_code and (day is None or each.from_date <= day):
            bell_code = each.bell_code
    return bell_code


async def load_county_in_force(session: AsyncSession, code: str) -> County:
    """The county of the files with its standing circumstances applied: what every plan is made for and judged by.

    Raises `NotFound` ``county_not_found``.
    """
    return with_circumstances(await load_county(session, code), await in_force(session, code))


async def record(
    session: AsyncSession,
    actor: Actor,
    county: County,
    what: Circumstance,
    *,
    at: datetime,
    effects: Sequence[Effect] = (),
) -> tables.Circumstance:
    """Stores a circumstance, with its audit entry, in the caller's transaction.

    `county` is the county in force before it. Raises `Invalid` with the code of `misfit`, or ``circumstance_dates``.
    """
    check_circumstance(county, what)
    values = {**asdict(what), "weekdays": sorted(what.weekdays), "effects": [dict(each) for each in effects]}
    row = tables.Circumstance(county=county.code, by=actor.name, at=at, lifted_at=None, lifted_by=None, **values)
    session.add(row)
    await session.flush()
    facts = {"kind": what.kind, "code": what.code, "from": what.from_date.isoformat(), "effects": len(effects)}
    facts["until"] = what.until_date.isoformat() if what.until_date else None
    await append(
        session, actor, "circumstance.record", f"circumstance:{row.id}", county=county.code, at=at, facts=facts
    )
    return row


def check_circumstance(county: County, what: Circumstance) -> None:
    """Raises `Invalid` with the code of `misfit`, or ``circumstance_dates`` (it ends before it begins, or outside the term)."""
    if (why := misfit(county, what)) is not None:
        raise Invalid(why, code=what.code)
    last = what.until_date or county.term_end
    if not county.term_start <= what.from_date <= last <= county.term_end:
        raise Invalid("circumstance_dates", first=county.term_start, last=county.term_end)


def recorded_of(row: tables.Circumstance) -> Recorded:
    """A row as a value."""
    return Recorded(row.id, _what(row), tuple(row.effects), row.by, row.at, row.lifted_at, row.lifted_by)


def _what(row: tables.Circumstance) -> Circumstance:
    return Circumstance(
        kind=row.kind,  # type: ignore[arg-type] # written by `record` from a CircumstanceKind
        code=row.code,
        from_date=row.from_date,
        until_date=row.until_date,
        weekdays=frozenset(row.weekdays),
        period=row.period,
        start=row.start,
        end=row.end,
        weeks=row.weeks,
        bell_code=row.bell_code,
        subject=row.subject,
        halves=row.halves,
        priority=row.priority,
        reason=row.reason,
    )
