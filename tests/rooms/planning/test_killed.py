"""A solver that is killed at any moment loses no plan and leaves no run going on.

Six moments in every test run; `make kills` tries fifty. `KILLED_COUNTY` names another county's folder.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from plan_servers import Planning
from waiting import PATIENCE

from rooms.clock import SystemClock
from rooms.counties import save_county
from rooms.importing import read_county
from rooms.planning.versions import list_versions, load_plan
from rooms.store import SYSTEM, Store

MOMENTS = int(os.environ.get("KILLS", "6"))
SECONDS = 3
LATEST = 3.5
"""Seconds in the life of a solver up to which it is killed: before its first plan, while it improves it, as it ends."""


@pytest.fixture
async def killed_county(store: Store, demo_county: str) -> str:
    folder = os.environ.get("KILLED_COUNTY")
    if folder is None:
        return demo_county
    county = read_county(Path(folder)).county
    assert county is not None
    await save_county(store, SYSTEM, SystemClock(), county, file_name="county", sha256="1" * 64)
    return county.code


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def kill_one(random: Random) -> str:
    """Kills the solver, or one of the processes it started; says what it was."""
    for solver in multiprocessing.active_children():
        assert solver.pid is not None
        crew = children(solver.pid)
        pid = random.choice([solver.pid, *crew]) if random.random() < 0.5 else solver.pid
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return "gone"
        return "solver" if pid == solver.pid else "one of its crew"
    return "nothing there"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", range(MOMENTS))
async def test_a_killed_solver_loses_nothing(
    store: Store, killed_county: str, servers: Callable[[], Planning], number: int
) -> None:
    random, server = Random(number), servers()
    await server.jobs.start()
    run_id = await server.start(killed_county, SECONDS)
    async with asyncio.timeout(PATIENCE):
        while not multiprocessing.active_children():
            await asyncio.sleep(0.01)
    moment = (number + random.random()) * LATEST / MOMENTS
    await asyncio.sleep(moment)
    told = (await server.runs.run(run_id)).progress.get("served_weighted")
    what = kill_one(random)
    view = await server.over(run_id)
    print(
        f"{moment:.1f} s: {what}; {told} → {view.state} {view.progress.get('served_weighted')} {view.problem_code} {view.attempt}"
    )
    assert (view.state, view.problem_code in (None, "plan.cut_died"), view.attempt <= 2) == ("done", True, True)
    assert view.plan_id is not None
    async with store.read() as session:
        assert len(await list_versions(session, killed_county)) == 1
        plan = await load_plan(session, view.plan_id)
    assert plan.served_weighted / 2 >= (told or 0)
    assert not multiprocessing.active_children()
