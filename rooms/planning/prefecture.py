"""How planning stands in many counties at once: one row for each, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.outlook import county_names
from rooms.planning.runs import RunView, view_of
from rooms.tables import County, PlanRun, PlanVersion


@dataclass(frozen=True, slots=True)
class CountyStand:
    """A county and its latest planning run."""

    code: str
    name: str
    imported: bool
    """Whether it has files to plan from."""
    run: RunView | None
    version: int | None
    """Number of the version that the run made."""
    published: int | None
    """Number of the version that is taught by."""


async def prefecture(session: AsyncSession, counties: Collection[str]) -> list[CountyStand]:
    """The counties in order of their codes."""
    codes = sorted(counties)
    names = await county_names(session, codes)
    imported = set(await session.scalars(select(County.code).where(County.code.in_(codes))))
    real = func.coalesce(cast(PlanRun.hypothesis, Text), "null") == "null"  # what-ifs are nobody's plan
    newest = select(func.max(PlanRun.id)).where(PlanRun.county.in_(codes), real).group_by(PlanRun.county)
    runs = {row.county: view_of(row) for row in await session.scalars(select(PlanRun).where(PlanRun.id.in_(newest)))}
    made = [run.plan_id for run in runs.values() if run.plan_id is not None]
    numbers = await session.execute(select(PlanVersion.id, PlanVersion.number).where(PlanVersion.id.in_(made)))
    number_of = {row.id: row.number for row in numbers}
    standing = await session.execute(
        select(PlanVersion.county, func.max(PlanVersion.number).label("number"))
        .where(PlanVersion.county.in_(codes), PlanVersion.state == "published")
        .group_by(PlanVersion.county)
    )
    published = {row.county: row.number for row in standing}
    return [
        CountyStand(
            code=code,
            name=names.get(code, code),
            imported=code in imported,
            run=(run := runs.get(code)),
            version=number_of.get(run.plan_id) if run is not None and run.plan_id is not None else None,
            published=published.get(code),
        )
        for code in codes
    ]
