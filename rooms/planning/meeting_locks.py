"""Locks of weekly meetings in the store, and the problem that every plan is made for: files, circumstances, locks.

A lock keeps its meeting by value: the next plan may give it another code. *Manual* locks are somebody's will, *automatic* ones follow from
an act on many (what was published stays); the planner gives way on automatic ones first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.county import County
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.problem import problem_of
from rooms.planning.versions import load_meetings, meeting_of, meeting_values
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import MeetingLock, PlanVersion
from scheduler.locked_meetings import stands
from scheduler.problem import Lock, Meeting, Problem

Origin = Literal["manual", "automatic"]


@dataclass(frozen=True, slots=True)
class KeptLock:
    """A lock with who made it, when and why."""

    id: int
    lock: Lock
    reason: str
    by: str
    at: datetime

    def holds(self, meeting: Meeting) -> bool:
        """Whether it is this meeting that is locked."""
        return stands(self.lock, (meeting,))


async def locks_of(session: AsyncSession, county: str) -> list[KeptLock]:
    """The locks of a county, the oldest first."""
    rows = await session.scalars(select(MeetingLock).where(MeetingLock.county == county).order_by(MeetingLock.id))
    return [_kept(row) for row in rows]


async def locks_on(session: AsyncSession, county: str, meetings: Iterable[Meeting]) -> dict[str, KeptLock]:
    """Code of a meeting of some plan → the lock that holds it."""
    locks = await locks_of(session, county)
    return {meeting.code: kept for meeting in meetings for kept in locks if kept.holds(meeting)}


async def load_problem(session: AsyncSession, county: str) -> Problem:
    """What every plan of a county is made for and judged by. Raises `NotFound` ``county_not_found``."""
    return await with_locks(session, await load_county_in_force(session, county))


async def with_locks(session: AsyncSession, county: County) -> Problem:
    """A county, as it is or as it is supposed, as a problem in which the stored locks stand."""
    locks = tuple(kept.lock for kept in await locks_of(session, county.code))
    return await asyncio.to_thread(problem_of, county, locks)


async def lock_meetings(
    store: Store, actor: Actor, clock: Clock, county: str, plan_id: int, codes: Collection[str], *, reason: str = ""
) -> int:
    """Locks meetings of a plan by hand; what is locked automatically becomes a manual lock. How many are new.

    Refusals: `NotFound` ``plan_unknown``, `Invalid` ``meeting_unknown`` (fact: code).
    """
    async with store.write() as session:
        meetings = {meeting.code: meeting for meeting in await _meetings(session, county, plan_id)}
        if missing := sorted(set(codes) - meetings.keys()):
            raise Invalid("meeting_unknown", code=missing[0])
        chosen = [meetings[code] for code in sorted(codes)]
        return await lock_in(session, actor, clock.now(), county, [Lock(meeting) for meeting in chosen], reason=reason)


async def lock_published(store: Store, actor: Actor, clock: Clock, county: str) -> int:
    """Locks every meeting of the published plan automatically; how many are new. Refusals: `Conflict` ``nothing_published``."""
    async with store.write() as session:
        published = await session.scalar(
            select(PlanVersion.id).where(PlanVersion.county == county, PlanVersion.state == "published")
        )
        if published is None:
            raise Conflict("nothing_published")
        meetings = await _meetings(session, county, published)
        locks = [Lock(meeting, "automatic") for meeting in meetings]
        return await lock_in(session, actor, clock.now(), county, locks, reason="")


async def lock_in(
    session: AsyncSession, actor: Actor, now: datetime, county: str, locks: Iterable[Lock], *, reason: str
) -> int:
    """Adds locks in the caller's transaction; how many are new. A manual one takes the place of an automatic one."""
    present = await locks_of(session, county)
    added: list[Lock] = []
    for lock in locks:
        same = [kept for kept in present if kept.holds(lock.meeting)]
        if any(kept.lock.origin == "manual" or lock.origin == "automatic" for kept in same) and not lock.overrides:
            continue
        await _remove(session, [kept.id for kept in same])
        values = meeting_values(lock.meeting)
        session.add(
            MeetingLock(
                county=county, origin=lock.origin, overrides=sorted(lock.overrides), reason=reason[:500], by=actor.name,
                at=now, **values,
            )
        )  # fmt: skip
        added.append(lock)
    if added:
        facts = {"meetings": [lock.meeting.code for lock in added], "origin": added[0].origin}
        facts["overrides"] = sorted({rule for lock in added for rule in lock.overrides})
        await append(session, actor, "plan.lock", f"county:{county}", county=county, at=now, facts=facts)
    return len(added)


async def unlock(store: Store, actor: Actor, clock: Clock, county: str, lock_id: int) -> None:
    """Takes a lock away. A meeting that was placed against rules is then no longer excused: the next plan moves it. Refusals: `NotFound`."""
    async with store.write() as session:
        row = await session.get(MeetingLock, lock_id)
        if row is None or row.county != county:
            raise NotFound
        await _unlock(session, actor, clock.now(), county, [_kept(row)])


async def unlock_automatic(store: Store, actor: Actor, clock: Clock, county: str) -> int:
    """Takes all automatic locks away; how many."""
    async with store.write() as session:
        kept = [each for each in await locks_of(session, county) if each.lock.origin == "automatic"]
        if kept:
            await _unlock(session, actor, clock.now(), county, kept)
        return len(kept)


async def _unlock(session: AsyncSession, actor: Actor, now: datetime, county: str, kept: Sequence[KeptLock]) -> None:
    await _remove(session, [each.id for each in kept])
    facts = {"meetings": [each.lock.meeting.code for each in kept], "origin": kept[0].lock.origin}
    await append(session, actor, "plan.unlock", f"county:{county}", county=county, at=now, facts=facts)


async def _remove(session: AsyncSession, ids: Sequence[int]) -> None:
    if ids:
        await session.execute(delete(MeetingLock).where(MeetingLock.id.in_(ids)))


async def _meetings(session: AsyncSession, county: str, plan_id: int) -> tuple[Meeting, ...]:
    version = await session.get(PlanVersion, plan_id)
    if version is None or version.county != county:
        raise NotFound("plan_unknown", plan=plan_id)
    return await load_meetings(session, plan_id)


def _kept(row: MeetingLock) -> KeptLock:
    origin: Origin = "manual" if row.origin == "manual" else "automatic"
    return KeptLock(row.id, Lock(meeting_of(row), origin, frozenset(row.overrides)), row.reason, row.by, row.at)
