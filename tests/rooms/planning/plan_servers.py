"""The planning side of a server, and a clock that a test puts forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from waiting import PATIENCE

from rooms.clock import SystemClock
from rooms.planning.jobs import PlanJobs
from rooms.planning.runs import PlanRuns, RunView, Wish
from rooms.store import SYSTEM


class MovedClock(SystemClock):
    """The machine's clock, put forward by hand."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@dataclass(frozen=True)
class Planning:
    """The planning side of one server."""

    jobs: PlanJobs
    runs: PlanRuns
    clock: MovedClock

    async def start(self, county: str, seconds: int = 3) -> int:
        return await self.runs.start(SYSTEM, county, Wish(seconds))

    async def until(self, run_id: int, *states: str) -> RunView:
        async with asyncio.timeout(PATIENCE):
            while (view := await self.runs.run(run_id)).state not in states:
                await asyncio.sleep(0.1)
        return view

    async def over(self, run_id: int) -> RunView:
        return await self.until(run_id, "done", "failed")
