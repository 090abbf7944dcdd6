"""A plan version becomes dated lessons: first what it would change, then the act."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web

from api.planner.desk import PlanPath, head_of, plan_of, routes, show
from api.routing import Call, Nothing, Shape
from rooms.planning.names import names_of
from rooms.planning.outlook import Term
from rooms.planning.publish import preview_publication, publish_plan


class From(Shape):
    """The first day of a published version; empty means the next Monday."""

    effective_from: date | None = None


class Publish(Shape):
    """Publish from a date on."""

    effective_from: date


class Published(Shape):
    """What publishing did, in dated lessons."""

    plan: int
    effective_from: date
    added: int
    removed: int
    kept: int
    superseded: int


@routes.get("/planner/{county}/plans/{number}/publish", needs="plan.publish", summary="What would change", page=True)
async def publish_page(call: Call[PlanPath, From, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        assert head.term is not None  # a plan needs a county
        day = call.query.effective_from or _next_monday(head.term, head.today)
        names = await names_of(session, head.county)
        found = await preview_publication(session, call.app.clock, head.county, version.id, day)
    return show(call, "publish", head, version=version, day=day, found=found, names=names)


def _next_monday(term: Term, today: date) -> date:
    """The next Monday of the term, or its first day."""
    monday = today + timedelta(days=(7 - today.weekday()) % 7 or 7)
    return min(max(monday, term.start), term.end)


@routes.post("/api/planner/{county}/plans/{number}/publish", needs="plan.publish", summary="Publish a plan version")
async def publish(call: Call[PlanPath, Nothing, Publish]) -> Published:
    app, county = call.app, call.path.county
    async with app.store.read() as session:
        version = await plan_of(session, county, call.path.number)
    done = await publish_plan(app.store, call.actor, app.clock, county, version.id, call.body.effective_from)
    return Published(
        plan=version.number,
        effective_from=done.effective_from,
        added=done.added,
        removed=done.removed,
        kept=done.kept,
        superseded=done.superseded,
    )
