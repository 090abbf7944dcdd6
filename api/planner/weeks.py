"""Weeks with dates: of a school, a teacher or a room, to look at, to print and to subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from api.planner.desk import CountyPath, Head, head_of, routes, show
from api.planner.grids import Block, Column, Grid, grid, side_by_side
from api.routing import Call, Code, Day, Nothing, Shape
from rooms.planning.feeds import make_feed, revoke_feeds
from rooms.planning.names import Names, names_of
from rooms.planning.timetable import (
    DayView,
    LocalEntry,
    RemoteEntry,
    WeekView,
    room_week,
    school_week,
    teacher_week,
)
from rooms.refusals import NotFound

Entry = LocalEntry | RemoteEntry


class SchoolPath(Shape):
    county: Code
    school: Code


class TeacherPath(Shape):
    county: Code
    teacher: Code


class RoomPath(Shape):
    county: Code
    room: Code


class WeekQuery(Shape):
    """A day of the week that is shown (today's where empty), and the class whose local lessons stand beside."""

    day: Day | None = None
    group: str = ""
    """A class code; ``*`` for every class one after the other; empty for the remote lessons alone."""


class NewFeed(Shape):
    """Whose calendar."""

    kind: Literal["teacher", "school", "room"]
    code: Code


class Feed(Shape):
    """An address to subscribe to."""

    url: str


class EndedFeeds(Shape):
    """How many addresses no longer answer."""

    addresses: int


@routes.get("/planner/{county}/schools/{school}/week", needs="timetable.read", summary="A school's week", page=True)
async def of_school(call: Call[SchoolPath, WeekQuery, Nothing]) -> web.Response:
    code = call.path.school
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        week = await school_week(session, head.county, code, call.query.day or head.today)
    if week is None:
        raise NotFound
    groups = [each for each in names.classes.values() if each.school_code == code and not each.retired]
    chosen = call.query.group if call.query.group in ("*", *(each.code for each in groups)) else ""
    wanted = [each.code for each in groups] if chosen == "*" else [chosen]
    grids = [(each, drawn(week, head.today, each)) for each in wanted]
    return _show(call, head, week, kind="school", code=code, names=names, grids=grids, groups=groups, group=chosen)


@routes.get("/planner/{county}/teachers/{teacher}/week", needs="timetable.read", summary="A teacher's week", page=True)
async def of_teacher(call: Call[TeacherPath, WeekQuery, Nothing]) -> web.Response:
    code = call.path.teacher
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        _seen(call, names.school_of_teacher(code))
        week = await teacher_week(session, head.county, code, call.query.day or head.today)
    return _of_one(call, head, names, week, kind="teacher", code=code)


@routes.get("/planner/{county}/rooms/{room}/week", needs="timetable.read", summary="A room's week", page=True)
async def of_room(call: Call[RoomPath, WeekQuery, Nothing]) -> web.Response:
    code = call.path.room
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        _seen(call, names.rooms[code].school_code if code in names.rooms else "")
        week = await room_week(session, head.county, code, call.query.day or head.today)
    return _of_one(call, head, names, week, kind="room", code=code)


def _seen(call: Call[Any, Any, Any], school: str) -> None:
    """Refuses a teacher's or a room's week to those who do not see its school."""
    if not school or not call.principal.sees_school(call.path.county, school):
        raise NotFound


def _of_one(
    call: Call[Any, WeekQuery, Any], head: Head, names: Names, week: WeekView | None, *, kind: str, code: str
) -> web.Response:
    """The week of a teacher or a room."""
    if week is None:
        raise NotFound
    grids = [("", drawn(week, head.today, None))]
    return _show(call, head, week, kind=kind, code=code, names=names, grids=grids, groups=(), group="")


def _show(call: Call[Any, WeekQuery, Any], head: Head, week: WeekView, **view: object) -> web.Response:
    around = {"before": week.monday - timedelta(days=7), "after": week.monday + timedelta(days=7)}
    return show(call, "week", head, week=week, **around, **view)


def drawn(week: WeekView, today: date, group: str | None) -> Grid[Entry]:
    """A week as a grid. `group` is a class whose local lessons stand beside; empty for none, None for all that there are."""
    return grid([_column(day, today, group) for day in week.days])


def _column(day: DayView, today: date, group: str | None) -> Column[Entry]:
    local = [each for each in day.local if group is None or group in each.class_codes]
    remote = [each for each in day.remote if not group or not each.class_codes or group in each.class_codes]
    blocks: list[Block[Entry]] = [Block(each.start, each.end, each) for each in _standing(local, remote)]
    blocks += [Block(each.occurrence.start, each.occurrence.end, each) for each in remote]
    return Column(
        day.day.isoweekday(), side_by_side(blocks), day.periods, day.day, day.note, day.taught_as is None,
        day.day == today,
    )  # fmt: skip


def _standing(local: Sequence[LocalEntry], remote: Sequence[RemoteEntry]) -> list[LocalEntry]:
    """Local lessons without those that a remote lesson of the same window and subject carries (synchronous)."""
    carried = {
        (each.occurrence.start, each.occurrence.end, each.occurrence.subject) for each in remote if each.role == "lead"
    }
    return [each for each in local if (each.start, each.end, each.subject) not in carried]


@routes.post("/api/planner/{county}/feeds", needs="timetable.read", summary="A new calendar address", status=201)
async def subscribe(call: Call[CountyPath, Nothing, NewFeed]) -> Feed:
    app, body, county = call.app, call.body, call.path.county
    async with app.store.read() as session:
        _seen(call, await _school_of(session, county, body))
    token = await make_feed(app.store, call.actor, app.clock, county, body.kind, body.code)
    base = app.settings.public_url.rstrip("/") or str(call.request.url.origin())
    return Feed(url=f"{base}/calendar/{token}.ics")


@routes.post(
    "/api/planner/{county}/feeds/end",
    needs="lesson.change",
    summary="End every address of a calendar that was given out",
)
async def unsubscribe(call: Call[CountyPath, Nothing, NewFeed]) -> EndedFeeds:
    app, body, county = call.app, call.body, call.path.county
    return EndedFeeds(addresses=await revoke_feeds(app.store, call.actor, app.clock, county, body.kind, body.code))


async def _school_of(session: AsyncSession, county: str, wanted: NewFeed) -> str:
    names = await names_of(session, county)
    if wanted.kind == "school":
        return wanted.code if wanted.code in names.schools else ""
    if wanted.kind == "teacher":
        return names.school_of_teacher(wanted.code)
    return names.rooms[wanted.code].school_code if wanted.code in names.rooms else ""
