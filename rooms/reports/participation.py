"""Who takes part at all: school by subject, blanks shown; teaching points and the classes they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.reports.rows import Period, Scope, SideRow, schools_of, side_rows
from rooms.tables import School, SchoolClass


@dataclass(frozen=True, slots=True)
class Participation:
    """A school and a subject: planned and valid sides as lead and as receiver; all 0 is a blank to ask about."""

    school_code: str
    school_name: str
    school_kind: str
    subject: str
    planned_lead: int
    done_lead: int
    planned_receive: int
    done_receive: int
    occurrence_ids: tuple[str, ...]
    """The lessons with a valid side of this school."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many teaching points, classes and pupils of a scope were served by at least one valid lesson."""

    points: int
    points_served: int
    classes: int
    classes_served: int
    pupils: int
    pupils_served: int


async def participation(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[Participation]:
    """One line for each school of the scope and each subject that anybody in the county has planned."""
    schools = await schools_of(session, scope)
    return await asyncio.to_thread(_lines, schools, await side_rows(session, Scope(scope.county), period, now))


def _lines(schools: Iterable[School], rows: Sequence[SideRow]) -> list[Participation]:
    subjects = sorted({row.subject for row in rows})
    by_cell: dict[tuple[str, str], list[SideRow]] = {}
    for row in rows:
        by_cell.setdefault((row.school_code, row.subject), []).append(row)
    lines: list[Participation] = []
    for school in schools:
        for subject in subjects:
            own = by_cell.get((school.code, subject), [])
            lead, other = [r for r in own if r.side == "lead"], [r for r in own if r.side != "lead"]
            lines.append(
                Participation(
                    school.code,
                    school.name,
                    school.kind,
                    subject,
                    len(lead),
                    sum(row.done for row in lead),
                    len(other),
                    sum(row.done for row in other),
                    tuple(dict.fromkeys(row.occurrence_id for row in own if row.done)),
                )
            )
    return lines


async def reach(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> Reach:
    """How far the lessons reach: teaching points, classes of schools that receive, and their pupils."""
    schools = {school.code: school for school in await schools_of(session, scope)}
    classes = [
        row
        for row in await session.scalars(
            select(SchoolClass).where(SchoolClass.county == scope.county, SchoolClass.retired.is_(False))
        )
        if row.school_code in schools and schools[row.school_code].role in ("receive", "both")
    ]
    served = {
        row.class_code for row in await side_rows(session, scope, period, now) if row.done and row.side == "receiver"
    }
    there = [row for row in classes if row.code in served]
    points = {code for code, school in schools.items() if school.kind == "teaching_point"}
    return Reach(
        len(points),
        len({row.school_code for row in there} & points),
        len(classes),
        len(there),
        sum(row.size for row in classes),
        sum(row.size for row in there),
    )
