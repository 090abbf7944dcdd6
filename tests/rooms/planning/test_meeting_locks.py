"""Meetings that must stand in every plan: by hand, automatically, and in the problem that is planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from rooms.planning.meeting_locks import (
    load_problem,
    lock_in,
    lock_meetings,
    lock_published,
    locks_of,
    unlock,
    unlock_automatic,
)
from rooms.planning.versions import load_meetings
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, PlanVersion
from scheduler.problem import Lock


async def origins(store: Store, county: str) -> dict[str, str]:
    async with store.read() as session:
        return {kept.lock.meeting.code: kept.lock.origin for kept in await locks_of(session, county)}


async def test_a_locked_meeting_is_in_the_problem_by_value(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    assert await lock_meetings(store, planner, clock, county, 1, {"M1"}, reason="校长要求") == 1
    assert await lock_meetings(store, planner, clock, county, 1, {"M1"}) == 0
    async with store.read() as session:
        (meeting,) = [each for each in await load_meetings(session, 1) if each.code == "M1"]
        assert (await load_problem(session, county)).locks == (Lock(meeting),)
        (kept,) = await locks_of(session, county)
    assert (kept.reason, kept.by, kept.at) == ("校长要求", planner.name, clock.now())
    assert kept.holds(replace(meeting, code="D0001", classes=(*meeting.classes, "K9")))  # type: ignore[arg-type] # a plain code
    assert not kept.holds(replace(meeting, slot=meeting.slot._replace(start=600)))
    with pytest.raises(Invalid, match="meeting_unknown"):
        await lock_meetings(store, planner, clock, county, 1, {"M1", "M9"})
    with pytest.raises(NotFound, match="plan_unknown"):
        await lock_meetings(store, planner, clock, "D", 1, {"M1"})


async def test_what_is_published_is_locked_automatically_and_a_hand_goes_before(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    with pytest.raises(Conflict, match="nothing_published"):
        await lock_published(store, planner, clock, county)
    async with store.write() as session:
        (await session.get_one(PlanVersion, 1)).state = "published"
    await lock_meetings(store, planner, clock, county, 1, {"M1"})
    assert await lock_published(store, planner, clock, county) == 2
    assert await lock_published(store, planner, clock, county) == 0
    assert await origins(store, county) == {"M1": "manual", "M2": "automatic", "M3": "automatic"}
    await lock_meetings(store, planner, clock, county, 1, {"M2"})
    assert await origins(store, county) == {"M1": "manual", "M2": "manual", "M3": "automatic"}
    assert await unlock_automatic(store, planner, clock, county) == 1
    assert await unlock_automatic(store, planner, clock, county) == 0
    async with store.read() as session:
        first = (await locks_of(session, county))[0]
    with pytest.raises(NotFound):
        await unlock(store, planner, clock, "D", first.id)
    await unlock(store, planner, clock, county, first.id)
    assert await origins(store, county) == {"M2": "manual"}
    async with store.read() as session:
        acts = list(await session.scalars(select(AuditLeaf.action).where(AuditLeaf.action.like("plan.%lock"))))
    assert acts == ["plan.lock", "plan.lock", "plan.lock", "plan.unlock", "plan.unlock"]


async def test_overrides_are_kept_with_the_lock(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await lock_meetings(store, planner, clock, county, 1, {"M1"})
    async with store.write() as session:
        (meeting,) = [each for each in await load_meetings(session, 1) if each.code == "M1"]
        anyway = Lock(meeting, overrides=frozenset({"H9", "H3"}))
        assert await lock_in(session, planner, clock.now(), county, [anyway], reason="仅此一次") == 1
    async with store.read() as session:
        assert [kept.lock for kept in await locks_of(session, county)] == [anyway]
