"""A run from the store to a stored version, and what people may ask of it."""

from __future__ import annotations

import asyncio

import pytest
from plan_servers import Planning
from sqlalchemy import select

from rooms.counties import load_county
from rooms.planning.problem import problem_of
from rooms.planning.runs import Wish
from rooms.planning.versions import list_versions, load_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import AuditLeaf
from scheduler.check import check


async def test_a_run_ends_with_a_legal_version_in_the_store(store: Store, demo_county: str, server: Planning) -> None:
    planner = Actor("account:li", "planner", "10.1.1.1")
    view = await server.over(await server.runs.start(planner, demo_county, Wish(5)))
    assert (view.state, view.problem_code, view.attempt) == ("done", None, 1)
    async with store.read() as session:
        versions = await list_versions(session, demo_county)
        assert [(version.id, version.number, version.state) for version in versions] == [(view.plan_id, 1, "draft")]
        plan = await load_plan(session, versions[0].id)
        problem = problem_of(await load_county(session, demo_county))
        saved = await session.scalars(select(AuditLeaf).where(AuditLeaf.action == "plan.save"))
        assert [(leaf.actor, leaf.role) for leaf in saved] == [("account:li", "planner")]
    assert plan.meetings
    assert check(problem, plan) == []
    assert view.progress["served_weighted"] * 2 == plan.served_weighted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_stopping_keeps_the_best_plan(demo_county: str, server: Planning) -> None:
    run_id = await server.start(demo_county, 600)
    await server.until(run_id, "running")
    await server.runs.stop(SYSTEM, run_id)
    view = await server.over(run_id)
    assert (view.plan_id is not None) != (view.problem_code == "plan.ended_stopped")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_run_that_waits_is_stopped_at_once(demo_county: str, server: Planning) -> None:
    await server.jobs.close()
    run_id = await server.start(demo_county, 600)
    await server.runs.stop(SYSTEM, run_id)
    view = await server.runs.run(run_id)
    assert (view.state, view.problem_code) == ("failed", "plan.ended_stopped")


async def test_a_county_is_planned_once_at_a_time(demo_county: str, server: Planning) -> None:
    both = await asyncio.gather(server.start(demo_county), server.start(demo_county), return_exceptions=True)
    refused = [each for each in both if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [Conflict]
    run_id = next(each for each in both if isinstance(each, int))
    assert await server.runs.start_each(SYSTEM, [demo_county], Wish(5)) == {}
    await server.runs.stop(SYSTEM, run_id)
    await server.over(run_id)
    with pytest.raises(Invalid, match="plan_seconds_range"):
        await server.start(demo_county, 1)
    for unknown in (server.start("nowhere"), server.runs.start_each(SYSTEM, [demo_county, "nowhere"], Wish(5))):
        with pytest.raises(NotFound):
            await unknown
    with pytest.raises(NotFound):
        await server.runs.run(run_id + 1)
