"""Plans a county from the command line and waits for the result, showing how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from api.services import Services
from config.words import say_both
from rooms.planning.runs import Wish
from rooms.store import SYSTEM

LOOK_EVERY = 0.3


class PlanningFailed(RuntimeError):
    """The planner ended without a plan; the text is the code of its reason."""


async def plan_now(services: Services, county: str, seconds: int, show: Callable[[str], None]) -> int:
    """Runs the planner to its end and returns the id of the plan version; raises `PlanningFailed` with the reason's code."""
    runs = services.plan_runs
    run_id = await runs.start(SYSTEM, county, Wish(seconds=seconds))
    began = services.clock.monotonic()
    while True:
        view = await runs.run(run_id)
        if view.plan_id is not None:
            return view.plan_id
        if view.state == "failed":
            raise PlanningFailed(view.problem_code or "unknown")
        show(say_both("cli.planning", seconds=int(services.clock.monotonic() - began)))
        await asyncio.sleep(LOOK_EVERY)
