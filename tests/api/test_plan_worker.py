"""``sanke plan-worker``: real processes over Redis and PostgreSQL; one of them is killed in the middle of a county."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from test_serve import line_with
from waiting import PATIENCE, until

import config
from config.settings import Settings
from rooms.clock import SystemClock
from rooms.counties import save_county
from rooms.importing import read_county
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import open_broker
from rooms.planning.runs import PlanRuns, RunView, Wish
from rooms.planning.versions import list_versions
from rooms.store import SYSTEM, Store

COUNTY = Path(config.__file__).parent / "demo" / "county"
Process = asyncio.subprocess.Process


@asynccontextmanager
async def worker(store_url: str, redis_url: str) -> AsyncIterator[tuple[str, Process]]:
    """A worker as a process of its own, and the name it gave itself."""
    environment = os.environ | {
        "SANKE_DATABASE_URL": store_url, "SANKE_REDIS_URL": redis_url, "SANKE_PLAN_WORKERS": "1",
        "SANKE_PLAN_LEASE_SECONDS": "4", "SANKE_LOG_LEVEL": "error", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", "plan-worker",
        env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield (await line_with(process, r"[\w.-]+:\d+:[0-9a-f]{4}")), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def reached(runs: PlanRuns, run: int, *states: str, attempt: int = 1) -> RunView:
    async def view() -> RunView | None:
        now = await runs.run(run)
        return now if now.state in states and now.attempt >= attempt else None

    return await until(view, f"{run} is {states}")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_another_worker_plans_the_county_of_a_killed_one(store: Store, store_url: str, redis_url: str) -> None:
    reading = read_county(COUNTY)
    assert reading.county is not None
    await save_county(store, SYSTEM, SystemClock(), reading.county, file_name="county", sha256="0" * 64)
    watcher = PlanJobs(store, SystemClock(), Settings(plan_jobs=0), open_broker(redis_url))
    runs = PlanRuns(store, SystemClock(), watcher.kick)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(watcher.close)
        started = [stack.enter_async_context(worker(store_url, redis_url)) for _ in range(2)]
        workers = dict(await asyncio.gather(*started))
        run = await runs.start(SYSTEM, reading.county.code, Wish(3600))
        first = await reached(runs, run, "running")
        assert first.owner in workers
        workers[first.owner].send_signal(signal.SIGKILL)
        second = await reached(runs, run, "running", attempt=2)
        assert second.owner in workers
        assert second.owner != first.owner
        await runs.stop(SYSTEM, run)
        over = await reached(runs, run, "done", "failed")
        assert (over.plan_id is not None) != (over.problem_code == "plan.ended_stopped")
        async with store.read() as session:
            assert len(await list_versions(session, reading.county.code)) == (over.plan_id is not None)
        last = workers[second.owner]
        last.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(last.wait(), PATIENCE) == 0


async def test_a_worker_without_redis_says_what_it_needs(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", "plan-worker", "--data-dir", str(tmp_path),
        stderr=asyncio.subprocess.PIPE, env=os.environ | {"SANKE_REDIS_URL": ""},
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "SANKE_REDIS_URL" in said.decode()
