"""Two dated lessons change hours (互换): both are judged at the other's hour, with everybody they take, before anything is changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.changes import add_in, cancel_in
from rooms.planning.cover import Obstacle, bells_allow, obstacle
from rooms.planning.diary import Booking, Diary, booking_of
from rooms.planning.occurrences import OccurrenceView, occurrence
from rooms.planning.substitutions import instead_of, load_ground, open_diary
from rooms.planning.turns import take_turn
from rooms.refusals import Conflict, NotFound
from rooms.store import Actor, Store

NEAR = timedelta(days=13)
"""How far from a lesson its partners are looked for: this week and the next."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A lesson to swap with, and what stands against it on either side; nothing where both fit."""

    lesson: OccurrenceView
    obstacles: tuple[Obstacle, ...]


def swap_obstacles(diary: Diary, one: OccurrenceView, other: OccurrenceView) -> tuple[Obstacle, ...]:
    """What stands against two lessons changing hours: the first thing on each side."""
    pairs = ((one, other), (other, one))
    found = [
        Obstacle("period", "school", mine.lead.school_code)
        for mine, theirs in pairs
        if not bells_allow(diary, mine, theirs.day, (theirs.start, theirs.end))
    ]
    if found:
        return tuple(found)
    wanted = [_at(mine, theirs) for mine, theirs in pairs]
    for mine, _ in pairs:
        diary.drop(mine.day, mine.id)
    for place in (0, 1):
        beside = wanted[1 - place]
        diary.add(beside)  # they may fill one teacher's day together
        if against := obstacle(diary, wanted[place]):
            found.append(against)
        diary.drop(beside.day, beside.occurrence)
    for mine, _ in pairs:
        diary.add(booking_of(mine))
    return tuple(found)


def _at(mine: OccurrenceView, theirs: OccurrenceView) -> Booking:
    moved = f"swapped {mine.id}"
    return replace(booking_of(mine), occurrence=moved, day=theirs.day, start=theirs.start, end=theirs.end)


async def partners(session: AsyncSession, clock: Clock, county: str, lesson_id: str) -> list[Partner]:
    """The lessons of this week and the next that a lesson could change hours with; those without an obstacle first.

    Raises `NotFound` ``occurrence_unknown``, `Conflict` ``occurrence_begun``.
    """
    now = clock.now()
    lesson = await _standing(session, county, lesson_id, now)
    diary, lessons = await open_diary(
        session, await load_ground(session, county, lesson.day), lesson.day, lesson.day + NEAR
    )
    others = [each for each in lessons if _may_move(each, now) and _differ(lesson, each)]

    def judged() -> list[Partner]:
        found = [Partner(each, swap_obstacles(diary, lesson, each)) for each in others]
        return sorted(found, key=lambda each: (len(each.obstacles), each.lesson.starts_at, each.lesson.id))

    return await asyncio.to_thread(judged)


async def _standing(session: AsyncSession, county: str, lesson_id: str, now: datetime) -> OccurrenceView:
    lesson = await occurrence(session, lesson_id)
    if lesson is None or lesson.county != county:
        raise NotFound("occurrence_unknown")
    if not _may_move(lesson, now):
        raise Conflict("occurrence_begun", state=lesson.state)
    return lesson


def _may_move(lesson: OccurrenceView, now: datetime) -> bool:
    return lesson.state in ("planned", "ready") and lesson.opened_at is None and lesson.starts_at > now


def _differ(one: OccurrenceView, other: OccurrenceView) -> bool:
    return one.id != other.id and one.starts_at != other.starts_at


async def swap(
    store: Store, actor: Actor, clock: Clock, county: str, one_id: str, other_id: str, *, note: str = ""
) -> tuple[str, str]:
    """Two lessons change hours; the ids of the lessons that replace them.

    Refusals: `NotFound` ``occurrence_unknown``, `Conflict` ``occurrence_begun``, ``swap_same_time``, ``swap_impossible`` (facts: what,
    code of the first obstacle).
    """
    now = clock.now()
    async with store.read() as session:
        ground = await load_ground(session, county, (await _standing(session, county, one_id, now)).day)
    async with store.write() as session:
        await take_turn(session, county)
        one = await _standing(session, county, one_id, now)
        other = await _standing(session, county, other_id, now)
        if not _differ(one, other):
            raise Conflict("swap_same_time")
        first, last = sorted((one.day, other.day))
        diary, _ = await open_diary(session, ground, first, last)
        if against := swap_obstacles(diary, one, other):
            raise Conflict("swap_impossible", why=against[0].why, code=against[0].code)
        for each in (one, other):
            await cancel_in(session, actor, now, each.id, reason="other", note=note, county=county)
        made = [
            await add_in(session, actor, now, instead_of(mine, theirs.day, theirs.start, theirs.end))
            for mine, theirs in ((one, other), (other, one))
        ]
        facts = {"with": other.id, "made": made}
        await append(session, actor, "lesson.swap", f"occurrence:{one.id}", county=county, at=now, facts=facts)
    return made[0], made[1]
