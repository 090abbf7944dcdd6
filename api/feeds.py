"""Calendars to subscribe to (iCalendar), by an address nobody can guess."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from api.problems import Problem
from api.routing import PUBLIC, Call, Nothing, Routes, Shape
from rooms.planning.feeds import read_feed

routes = Routes("feeds")

CALENDAR = "text/calendar"


class FeedPath(Shape):
    """The secret part of a calendar's address."""

    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,128}$")]


@routes.get(
    "/calendar/{token}.ics", needs=PUBLIC, summary="A calendar to subscribe to", produces=CALENDAR, limit="calendar"
)
async def calendar(call: Call[FeedPath, Nothing, Nothing]) -> web.Response:
    text = await read_feed(call.app.store, call.app.clock, call.path.token, languages=(call.caller.language,))
    if text is None:
        raise Problem("not_found")
    return web.Response(body=text, content_type=CALENDAR, charset="utf-8", headers={"Cache-Control": "max-age=900"})
