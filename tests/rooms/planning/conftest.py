"""The demo county in a store, and workers over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from plan_servers import MovedClock, Planning

import config
from config.settings import Settings
from rooms.clock import SystemClock
from rooms.counties import save_county
from rooms.importing import read_county
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import MemoryBroker
from rooms.planning.runs import PlanRuns
from rooms.store import SYSTEM, Store

COUNTY = Path(config.__file__).parent / "demo" / "county"


@pytest.fixture
async def demo_county(store: Store) -> str:
    reading = read_county(COUNTY)
    assert reading.county is not None
    await save_county(store, SYSTEM, SystemClock(), reading.county, file_name="county", sha256="0" * 64)
    return reading.county.code


@pytest.fixture
async def servers(store: Store) -> AsyncIterator[Callable[[], Planning]]:
    """Makes servers over one store, each with a queue of its own; a test starts them."""
    made: list[Planning] = []

    def make() -> Planning:
        clock = MovedClock()
        jobs = PlanJobs(store, clock, Settings(plan_workers=1, plan_lease_seconds=20), MemoryBroker())
        made.append(Planning(jobs, PlanRuns(store, clock, jobs.kick), clock))
        return made[-1]

    yield make
    for each in made:
        await each.jobs.close()


@pytest.fixture
async def server(servers: Callable[[], Planning]) -> Planning:
    server = servers()
    await server.jobs.start()
    return server
