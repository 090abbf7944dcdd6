"""By hand: where a meeting or a lacking lesson could go and what each place would break, placing it, and locking what must stay."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from api.planner.breaches import breach
from api.planner.desk import CountyPath, PlanPath, head_of, plan_of, routes, show
from api.planner.happening import OptionalCode
from api.planner.repairs import Accepted, Drafted
from api.refused import problem_of
from api.routing import Call, Code, Nothing, RowId, Shape, Text
from config.words import Language
from rooms.planning.meeting_locks import lock_meetings, lock_published, locks_on, unlock, unlock_automatic
from rooms.planning.names import Names, names_of
from rooms.planning.places import Cell
from rooms.planning.placing import Piece, Spot, load_bench, place, put
from rooms.planning.repairs import Wish, preview_repair
from rooms.planning.versions import load_plan
from rooms.refusals import Invalid, Refusal
from scheduler.problem import Lock, Slot, TeacherCode

CellText = Annotated[
    str, StringConstraints(pattern=r"^([1-7]) (\d{1,4}) (\d{1,4}) ([1-3]) (\d*) ([^\x00-\x20/]*) ([^\x00-\x20/]*)$")
]
"""Weekday, start, end, weeks, host lesson, code of a joined meeting, room: what a cell of the grid sends."""


class Placed(Shape):
    """What is to be placed (a standing meeting, or a class's lacking lesson) and whose grid is shown."""

    meeting: OptionalCode = ""
    school_class: OptionalCode = ""
    subject: OptionalCode = ""
    weeks: int = Field(3, ge=1, le=3)
    teacher: OptionalCode = ""


class Placing(Placed):
    """A place in the grid. What breaks rules needs `anyway` and a reason."""

    teacher: Code
    cell: CellText | None = None
    anyway: bool = False
    lock: bool = True
    reason: Text = ""


class LockOne(Shape):
    """The meeting of the plan that must stay where it is."""

    meeting: Code
    reason: Text = ""


class Count(Shape):
    """How many were locked or unlocked."""

    meetings: int


class LockPath(CountyPath):
    lock: RowId


@routes.get("/planner/{county}/plans/{number}/place", needs="plan.run", summary="Where a meeting could go", page=True)
async def place_page(call: Call[PlanPath, Placed, Nothing]) -> web.Response:
    asked, language = call.query, call.caller.language
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        names, plan = await names_of(session, head.county), await load_plan(session, version.id)
        locks = await locks_on(session, head.county, plan.meetings)
        try:
            bench = await load_bench(session, head.county, version.id, _piece(asked))
        except Refusal as refusal:
            told = problem_of(refusal).body(language).detail
            return show(call, "place", head, tab="meetings", version=version, plan=plan, names=names, refused=told)
    places = bench.places
    chosen = TeacherCode(asked.teacher)
    teacher = chosen if chosen in places.teachers else next(iter(places.teachers), None)
    cells = await asyncio.to_thread(places.cells, teacher) if teacher else []
    days: dict[int, list[tuple[Cell, list[str]]]] = {}
    for cell in cells:
        days.setdefault(cell.period.weekday, []).append((cell, _sentences(language, cell, names)))
    return show(
        call, "place", head, tab="meetings", version=version, plan=plan, names=names, refused="", asked=asked,
        wanted=places.wanted, days=days, teacher=teacher, teachers=places.teachers, kept=locks.get(asked.meeting),
    )  # fmt: skip


def _sentences(language: Language, cell: Cell, names: Names) -> list[str]:
    return list(dict.fromkeys(breach(language, each.code, each.facts, names) for each in cell.breaches))


def _piece(asked: Placed) -> Piece:
    return Piece(asked.meeting, asked.school_class, asked.subject, asked.weeks)


def _spot(body: Placing) -> Spot:
    if body.cell is None:
        raise Invalid("place_cell")
    weekday, start, end, weeks, host, joined, room = body.cell.split(" ")
    slot = Slot(int(weekday), int(start), int(end), int(weeks))
    return Spot(body.teacher, room, slot, int(host) if host else None, joined)


@routes.post("/api/planner/{county}/plans/{number}/place", needs="plan.run", summary="Place a meeting", status=201)
async def place_it(call: Call[PlanPath, Nothing, Placing]) -> Accepted:
    app, body, county = call.app, call.body, call.path.county
    async with app.store.read() as session:
        version = await plan_of(session, county, call.path.number)
    made = await place(
        app.store, call.actor, app.clock, county, version.id, _piece(body), _spot(body), anyway=body.anyway,
        reason=body.reason, lock=body.lock,
    )  # fmt: skip
    return Accepted(plan=made.number)


@routes.post(
    "/api/planner/{county}/plans/{number}/place/mend",
    needs="plan.run", summary="Place a meeting and let others give way", status=201, limit="plan",
)  # fmt: skip
async def place_and_mend(call: Call[PlanPath, Nothing, Placing]) -> Drafted:
    app, body, county = call.app, call.body, call.path.county
    piece, spot = _piece(body), _spot(body)
    async with app.store.read() as session:
        version = await plan_of(session, county, call.path.number)
        meeting = put(await load_bench(session, county, version.id, piece), piece, spot)
    wish = Wish(lock=Lock(replace(meeting, code="")), reason=body.reason)
    return Drafted(draft=await preview_repair(app.store, call.actor, app.clock, county, wish, plan_id=version.id))


@routes.post("/api/planner/{county}/plans/{number}/locks", needs="plan.run", summary="Lock a meeting", status=201)
async def lock_one(call: Call[PlanPath, Nothing, LockOne]) -> Count:
    app, body, county = call.app, call.body, call.path.county
    async with app.store.read() as session:
        version = await plan_of(session, county, call.path.number)
    codes = {body.meeting}
    done = await lock_meetings(app.store, call.actor, app.clock, county, version.id, codes, reason=body.reason)
    return Count(meetings=done)


@routes.post("/api/planner/{county}/locks/published", needs="plan.run", summary="Lock all that is published")
async def lock_all(call: Call[CountyPath, Nothing, Nothing]) -> Count:
    return Count(meetings=await lock_published(call.app.store, call.actor, call.app.clock, call.path.county))


@routes.post("/api/planner/{county}/locks/{lock}/unlock", needs="plan.run", summary="Unlock a meeting")
async def unlock_one(call: Call[LockPath, Nothing, Nothing]) -> None:
    await unlock(call.app.store, call.actor, call.app.clock, call.path.county, call.path.lock)


@routes.post("/api/planner/{county}/locks/release", needs="plan.run", summary="Unlock all automatic locks")
async def unlock_all(call: Call[CountyPath, Nothing, Nothing]) -> Count:
    return Count(meetings=await unlock_automatic(call.app.store, call.actor, call.app.clock, call.path.county))
