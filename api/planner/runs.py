"""A planning run: start it, watch it, stop it. The run lives in the server; a page may come and go."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from api.planner.desk import CountyPath, RunPath, head_of, plan_of, routes, show
from api.planner.reasons import said_fully
from api.planner.suppositions import sentences
from api.routing import Call, Nothing, Shape
from rooms.planning.names import names_of
from rooms.planning.runs import RunView, Wish
from rooms.planning.versions import load_version
from rooms.refusals import NotFound

STATES = ("queued", "running", "stopping", "done", "failed")
PHASES = ("queued", "read", "construct", "improve", "activities", "explain", "done")


class StartRun(Shape):
    """How long, from which seed, and from which version on."""

    seconds: int = Field(60, ge=2, le=3600)
    seed: int = Field(1, ge=0, le=2**31 - 1)
    previous: int | None = Field(None, ge=1, le=2**31 - 1, description="Number of the version to build on.")
    deterministic: bool = Field(False, description="Counted steps in place of seconds: the same plan twice.")


class Started(Shape):
    run: int


class RunState(Shape):
    """A run as it stands. Service, need and bound are lessons a week × priority."""

    run: int
    state: str
    phase: str
    elapsed: float
    seconds_limit: int
    seed: int
    deterministic: bool
    by: str = Field(description="Who asked for it.")
    attempt: int = Field(description="How often a worker took the run up; more than 1 where one died.")
    worker: str | None = Field(description="Who works on it, or did last.")
    served_weighted: float | None
    needed_weighted: float | None
    bound: float | None = Field(description="A proven upper bound of the service.")
    gap: float | None = Field(description="(bound - service) / bound, proved.")
    steps: int
    plan: int | None = Field(description="Number of the version the run made.")
    problem: str | None = Field(description="Why there is none, or what cut it short, in the reader's language.")


@routes.post("/api/planner/{county}/runs", needs="plan.run", summary="Start a planning run", status=202, limit="plan")
async def start(call: Call[CountyPath, Nothing, StartRun]) -> Started:
    app, body, county = call.app, call.body, call.path.county
    previous = None
    if body.previous is not None:
        async with app.store.read() as session:
            previous = (await plan_of(session, county, body.previous)).id
    wish = Wish(body.seconds, body.seed, body.deterministic, previous)
    run = await app.plan_runs.start(call.actor, county, wish)
    return Started(run=run)


@routes.get("/api/planner/{county}/runs/{run}", needs="plan.read", summary="How a planning run stands")
async def state(call: Call[RunPath, Nothing, Nothing]) -> RunState:
    return await _state(call)


@routes.post("/api/planner/{county}/runs/{run}/stop", needs="plan.run", summary="Stop a run and keep its best plan")
async def stop(call: Call[RunPath, Nothing, Nothing]) -> RunState:
    await _state(call)  # 404 where the run is another county's
    await call.app.plan_runs.stop(call.actor, call.path.run)
    return await _state(call)


@routes.get("/planner/{county}/runs/{run}", needs="plan.read", summary="Watch a planning run", page=True)
async def watch(call: Call[RunPath, Nothing, Nothing]) -> web.Response:
    now, view = await _state(call), await call.app.plan_runs.run(call.path.run)
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        said = sentences(call.caller.language, view.hypothesis, await names_of(session, head.county))
    words = {f"state_{each}": call.say(f"planner.run_state_{each}") for each in STATES}
    words |= {f"phase_{each}": call.say(f"planner.run_phase_{each}") for each in PHASES}
    words |= {f"ended_{each}": call.say(f"planner.run_ended_{each}") for each in ("done", "failed")}
    return show(call, "run", head, run=now, said=said, words=words | _places(call))


def _places(call: Call[RunPath, Nothing, Nothing]) -> dict[str, str]:
    """Sentences whose places the page fills."""
    return {
        "elapsed": call.say("planner.run_elapsed", n="%n"),
        "again": call.say("planner.run_again", n="%n"),
        "worker": call.say("planner.run_worker", name="%s"),
    }


async def _state(call: Call[RunPath, Nothing, Nothing]) -> RunState:
    view = await call.app.plan_runs.run(call.path.run)
    if view.county != call.path.county:
        raise NotFound
    number = None
    if view.plan_id is not None:
        async with call.app.store.read() as session:
            number = (await load_version(session, view.plan_id)).number
    return shown(call, view, number)


def shown(call: Call[Any, Any, Any], view: RunView, number: int | None) -> RunState:
    """A run for whoever watches it; the names of a failure's facts stay codes, for it is about the files."""
    progress = view.progress
    served, bound = progress.get("served_weighted"), progress.get("bound")
    until = view.ended_at or call.app.clock.now()
    since = view.began_at or until
    return RunState(
        run=view.id,
        state=view.state,
        phase="queued" if view.state == "queued" else progress.get("phase", "read"),
        elapsed=round(max(0.0, (until - since).total_seconds()), 1),
        seconds_limit=view.time_limit,
        seed=view.seed,
        deterministic=view.deterministic,
        by=view.by.removeprefix("account:"),
        attempt=view.attempt,
        worker=view.owner,
        served_weighted=served,
        needed_weighted=progress.get("needed_weighted"),
        bound=bound,
        gap=None if served is None or bound is None else (bound - served) / bound if bound else 0.0,
        steps=progress.get("steps", 0),
        plan=number,
        problem=said_fully(call.caller.language, view.problem_code, view.problem_facts) if view.problem_code else None,
    )
