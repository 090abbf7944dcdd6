"""The weekly plan is mended: what happened for good, the mended plan as a preview with every move and its reason, accept or discard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from api.planner.breaches import breach
from api.planner.desk import CountyPath, head_of, plan_of, routes, show
from api.planner.happening import Happening, OptionalCode, choices_of, circumstance_of, whom
from api.routing import Call, HexId, Nothing, Shape
from rooms.planning.circumstance_rows import recorded
from rooms.planning.names import names_of
from rooms.planning.outlook import versions
from rooms.planning.repairs import (
    MOST_MOVES,
    Wish,
    accept_repair,
    behind,
    discard_repair,
    load_draft,
    preview_repair,
    standing_version,
)

Kind = Literal["teacher_away", "room_closed", "school_closed", "bell_changed", "need_added", "as_it_is"]


class Asked(Shape):
    """What happened; ``as_it_is`` brings the plan up to the county of now."""

    kind: Kind = "teacher_away"
    code: OptionalCode = ""


class Mend(Shape):
    """Which plan is mended, and how many further meetings may move where that wins lessons."""

    plan: int | None = Field(None, ge=1, le=2**31 - 1, description="Number of a version; empty: the one that stands.")
    more_moves: int = Field(0, ge=0, le=MOST_MOVES)


class MendAfter(Happening, Mend):
    """Mend the plan for something that happened for good."""


class DraftPath(CountyPath):
    draft: HexId


class Drafted(Shape):
    """A repair that waits to be accepted."""

    draft: str


class Accepted(Shape):
    """The version that the repair became."""

    plan: int


@routes.get("/planner/{county}/repair", needs="plan.run", summary="Mend the weekly plan", page=True)
async def repair_page(call: Call[CountyPath, Asked, Nothing]) -> web.Response:
    asked = call.query
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        standing = await standing_version(session, head.county)
        stale = standing is not None and await behind(session, standing)
        number = standing.number if standing else None
        all_versions = [each for each in await versions(session, head.county) if each.state in ("draft", "published")]
        told = [each for each in await recorded(session, head.county) if each.what.until_date is None]
    choices: Sequence[tuple[str, str]] = () if asked.kind == "as_it_is" else choices_of(names, asked.kind)
    subjects = sorted({subject for teacher in names.teachers.values() for subject in teacher.subjects})
    return show(
        call, "repair", head, asked=asked, names=names, choices=choices, standing=number, stale=stale, told=told,
        versions=all_versions, subjects=subjects, most=MOST_MOVES, whom=whom,
    )  # fmt: skip


@routes.post(
    "/api/planner/{county}/repairs", needs="plan.run", summary="Mend the plan after a change", status=201, limit="plan"
)
async def mend(call: Call[CountyPath, Nothing, MendAfter]) -> Drafted:
    wish = Wish(circumstance_of(call.body, None), more_moves=call.body.more_moves)
    return Drafted(draft=await _drafted(call, wish, call.body))


@routes.post(
    "/api/planner/{county}/repairs/as-it-is",
    needs="plan.run",
    summary="Bring a plan up to date",
    status=201,
    limit="plan",
)
async def mend_as_it_is(call: Call[CountyPath, Nothing, Mend]) -> Drafted:
    return Drafted(draft=await _drafted(call, Wish(more_moves=call.body.more_moves), call.body))


async def _drafted(call: Call[CountyPath, Nothing, Any], wish: Wish, mending: Mend) -> str:
    app, county = call.app, call.path.county
    plan_id = None
    if mending.plan is not None:
        async with app.store.read() as session:
            plan_id = (await plan_of(session, county, mending.plan)).id
    return await preview_repair(app.store, call.actor, app.clock, county, wish, plan_id=plan_id)


@routes.get("/planner/{county}/repairs/{draft}", needs="plan.run", summary="A repair before it is accepted", page=True)
async def preview(call: Call[DraftPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        draft = await load_draft(session, call.app.clock, head.county, call.path.draft)
    made = draft.made
    language = call.caller.language
    rows = [(change, breach(language, change.reason, change.facts, names)) for change in made.repaired.changes]
    touched = {
        names.school_of_class(code)
        for change in made.repaired.changes
        for meeting in (change.before, change.after)
        if meeting
        for code in meeting.classes
    }
    return show(
        call, "repair_preview", head, draft=draft, made=made, names=names, rows=rows, whom=whom,
        kinds=Counter(change.kind for change in made.repaired.changes), touched=len(touched),
    )  # fmt: skip


@routes.post("/api/planner/{county}/repairs/{draft}/accept", needs="plan.run", summary="Accept a repair")
async def accept(call: Call[DraftPath, Nothing, Nothing]) -> Accepted:
    app, path = call.app, call.path
    return Accepted(plan=(await accept_repair(app.store, call.actor, app.clock, path.county, path.draft)).number)


@routes.post("/api/planner/{county}/repairs/{draft}/discard", needs="plan.run", summary="Discard a repair")
async def discard(call: Call[DraftPath, Nothing, Nothing]) -> None:
    await discard_repair(call.app.store, call.path.county, call.path.draft)
