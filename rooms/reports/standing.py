"""How schools and classes stand: the R2 quota of each school, the weekly hours of each class and subject, who takes part at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.reports.rows import Period, Scope, SideRow


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """R2 (and R13, printed twice): valid remote lessons of a school this term, once per school and lesson."""

    school_code: str
    school_name: str
    school_kind: str
    ranked: bool
    """Teaching points are not ranked; their lessons are credited to their central school too."""
    count: int
    target: int
    points: int
    """0, 100, 105, 110, 115 or 120."""
    needed: int
    """Lessons still missing."""
    by_week: int
    """Last term week with school days."""
    planned_left: int
    """Remote lessons of the school still to come this term."""
    outlook: str
    """met, on_course, at_risk, missed."""
    occurrence_ids: tuple[str, ...]
    """The lessons that count; as many as `count`."""


@dataclass(frozen=True, slots=True)
class CoverageLine:
    """Weekly hours of a class in a subject. Lessons a week as exact fractions; see `rooms.coverage`."""

    school_code: str
    school_name: str
    class_code: str
    grades: tuple[int, ...]
    subject: str
    required: Fraction
    local: Fraction
    received: Fraction
    """Valid received lessons ÷ weeks counted."""
    missing: Fraction
    offered: bool
    """开齐: taught locally or received at all."""
    complete: bool
    """开足: hours met."""
    occurrence_ids: tuple[str, ...]
    """The valid lessons received."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A line of an exception list, with whom to call."""

    kind: str
    """not_opened, not_received, never_scheduled, quota_at_risk, no_custodian. Say ``verdict.exception_<kind>``."""
    school_code: str
    school_name: str
    contact_name: str
    contact_phone: str
    detail: str
    """Class, room or lesson concerned; empty where the school itself is meant."""
    occurrence_id: str | None


async def quota_table(session: AsyncSession, scope: Scope, now: datetime) -> list[QuotaLine]:
    """R2 of every school in the scope that leads or receives, over the county's whole term."""
    raise NotImplementedError


async def quota_rows(session: AsyncSession, county: str, school_code: str, now: datetime) -> list[SideRow]:
    """One row for each lesson that counts in a school's R2, the side that made it count."""
    raise NotImplementedError


async def coverage_table(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[CoverageLine]:
    """Weekly hours of every class and subject of the curriculum plan in the scope."""
    raise NotImplementedError


async def exceptions(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[Concern]:
    """The lists a bureau calls about, worst first."""
    raise NotImplementedError
