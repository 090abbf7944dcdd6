"""The lessons that stand already, as light values: a term of a county has tens of thousands of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.dating import LessonKey
from rooms.planning.occurrences import standing
from rooms.tables import EvidenceEvent, Occurrence, OccurrenceSide

AT_ONCE = 500
"""Rows: the classes that this process relays go on between two lots of them."""


@dataclass(frozen=True, slots=True)
class StandingLesson:
    """A lesson of an earlier plan version. `touched`: there is evidence of it, an excuse, or a make-up lesson for it."""

    id: str
    plan_id: int
    meeting_code: str | None
    state: str
    starts_at: datetime
    key: LessonKey
    touched: bool


async def standing_lessons(session: AsyncSession, county: str, first: date) -> list[StandingLesson]:
    """The lessons of plan versions from a date on, of any state, in order of time; what was superseded is left out."""
    condition = and_(Occurrence.county == county, Occurrence.day >= first, Occurrence.plan_id.is_not(None), standing())
    classes: dict[str, list[str]] = {}
    members: dict[str, list[str]] = {}
    touched = await _touched(session, county, first)
    sides = await session.stream(
        select(
            OccurrenceSide.occurrence_id,
            OccurrenceSide.side,
            OccurrenceSide.class_code,
            OccurrenceSide.teacher_code,
            OccurrenceSide.excuse_reason,
        ).where(OccurrenceSide.occurrence_id.in_(select(Occurrence.id).where(condition)))
    )
    async for some in sides.partitions(AT_ONCE):
        for occurrence_id, side, class_code, teacher_code, excuse in some:
            if class_code:
                classes.setdefault(occurrence_id, []).append(class_code)
            if side == "member" and teacher_code:
                members.setdefault(occurrence_id, []).append(teacher_code)
            if excuse:
                touched.add(occurrence_id)
    rows = await session.stream(
        select(
            Occurrence.id,
            Occurrence.plan_id,
            Occurrence.meeting_code,
            Occurrence.state,
            Occurrence.family,
            Occurrence.ref,
            Occurrence.subject,
            Occurrence.starts_at,
            Occurrence.ends_at,
            Occurrence.lead_teacher_code,
            Occurrence.lead_room_code,
        )
        .where(condition)
        .order_by(Occurrence.starts_at, Occurrence.id)
    )
    found: list[StandingLesson] = []
    async for part in rows.partitions(AT_ONCE):
        for lesson, plan_id, code, state, family, ref, subject, starts_at, ends_at, teacher, room in part:
            attend = (tuple(sorted(each.get(lesson, ()))) for each in (classes, members))
            key = (family, ref, subject, starts_at, ends_at, teacher, room, *attend)
            found.append(StandingLesson(lesson, plan_id or 0, code, state, starts_at, key, lesson in touched))
    return found


async def _touched(session: AsyncSession, county: str, first: date) -> set[str]:
    of_county = select(Occurrence.id).where(Occurrence.county == county, Occurrence.day >= first)
    seen = await session.scalars(
        select(EvidenceEvent.occurrence_id).where(EvidenceEvent.occurrence_id.in_(of_county)).distinct()
    )
    replaced = await session.scalars(select(Occurrence.replaces_id).where(Occurrence.replaces_id.in_(of_county)))
    return {*seen, *(row for row in replaced if row)}
