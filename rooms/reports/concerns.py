"""Exception lists: what a bureau calls a school about, with whom to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.reports.quotas import quota_table
from rooms.reports.rows import Period, Scope, SideRow, schools_of, side_rows
from rooms.tables import Room, School

KINDS = ("not_opened", "not_received", "never_scheduled", "quota_at_risk", "no_custodian")
"""In the order in which they are listed; say ``verdict.exception_<kind>``."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A line of an exception list, with whom to call."""

    kind: str
    school_code: str
    school_name: str
    contact_name: str
    contact_phone: str
    detail: str
    """Class, room or subject concerned; for the quota how many lessons are missing; empty where the school itself is meant."""
    occurrence_id: str | None
    day: str
    """ISO date of the lesson, or empty."""


async def exceptions(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[Concern]:
    """The lists a bureau calls about, in the order of `KINDS`, the newest lesson first."""
    schools = {school.code: school for school in await schools_of(session, scope)}
    rows = await side_rows(session, scope, period, now)
    found = [
        *_of_lessons("not_opened", schools, (row for row in rows if row.side == "lead" and _failed(row))),
        *_of_lessons("not_received", schools, (row for row in rows if row.side != "lead" and _failed(row))),
    ]
    scheduled = {row.school_code for row in rows}
    found += [
        _concern("never_scheduled", school)
        for school in schools.values()
        if school.role in ("receive", "both") and school.code not in scheduled
    ]
    found += [
        _concern("quota_at_risk", schools[line.school_code], str(line.needed))
        for line in await quota_table(session, scope, now)
        if line.ranked and line.outlook in ("at_risk", "missed")
    ]
    rooms = await session.scalars(
        select(Room)
        .where(Room.county == scope.county, Room.custodian_name == "", Room.retired.is_(False))
        .order_by(Room.school_code, Room.code)
    )
    found += [_concern("no_custodian", schools[room.school_code], room.code) for room in rows_in(rooms, schools)]
    return found


def rows_in(rooms: Iterable[Room], schools: dict[str, School]) -> list[Room]:
    """The rooms of some schools."""
    return [room for room in rooms if room.school_code in schools]


def _failed(row: SideRow) -> bool:
    return row.due and row.verdict in ("INVALID", "UNEXCUSED")


def _of_lessons(kind: str, schools: dict[str, School], rows: Iterable[SideRow]) -> list[Concern]:
    newest = sorted(rows, key=lambda row: row.starts_at, reverse=True)
    return [
        _concern(kind, schools[row.school_code], row.class_code or row.subject, row)
        for row in newest
        if row.school_code in schools
    ]


def _concern(kind: str, school: School, detail: str = "", row: SideRow | None = None) -> Concern:
    return Concern(
        kind,
        school.code,
        school.name,
        school.contact_name,
        school.contact_phone,
        detail,
        row.occurrence_id if row else None,
        row.day.isoformat() if row else "",
    )
