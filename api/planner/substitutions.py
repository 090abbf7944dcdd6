"""Single days: an ill teacher, a closed room or school, settled lesson by lesson; two lessons that change hours; taking it back."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from api.planner.desk import CountyPath, head_of, routes, show
from api.planner.happening import Happening, OptionalCode, OptionalDate, Window, choices_of, circumstance_of, whom
from api.planner.lessons import LessonPath
from api.refused import problem_of
from api.routing import Call, HexId, Nothing, RowId, Shape, Text
from rooms.planning.circumstance_rows import recorded
from rooms.planning.circumstances import Circumstance
from rooms.planning.names import names_of
from rooms.planning.occurrences import occurrence
from rooms.planning.substitutions import Proposals, lift, propose, restore, substitute
from rooms.planning.swaps import partners, swap
from rooms.refusals import NotFound, Refusal

Kind = Literal["teacher_away", "room_closed", "school_closed"]
MOST_BLOCKED = 40
"""Lessons that do not fit which a page lists, with what stands against them."""


class Asked(Window):
    """Who or what is not there on which days; without a code only the form is shown."""

    kind: Kind = "teacher_away"
    code: OptionalCode = ""
    from_date: OptionalDate = None
    until_date: OptionalDate = None


class Decided(Happening):
    """A decision for every lesson that is hit, by the lesson's id."""

    kind: Kind
    until_date: date
    choices: dict[HexId, Annotated[str, Field(max_length=300)]]


class Told(Shape):
    """A circumstance that was told."""

    circumstance: int


class CircumstancePath(CountyPath):
    circumstance: RowId


class Lifting(Shape):
    """What lifting gave back, and the lessons for which it was too late."""

    restored: int
    left: int


class SwapWith(Shape):
    """The lesson to change hours with."""

    other: HexId
    note: Text = ""


class Swapped(Shape):
    """The two lessons that stand instead."""

    one: str
    other: str


@routes.get("/planner/{county}/substitutions", needs="lesson.change", summary="Settle an absence by days", page=True)
async def substitutions(call: Call[CountyPath, Asked, Nothing]) -> web.Response:
    asked = call.query
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        first = asked.from_date or head.today
        last = asked.until_date or first
        found: Proposals | None = None
        refused = ""
        if asked.code:
            try:
                found = await propose(session, call.app.clock, head.county, _asked(asked, first, last))
            except Refusal as refusal:
                refused = problem_of(refusal).body(call.caller.language).detail
        told = [each for each in await recorded(session, head.county) if each.what.until_date is not None]
    return show(
        call, "substitutions", head, asked=asked, first=first, last=last, names=names, found=found, refused=refused,
        choices=choices_of(names, asked.kind), told=told[:20], whom=whom,
    )  # fmt: skip


def _asked(asked: Asked, first: date, last: date) -> Circumstance:
    values = asked.model_dump(exclude={"from_date", "until_date"})
    return circumstance_of(Happening(**values, from_date=first), last)


@routes.post("/api/planner/{county}/substitutions", needs="lesson.change", summary="Accept substitutions", status=201)
async def accept(call: Call[CountyPath, Nothing, Decided]) -> Told:
    app, body = call.app, call.body
    what = circumstance_of(body, body.until_date)
    told = await substitute(app.store, call.actor, app.clock, call.path.county, what, body.choices)
    return Told(circumstance=told)


@routes.post(
    "/api/planner/{county}/circumstances/{circumstance}/lift", needs="lesson.change", summary="Lift a circumstance"
)
async def lift_it(call: Call[CircumstancePath, Nothing, Nothing]) -> Lifting:
    app, path = call.app, call.path
    done = await lift(app.store, call.actor, app.clock, path.county, path.circumstance)
    return Lifting(restored=done.restored, left=done.left)


@routes.post(
    "/api/planner/{county}/lessons/{lesson}/restore", needs="lesson.change", summary="Take a cancellation back"
)
async def restore_lesson(call: Call[LessonPath, Nothing, Nothing]) -> None:
    await restore(call.app.store, call.actor, call.app.clock, call.path.lesson, county=call.path.county)


@routes.get("/planner/{county}/lessons/{lesson}/swap", needs="lesson.change", summary="Swap a lesson's hour", page=True)
async def swap_page(call: Call[LessonPath, Nothing, Nothing]) -> web.Response:
    refused, found = "", []
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        lesson = await occurrence(session, call.path.lesson)
        if lesson is None or lesson.county != head.county:
            raise NotFound
        try:
            found = await partners(session, call.app.clock, head.county, lesson.id)
        except Refusal as refusal:
            refused = problem_of(refusal).body(call.caller.language).detail
    free = [each for each in found if not each.obstacles]
    blocked = [each for each in found if each.obstacles][:MOST_BLOCKED]
    return show(call, "swap", head, lesson=lesson, names=names, free=free, blocked=blocked, refused=refused)


@routes.post("/api/planner/{county}/lessons/{lesson}/swap", needs="lesson.change", summary="Two lessons swap hours")
async def swap_lessons(call: Call[LessonPath, Nothing, SwapWith]) -> Swapped:
    app, path, body = call.app, call.path, call.body
    one, other = await swap(app.store, call.actor, app.clock, path.county, path.lesson, body.other, note=body.note)
    return Swapped(one=one, other=other)
