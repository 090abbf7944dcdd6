"""Where a county stands on its way from files to lessons, for the planner's first page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables
from rooms.planning.names import Names, names_of
from rooms.planning.occurrences import OccurrenceView, Who, between, coming

RUNNING = ("queued", "running", "stopping")


@dataclass(frozen=True, slots=True)
class Version:
    """A plan version in one line; `summary` is its summary.json."""

    id: int
    number: int
    state: str
    county_revision: int
    created_at: datetime
    created_by: str
    published_at: datetime | None
    effective_from: date | None
    summary: dict[str, object]
    origin: str = "run"
    previous_id: int | None = None
    hypothesis: Sequence[Mapping[str, Any]] | None = None
    """What-if: what it supposes of the county (`rooms.planning.hypothesis`, as JSON)."""

    @property
    def supposed(self) -> bool:
        """Whether it is a plan of a supposed county, which is never published."""
        return self.state == "what_if"


@dataclass(frozen=True, slots=True)
class Imported:
    """An accepted import."""

    revision: int
    file_name: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Outlook:
    """A county at a glance. Dates are the county's."""

    code: str
    name: str
    synthetic: bool
    term_start: date
    term_end: date
    today: date
    week: int
    """Term week of today; 0 before the term, beyond the last after it."""
    revision: int
    imported: Imported | None
    latest: Version | None
    published: Version | None
    run_id: int | None
    """The planning run that is going on."""
    names: Names
    lessons: tuple[OccurrenceView, ...]
    """Today's."""
    coming: tuple[OccurrenceView, ...]
    """The next ones, whatever their day."""

    @property
    def stale(self) -> bool:
        """Whether the county's files are newer than the latest plan."""
        return self.latest is not None and self.latest.county_revision < self.revision

    @property
    def step(self) -> int:
        """What comes next: 1 import, 2 plan, 3 publish, 4 teach."""
        if not self.names.schools:
            return 1
        if self.latest is None or self.stale:
            return 2
        return 4 if self.published and self.published.number >= self.latest.number else 3


@dataclass(frozen=True, slots=True)
class Term:
    """A county's name and term, for the head of every page."""

    code: str
    name: str
    synthetic: bool
    start: date
    end: date
    timezone: str
    revision: int

    def week_of(self, day: date) -> int:
        """Term week, Monday first; the first contains the term's first day."""
        monday = self.start.toordinal() - self.start.weekday()
        return (day.toordinal() - monday) // 7 + 1

    def today(self, now: datetime) -> date:
        """The county's date."""
        return now.astimezone(ZoneInfo(self.timezone)).date()


async def term_of(session: AsyncSession, code: str) -> Term | None:
    """The term of a county, or None where nothing was imported yet."""
    row = await session.get(tables.County, code)
    if row is None:
        return None
    return Term(code, row.name, row.synthetic, row.term_start, row.term_end, row.timezone, row.revision)


async def county_names(session: AsyncSession, codes: Iterable[str]) -> dict[str, str]:
    """Names of counties by code, from the tree of organisations: a county has one before its first import."""
    unit = tables.OrgUnit
    rows = await session.execute(
        select(unit.county, unit.name).where(unit.level == "county", unit.county.in_(list(codes)))
    )
    return {str(row.county): row.name for row in rows}


async def outlook(session: AsyncSession, code: str, now: datetime) -> Outlook | None:
    """The county as it stands now; None where nothing was imported yet."""
    term = await term_of(session, code)
    if term is None:
        return None
    today = term.today(now)
    return Outlook(
        code=code,
        name=term.name,
        synthetic=term.synthetic,
        term_start=term.start,
        term_end=term.end,
        today=today,
        week=max(0, term.week_of(today)),
        revision=term.revision,
        imported=next(iter(await imports_of(session, code)), None),
        latest=await _version(session, code, published=False),
        published=await _version(session, code, published=True),
        run_id=await running(session, code),
        names=await names_of(session, code),
        lessons=tuple(await between(session, Who(code), today, today)),
        coming=tuple(await coming(session, Who(code), now, count=4)),
    )


async def running(session: AsyncSession, code: str) -> int | None:
    """The planning run of a county that is going on, if any."""
    run = tables.PlanRun
    return await session.scalar(
        select(func.max(run.id)).where(run.county == code, run.state.in_(RUNNING)),
    )


async def imports_of(session: AsyncSession, code: str) -> tuple[Imported, ...]:
    """The accepted imports of a county, the newest first."""
    run = tables.ImportRun
    rows = await session.scalars(select(run).where(run.county == code).order_by(run.id.desc()))
    return tuple(Imported(row.revision, row.file_name, row.at, row.by) for row in rows)


async def _version(session: AsyncSession, code: str, *, published: bool) -> Version | None:
    plan = tables.PlanVersion
    query = select(plan).where(plan.county == code).order_by(plan.number.desc()).limit(1)
    real = plan.state == "published" if published else plan.state.not_in(("what_if", "discarded"))
    row = await session.scalar(query.where(real))
    return None if row is None else version_of(row)


def version_of(row: tables.PlanVersion) -> Version:
    """A row of plan versions as a value."""
    return Version(
        row.id, row.number, row.state, row.county_revision, row.created_at, row.created_by, row.published_at,
        row.effective_from, dict(row.summary), row.origin, row.previous_id, row.hypothesis,
    )  # fmt: skip


async def versions(session: AsyncSession, code: str) -> tuple[Version, ...]:
    """Every plan version of a county, the newest first; what-ifs too, but for discarded ones."""
    plan = tables.PlanVersion
    kept = select(plan).where(plan.county == code, plan.state != "discarded")
    rows = await session.scalars(kept.order_by(plan.number.desc()))
    return tuple(version_of(row) for row in rows)


async def version(session: AsyncSession, code: str, number: int) -> Version | None:
    """One plan version by its number."""
    plan = tables.PlanVersion
    row = await session.scalar(
        select(plan).where(plan.county == code, plan.number == number, plan.state != "discarded")
    )
    return None if row is None else version_of(row)
