"""What is live now: the running classes of a county with the line of every side, and one class's sessions in numbers. No media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bureau.desk import CountyPath, Head, head_of, routes, show, time_of_day
from api.bureau.lesson import LessonPath
from api.routing import Call, Nothing
from api.stage import OVER
from rooms.live.sources import classroom_source
from rooms.live.state import LiveSide, LiveState
from rooms.live.vitals import Grade, grade_of_side
from rooms.refusals import NotFound
from rooms.tables import Occurrence


@dataclass(frozen=True, slots=True)
class SideNow:
    """A side of a running class and how its line does; `grade` is None where nothing is known of it."""

    side: LiveSide
    grade: Grade | None
    sessions: tuple[Mapping[str, Any], ...]
    """As the relay counts them (docs/LIVE_PROTOCOL.md, "media")."""
    seen: Mapping[str, Any] | None
    """What the side's page says of its picture: freezes, freeze_seconds, height."""


@dataclass(frozen=True, slots=True)
class ClassNow:
    """A running class."""

    state: LiveState
    sides: tuple[SideNow, ...]


@routes.get("/bureau/{county}/live", needs="report.read", summary="The classes that are live now", page=True)
async def live(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
    return show(call, "live", head, {"live": await running(call, head)})


@routes.get("/bureau/{county}/live/{lesson}", needs="report.read", summary="A live class in numbers", page=True)
async def live_class(call: Call[LessonPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
    state = await call.app.board.state(call.path.lesson)
    if state is None or state.county != head.county:
        raise NotFound
    if state.state in OVER:
        return web.Response(status=303, headers={"Location": f"/bureau/{head.county}/lessons/{state.occurrence_id}"})
    view = {
        "each": class_now(call, state),
        "names": {classroom_source(side.id): side.school_name for side in state.sides if side.side != "lead"},
        "now": call.app.clock.now(),
        "clock": time_of_day,
    }
    return show(call, "live_class", head, view)


async def running(call: Call[Any, Any, Any], head: Head) -> list[ClassNow]:
    """The county's live classes, by their start."""
    async with call.app.store.read() as session:
        ids = await live_ids(session, head.county)
    states = [await call.app.board.state(each) for each in ids]
    return [class_now(call, each) for each in states if each is not None]


async def live_ids(session: AsyncSession, county: str) -> list[str]:
    """Ids of the county's classes that are live now."""
    found = await session.scalars(
        select(Occurrence.id)
        .where(Occurrence.county == county, Occurrence.state == "live")
        .order_by(Occurrence.starts_at, Occurrence.id)
    )
    return list(found)


def class_now(call: Call[Any, Any, Any], state: LiveState) -> ClassNow:
    """A class with what its relay said last; the first look only asks for it."""
    figures = call.app.onlookers.look(state.occurrence_id) or {"sessions": [], "seen": {}}
    sessions = figures["sessions"]
    sides = (
        SideNow(
            side,
            grade_of_side(sessions, side.id, leads=side.side == "lead"),
            tuple(each for each in sessions if each["side"] == side.id),
            figures["seen"].get(side.id),
        )
        for side in state.sides
    )
    return ClassNow(state, tuple(sides))
