"""A run from the store to a stored version, stopped, killed, and left behind by a dead server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import config
from config.settings import Settings
from rooms.bus.memory import MemoryBus
from rooms.clock import SystemClock
from rooms.counties import load_county, save_county
from rooms.importing import read_county
from rooms.planning.problem import problem_of
from rooms.planning.runs import PlanRuns, RunView
from rooms.planning.versions import list_versions, load_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import SYSTEM, Store
from rooms.tables import PlanRun
from scheduler import process
from scheduler.check import check

COUNTY = Path(config.__file__).parent / "demo" / "county"


@pytest.fixture
async def county(store: Store) -> str:
    reading = read_county(COUNTY)
    assert reading.county is not None
    await save_county(store, SYSTEM, SystemClock(), reading.county, file_name="county", sha256="0" * 64)
    return reading.county.code


@pytest.fixture
async def runs(store: Store) -> AsyncIterator[PlanRuns]:
    runs = PlanRuns(store, SystemClock(), Settings(plan_workers=1), MemoryBus())
    yield runs
    await runs.close()


async def until_over(runs: PlanRuns, run_id: int) -> RunView:
    async with asyncio.timeout(60):
        while (view := await runs.run(run_id)).state not in ("done", "failed"):
            await asyncio.sleep(0.1)
    return view


async def test_a_run_ends_with_a_legal_version_in_the_store(store: Store, county: str, runs: PlanRuns) -> None:
    view = await until_over(runs, await runs.start(SYSTEM, county, seconds=5))
    assert (view.state, view.problem_code) == ("done", None)
    async with store.read() as session:
        versions = await list_versions(session, county)
        assert [(version.id, version.number, version.state) for version in versions] == [(view.plan_id, 1, "draft")]
        plan = await load_plan(session, versions[0].id)
        problem = problem_of(await load_county(session, county))
    assert plan.meetings
    assert check(problem, plan) == []
    assert view.progress["served_weighted"] * 2 == plan.served_weighted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_stopping_keeps_the_best_plan(county: str, runs: PlanRuns) -> None:
    run_id = await runs.start(SYSTEM, county, seconds=600)
    await asyncio.sleep(0.2)
    await runs.stop(SYSTEM, run_id)
    view = await until_over(runs, run_id)
    assert view.plan_id is not None or view.problem_code == "plan.ended_stopped"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_county_is_planned_once_at_a_time(county: str, runs: PlanRuns) -> None:
    run_id = await runs.start(SYSTEM, county, seconds=5)
    with pytest.raises(Conflict, match="plan_run_active"):
        await runs.start(SYSTEM, county, seconds=5)
    await runs.stop(SYSTEM, run_id)
    await until_over(runs, run_id)
    with pytest.raises(Invalid, match="plan_seconds_range"):
        await runs.start(SYSTEM, county, seconds=1)
    with pytest.raises(NotFound):
        await runs.start(SYSTEM, "nowhere", seconds=5)
    with pytest.raises(NotFound):
        await runs.run(run_id + 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_killed_process_never_leaves_a_run_running(
    county: str, runs: PlanRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []
    begin = process.Run.__init__

    def remember(self: process.Run, *arguments: object) -> None:
        begin(self, *arguments)  # type: ignore[arg-type] # handed through as they come
        assert self.pid is not None
        pids.append(self.pid)

    monkeypatch.setattr(process.Run, "__init__", remember)
    run_id = await runs.start(SYSTEM, county, seconds=600)
    async with asyncio.timeout(30):
        while not pids:
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)
    os.kill(pids[0], signal.SIGKILL)
    view = await until_over(runs, run_id)
    assert (view.state == "done") == (view.plan_id is not None)
    assert view.problem_code in (None, "plan.ended_died")


async def test_a_run_left_by_a_dead_server_is_marked_failed(store: Store, county: str, runs: PlanRuns) -> None:
    async with store.write() as session:
        row = PlanRun(
            county=county,
            county_revision=1,
            state="running",
            seed=1,
            time_limit=60,
            started_at=datetime(2026, 9, 1, tzinfo=UTC),
            by="system",
            progress={},
            problem_facts={},
        )
        session.add(row)
        await session.flush()
        run_id = row.id
    assert await runs.recover() == 1
    view = await runs.run(run_id)
    assert (view.state, view.problem_code) == ("failed", "plan.ended_restart")
    assert await runs.recover() == 0
