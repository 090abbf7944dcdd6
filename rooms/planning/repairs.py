"""Repairs in the store: something happened for good, the mended plan is shown first, and accepted as a new version or forgotten.

A draft knows what it was computed from. When the county, its circumstances, its locks or its versions have changed meanwhile, it
cannot be accepted any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables as t
from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.apart import apart
from rooms.planning.circumstance_rows import check_circumstance, load_county_in_force, record
from rooms.planning.circumstances import Circumstance, with_circumstances
from rooms.planning.meeting_locks import load_problem, lock_in, with_locks
from rooms.planning.turns import take_turn
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from scheduler.locked_meetings import same_meeting, standing_locks
from scheduler.problem import Lock, Plan, Problem
from scheduler.repair import Repaired, follow_bells

KEPT = timedelta(hours=4)
"""How long a draft may wait to be accepted."""
SOLVE_SECONDS = 5.0
"""The longest time of each of the two solves of a repair."""
GRACE_SECONDS = 110.0
"""Beyond that, for everything around them on a large county; then the process is ended."""
MOST_MOVES = 50
KINDS = ("draft", "published", "superseded")
"""States of versions that are a county's own; what-ifs are not."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a repair is for: something that happened, a meeting that must stand, or (neither) the county as it is by now."""

    what: Circumstance | None = None
    lock: Lock | None = None
    reason: str = ""
    """Why the meeting must stand."""
    more_moves: int = 0
    """So many meetings beyond those that must may move where that wins lessons."""


@dataclass(frozen=True, slots=True)
class Made:
    """A wish with the repair it led to."""

    wish: Wish
    repaired: Repaired
    followed: int
    """Meetings that keep their period while the clock of their bell changed; they are no moves."""
    served_before: int
    """Halves of lessons that the standing plan serves."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A repair that waits to be accepted."""

    id: str
    standing_id: int
    standing: int
    """Number of the version that is mended."""
    made: Made
    by: str
    at: datetime
    expires_at: datetime
    outdated: bool
    """Something changed since it was computed: it cannot be accepted any more."""


MADE = TypeAdapter(Made)
"""How a repair is kept in its row, as JSON."""


async def standing_version(session: AsyncSession, county: str) -> t.PlanVersion | None:
    """The version that stands: the published one, or the newest draft that was mended from it; without one the newest draft."""
    order = t.PlanVersion.number.desc()
    query = select(t.PlanVersion).where(t.PlanVersion.county == county, t.PlanVersion.state.in_(KINDS)).order_by(order)
    versions = list(await session.scalars(query))
    published = next((each for each in versions if each.state == "published"), None)
    if published is None:
        return next((each for each in versions if each.state == "draft"), None)
    by_id = {each.id: each for each in versions}
    for each in versions:
        at: t.PlanVersion | None = each
        while at is not None and at.id != published.id and at.origin in ("repair", "hand"):
            at = by_id.get(at.previous_id or 0)
        if at is not None and at.id == published.id:
            return each
    return published


async def behind(session: AsyncSession, version: t.PlanVersion) -> bool:
    """Whether the county changed since a version was made: files, or what happened for good."""
    header = await session.get_one(t.County, version.county)
    if header.revision != version.county_revision:
        return True
    table = t.Circumstance
    newer = (table.at > version.created_at) | (table.lifted_at > version.created_at)
    query = select(table.id).where(table.county == version.county, table.until_date.is_(None), newer).limit(1)
    return await session.scalar(query) is not None


async def preview_repair(
    store: Store, actor: Actor, clock: Clock, county: str, wish: Wish, *, plan_id: int | None = None
) -> str:
    """Computes a repair in a process of its own and keeps it as a draft; returns its id. Nothing else changes.

    `plan_id` is the version to mend; None takes the one that stands. Refusals: `NotFound` ``plan_unknown``, `Conflict` ``no_plan``,
    those of `check_circumstance`, `Invalid` ``circumstance_dated`` (single days: `rooms.planning.substitutions`),
    ``more_moves_range``, `Conflict` ``lock_cannot_stand`` (whatever else moves, the meeting breaks a rule), `Unavailable`
    ``took_too_long``.
    """
    if not 0 <= wish.more_moves <= MOST_MOVES:
        raise Invalid("more_moves_range", most=MOST_MOVES)
    async with store.read() as session:
        version = await _version(session, county, plan_id)
        standing_id, standing = version.id, await load_plan(session, version.id)
        stamp, stale = await _stamp(session, county), await behind(session, version)
        files = await load_county_in_force(session, county)
        before = await with_locks(session, files)
        after = before
        if wish.what is not None:
            check_circumstance(files, wish.what)
            if not wish.what.standing:
                raise Invalid("circumstance_dated")
            after = await with_locks(session, with_circumstances(files, [wish.what]))
        if wish.lock is not None:
            after = replace(after, locks=(*after.locks, wish.lock))
    seconds = 2 * SOLVE_SECONDS + GRACE_SECONDS
    made = await apart(seconds, _mended, wish, before, after, standing, stale)
    now = clock.now()
    async with store.write() as session:
        await session.execute(delete(t.RepairDraft).where(t.RepairDraft.expires_at < now))
        row = t.RepairDraft(
            id=uuid.uuid4().hex, county=county, standing_id=standing_id, stamp=stamp,
            made=MADE.dump_python(made, mode="json"), by=actor.name, at=now, expires_at=now + KEPT,
        )  # fmt: skip
        session.add(row)
    return row.id


