"""Dated lessons as people ask for them: one by its id, those due now, those of a day or a week.

Reading only; changes are in `rooms.planning.changes`. Views are frozen values with names filled in, ordered by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of a lesson with its names, head-counts and verdict. `side` is ``lead``, ``receiver`` or ``member``."""

    id: str
    side: str
    school_code: str
    school_name: str
    class_code: str | None
    grades: tuple[int, ...]
    teacher_code: str | None
    teacher_name: str | None
    room_code: str | None
    expected: int
    excuse_reason: str | None
    verdict: str | None
    """VALID, INVALID, EXCUSED, UNEXCUSED, UNJUDGED; None before it was judged."""
    reason: str | None
    """Code of the ``verdict`` catalogue: say ``verdict.reason_<code>``."""
    head_count: int | None


@dataclass(frozen=True, slots=True)
class OccurrenceView:
    """A dated lesson. Instants are UTC; `day`, `start` and `end` (minutes since local midnight) are the county's."""

    id: str
    county: str
    plan_id: int | None
    """None: added by hand."""
    family: str
    kind: str
    ref: str
    title: str
    subject: str
    day: date
    week: int
    start: int
    end: int
    starts_at: datetime
    ends_at: datetime
    state: str
    """planned, ready, live, ended, judged, cancelled."""
    opened_at: datetime | None
    closed_at: datetime | None
    shift_seconds: int
    cancel_reason: str | None
    cancel_note: str | None
    replaces_id: str | None
    replaced_by: tuple[str, ...]
    sides: tuple[SideView, ...]
    """The lead first, then receivers and members by school and class."""

    @property
    def lead(self) -> SideView:
        raise NotImplementedError

    @property
    def receivers(self) -> tuple[SideView, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Who:
    """Whose lessons: every given field must match. Schools and rooms match on either side, lead or receiving."""

    county: str
    schools: frozenset[str] | None = None
    teacher: str | None = None
    room: str | None = None


async def occurrence(session: AsyncSession, occurrence_id: str) -> OccurrenceView | None:
    """One lesson with all its sides, or None."""
    raise NotImplementedError


async def between(session: AsyncSession, who: Who, first: date, last: date) -> list[OccurrenceView]:
    """The lessons on the county's dates `first` to `last`, both included; cancelled ones too."""
    raise NotImplementedError


async def due_now(
    session: AsyncSession, who: Who, now: datetime, *, early: timedelta, late: timedelta = timedelta(minutes=30)
) -> list[OccurrenceView]:
    """Lessons people may enter now: live, or not ended and from `early` before the start until `late` after the end."""
    raise NotImplementedError


async def coming(session: AsyncSession, who: Who, now: datetime, *, count: int = 5) -> list[OccurrenceView]:
    """The next lessons that begin after `now`, cancelled ones left out."""
    raise NotImplementedError
