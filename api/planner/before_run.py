"""Before a planning run: what in the county contradicts itself, and what no plan could give."""

from __future__ import annotations

import asyncio
from functools import partial

from pydantic import Field

from api.planner.desk import CountyPath, routes
from api.planner.reasons import named
from api.routing import Call, Nothing, Shape
from config.words import say
from rooms.planning.meeting_locks import load_problem
from rooms.planning.names import names_of
from scheduler.diagnose import diagnose


class Known(Shape):
    """One thing to know."""

    code: str
    text: str = Field(description="In the reader's language.")


class BeforeRun(Shape):
    """What is known of a county before it is planned; nothing of it stops a run."""

    summary: str
    findings: list[Known]


@routes.get("/api/planner/{county}/before-run", needs="plan.read", summary="What to know before a planning run")
async def before_run(call: Call[CountyPath, Nothing, Nothing]) -> BeforeRun:
    language = call.caller.language
    async with call.app.store.read() as session:
        problem = await load_problem(session, call.path.county)
        names = await names_of(session, call.path.county)
    found = await asyncio.to_thread(diagnose, problem)
    how = partial(named, language, names)
    known = [
        Known(
            code=each.code,
            text=say(language, f"plan.{each.code}", **{key: how(value) for key, value in each.facts.items()}),
        )
        for each in found
    ]
    summary = say(language, "plan.before_run", count=len(known)) if known else say(language, "plan.before_run_clear")
    return BeforeRun(summary=summary, findings=known)
