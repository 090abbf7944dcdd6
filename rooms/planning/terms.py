"""The term of a county as the store knows it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.refusals import NotFound
from rooms.tables import CalendarDay, County
from scheduler.terms import SpecialDay, Term


async def load_term(session: AsyncSession, county: str) -> Term:
    """The term with its calendar. Raises `NotFound` ``county_not_found``."""
    row = await session.get(County, county)
    if row is None:
        raise NotFound("county_not_found", county=county)
    days = await session.scalars(select(CalendarDay).where(CalendarDay.county == county))
    special = {
        day.day: SpecialDay(day.kind, day.follows_weekday, day.note)  # type: ignore[arg-type] # checked on import
        for day in days
    }
    return Term(row.term_start, row.term_end, special, ZoneInfo(row.timezone))
