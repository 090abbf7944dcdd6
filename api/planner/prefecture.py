"""The counties a planner plans, and the planning runs of all of them: started, watched and stopped together."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from api.planner.desk import routes
from api.planner.runs import STATES, RunState, shown
from api.problems import Problem
from api.routing import Call, Code, Nothing, Shape
from rooms.people.permissions import Permission
from rooms.planning.prefecture import CountyStand, prefecture
from rooms.planning.runs import Wish


class CountyRuns(Shape):
    """A county and its latest planning run."""

    county: str
    name: str
    imported: bool = Field(description="Whether it has files to plan from.")
    published: int | None = Field(description="Number of the version that is taught by.")
    run: RunState | None


class Prefecture(Shape):
    """Every county in reach, in order of their codes."""

    counties: list[CountyRuns]


class StartRuns(Shape):
    """Which counties, how long each, and from which seed. Each builds on the version it teaches by."""

    counties: list[Code] = Field(min_length=1, max_length=200)
    seconds: int = Field(60, ge=2, le=3600)
    seed: int = Field(1, ge=0, le=2**31 - 1)
    deterministic: bool = Field(False, description="Counted steps in place of seconds: the same plan twice.")


class StartedRuns(Shape):
    """County → run. A county that is planned already is left out."""

    runs: dict[str, int]


class StopRuns(Shape):
    """Which counties."""

    counties: list[Code] = Field(min_length=1, max_length=200)


@routes.get("/planner", needs="plan.read", summary="The counties a planner plans, and how their runs stand", page=True)
async def counties(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    found = await _standing(call, "plan.read")
    words = {f"state_{each}": call.say(f"planner.run_state_{each}") for each in STATES}
    words |= {"seconds": call.say("planner.seconds", n="%n"), "chosen": call.say("planner.start_chosen", n="%n")}
    words |= {"attempt": call.say("planner.run_attempt", n="%n"), "version": call.say("planner.plan_title", n="%n")}
    seconds = call.app.settings.plan_time_limit_seconds
    return call.page("planner/counties.html", now=_presented(call, found), words=words, seconds=seconds)


@routes.get("/api/planner", needs="plan.read", summary="How the planning runs of all counties stand")
async def stand(call: Call[Nothing, Nothing, Nothing]) -> Prefecture:
    return _presented(call, await _standing(call, "plan.read"))


@routes.post("/api/planner/runs", needs="plan.run", summary="Plan several counties", status=202, limit="plan")
async def start(call: Call[Nothing, Nothing, StartRuns]) -> StartedRuns:
    _within(call, call.body.counties)
    wish = Wish(call.body.seconds, call.body.seed, call.body.deterministic)
    return StartedRuns(runs=await call.app.plan_runs.start_each(call.actor, call.body.counties, wish))


@routes.post("/api/planner/runs/stop", needs="plan.run", summary="Stop the runs of several counties, keep their plans")
async def stop(call: Call[Nothing, Nothing, StopRuns]) -> Prefecture:
    _within(call, call.body.counties)
    for each in await _standing(call, "plan.run"):
        if each.code in call.body.counties and each.run is not None:
            await call.app.plan_runs.stop(call.actor, each.run.id)
    return _presented(call, await _standing(call, "plan.read"))


def _within(call: Call[Nothing, Nothing, Any], codes: list[str]) -> None:
    """Counties outside the caller's subtree do not exist."""
    if not set(codes) <= set(call.principal.counties("plan.run")):
        raise Problem("not_found")


async def _standing(call: Call[Nothing, Nothing, Any], permission: Permission) -> list[CountyStand]:
    async with call.app.store.read() as session:
        return await prefecture(session, call.principal.counties(permission))


def _presented(call: Call[Nothing, Nothing, Any], found: list[CountyStand]) -> Prefecture:
    return Prefecture(
        counties=[
            CountyRuns(
                county=each.code,
                name=each.name,
                imported=each.imported,
                published=each.published,
                run=None if each.run is None else shown(call, each.run, each.version),
            )
            for each in found
        ]
    )
