"""A plan version becomes dated lessons from a date on.

Lessons of the former version that stand unchanged in the new one keep their id (and their calendar UID); the others are removed
where nothing happened to them yet, else cancelled as superseded. What has begun is never touched. Publishing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.clock import Clock
from rooms.store import Actor, Store


@dataclass(frozen=True, slots=True)
class WeeklyChange:
    """A weekly meeting that a school sees come, go or move. `change` is ``added``, ``removed`` or ``moved``."""

    change: str
    family: str
    subject: str
    lead_teacher_code: str
    class_code: str
    """The class, or for a community the member's code."""
    before: tuple[int, int, int, int] | None
    """Weekday, start, end, weeks."""
    after: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Clash:
    """A lesson added by hand that the new version's lessons collide with."""

    occurrence_id: str
    what: str
    """teacher, room or class"""
    code: str
    day: date
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing does, or did."""

    plan_id: int
    effective_from: date
    added: int
    """Dated lessons inserted."""
    removed: int
    kept: int
    superseded: int
    """Cancelled because something had happened to them already."""
    schools: Mapping[str, tuple[WeeklyChange, ...]]
    """School code → its changes; schools without any are left out."""
    clashes: tuple[Clash, ...]


async def preview_publication(
    session: AsyncSession, clock: Clock, county: str, plan_id: int, effective_from: date
) -> Publication:
    """What publishing would do; nothing is changed. Refusals: plan_unknown."""
    raise NotImplementedError


async def publish_plan(
    store: Store,
    actor: Actor,
    clock: Clock,
    county: str,
    plan_id: int,
    effective_from: date,
    *,
    backdate: bool = False,
) -> Publication:
    """Publish a version from a date on. Only with `backdate` (demonstrations, a late start) are lessons before now inserted.

    Refusals: plan_unknown, plan_superseded, effective_outside_term.
    """
    raise NotImplementedError