def _mended(wish: Wish, before: Problem, after: Problem, standing: Plan, stale: bool) -> Made:
    """The work of the process. `stale`: the plan is of an earlier county, whose bound says nothing of this one."""
    from scheduler.repair.mend import repair  # the solver's library is loaded in this process alone

    if wish.lock is not None and not any(
        same_meeting(wish.lock.meeting, lock.meeting) for lock in standing_locks(after)
    ):
        raise Conflict("lock_cannot_stand")
    carried = follow_bells(standing, before, after) if before.schools != after.schools else standing
    repaired = repair(
        after, carried, before=None if stale else before, more_moves=wish.more_moves, seconds=SOLVE_SECONDS
    )
    followed = sum(one.slot != other.slot for one, other in zip(standing.meetings, carried.meetings, strict=True))
    return Made(wish, repaired, followed, standing.served_halves)


async def _version(session: AsyncSession, county: str, plan_id: int | None) -> t.PlanVersion:
    if plan_id is None:
        found = await standing_version(session, county)
        if found is None:
            raise Conflict("no_plan")
        return found
    version = await session.get(t.PlanVersion, plan_id)
    if version is None or version.county != county or version.state not in KINDS:
        raise NotFound("plan_unknown", plan=plan_id)
    return version


async def _stamp(session: AsyncSession, county: str) -> dict[str, Any]:
    """What a draft is computed from; anything newer makes it worthless."""
    header = await session.get(t.County, county)
    if header is None:
        raise NotFound("county_not_found", county=county)
    versions, happened, locks = t.PlanVersion, t.Circumstance, t.MeetingLock
    own = select(versions.id, versions.state).where(versions.county == county, versions.state.in_(KINDS))
    standing = select(happened.id).where(
        happened.county == county, happened.lifted_at.is_(None), happened.until_date.is_(None)
    )
    return {
        "revision": header.revision,
        "versions": [list(row) for row in await session.execute(own.order_by(versions.id.desc()).limit(20))],
        "circumstances": list(await session.scalars(standing.order_by(happened.id))),
        "locks": list(await session.scalars(select(locks.id).where(locks.county == county).order_by(locks.id))),
    }


async def load_draft(session: AsyncSession, clock: Clock, county: str, draft_id: str) -> Draft:
    """A draft. Refusals: `NotFound` ``repair_unknown`` (also when it expired)."""
    row = await session.get(t.RepairDraft, draft_id)
    if row is None or row.county != county or row.expires_at <= clock.now():
        raise NotFound("repair_unknown")
    version = await session.get_one(t.PlanVersion, row.standing_id)
    outdated = await _stamp(session, county) != row.stamp
    made = MADE.validate_python(row.made)
    return Draft(row.id, version.id, version.number, made, row.by, row.at, row.expires_at, outdated)


async def accept_repair(store: Store, actor: Actor, clock: Clock, county: str, draft_id: str) -> t.PlanVersion:
    """Makes a draft the county's next version, with what happened and the lock that was wished, in one transaction.

    Refusals: `NotFound` ``repair_unknown``, `Conflict` ``repair_outdated``, `Invalid` ``plan_not_legal``.
    """
    now = clock.now()
    async with store.write() as session:
        await take_turn(session, county)
        draft = await load_draft(session, clock, county, draft_id)
        if draft.outdated:
            raise Conflict("repair_outdated")
        wish, repaired = draft.made.wish, draft.made.repaired
        told: Mapping[str, object] = {}
        if wish.what is not None:
            row = await record(session, actor, await load_county_in_force(session, county), wish.what, at=now)
            told = {"circumstance": row.id}
        if wish.lock is not None:
            await lock_in(session, actor, now, county, [wish.lock], reason=wish.reason)
        header = await session.get_one(t.County, county)
        version = await save_plan(
            session, actor, await load_problem(session, county), repaired.plan, revision=header.revision, at=now,
            previous_id=draft.standing_id, origin="repair",
        )  # fmt: skip
        await session.execute(delete(t.RepairDraft).where(t.RepairDraft.id == draft_id))
        facts = {"moved": repaired.moved, "forced": repaired.forced, "proved": repaired.proved, **told}
        await append(session, actor, "plan.repair", f"plan:{version.id}", county=county, at=now, facts=facts)
    return version


async def discard_repair(store: Store, county: str, draft_id: str) -> None:
    """Forgets a draft. Refusals: `NotFound` ``repair_unknown``."""
    async with store.write() as session:
        row = await session.get(t.RepairDraft, draft_id)
        if row is None or row.county != county:
            raise NotFound("repair_unknown")
        await session.delete(row)
