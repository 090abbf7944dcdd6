"""The classroom's desk, made for a device on a big screen: waiting, the running lesson, and back again by itself."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import StringConstraints

from api.attending import attending
from api.live import OccurrencePath, own_side, side_of
from api.pages import ZONE
from api.problems import Problem
from api.routing import Call, Nothing, Routes, Shape
from api.stage import OVER, doors_open, script_words, side_name
from rooms.planning.occurrences import OccurrenceView, Who, between

routes = Routes("classroom")

NEAR = timedelta(hours=2)
"""Around midnight, a lesson of the neighbouring day this close belongs on the screen."""


class Left(Shape):
    """The lesson that was left by hand, which is then not entered again by itself."""

    left: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""


class ClassroomNow(Shape):
    """What the waiting screen asks every few seconds. `mark` changes when the day's lessons do."""

    now: datetime
    running: str | None
    mark: str


@routes.get("/classroom", needs="lesson.join", summary="The waiting screen of a classroom", page=True)
async def waiting(call: Call[Nothing, Left, Nothing]) -> web.Response:
    lessons = await todays(call)
    now = call.app.clock.now()
    coming = [lesson for lesson in lessons if lesson.state not in OVER and lesson.ends_at > now - timedelta(minutes=30)]
    upcoming = coming[0] if coming else None
    language = call.caller.language
    data = {
        "now": now.isoformat(),
        "next": {"starts_at": upcoming.starts_at.isoformat()} if upcoming else None,
        "mark": mark_of(lessons),
        "left": call.query.left,
        "zone": str(ZONE),
        "locale": "zh-CN" if language == "zh_CN" else "en-GB",
        "words": script_words(language, "live", "classroom"),
    }
    return call.page(
        "classroom/waiting.html",
        lessons=lessons,
        upcoming=upcoming,
        open_now=upcoming is not None and now >= doors_open(call, upcoming),
        now=now,
        data=data,
        own=lambda lesson: own_side(call.principal, lesson),
        side_name=lambda side: side_name(language, side),
    )


@routes.get("/api/classroom/now", needs="lesson.join", summary="Which lesson runs in this classroom")
async def now(call: Call[Nothing, Nothing, Nothing]) -> ClassroomNow:
    lessons = await todays(call)
    running = next((lesson.id for lesson in lessons if lesson.state == "live"), None)
    return ClassroomNow(now=call.app.clock.now(), running=running, mark=mark_of(lessons))


@routes.get("/classroom/{occurrence}", needs="lesson.join", summary="A lesson on the big screen", page=True)
async def lesson(call: Call[OccurrencePath, Nothing, Nothing]) -> web.Response:
    view, own = await side_of(call, call.path.occurrence)
    return await attending(call, view, own, home="/classroom", after="/classroom")


async def todays(call: Call[Any, Any, Any]) -> list[OccurrenceView]:
    """The lessons this classroom receives today, in order, and around midnight those that still run or begin soon."""
    if call.principal.room is None:
        raise Problem("not_found")
    county, school, room = call.principal.room
    now = call.app.clock.now()
    today = now.astimezone(ZONE).date()
    who = Who(county=county, schools=frozenset({school}), room=room)
    async with call.app.store.read() as session:
        lessons = await between(session, who, today - timedelta(days=1), today + timedelta(days=1))
    near = [
        lesson
        for lesson in lessons
        if lesson.day == today or (lesson.ends_at > now - NEAR and lesson.starts_at < now + NEAR)
    ]
    return [lesson for lesson in near if own_side(call.principal, lesson) is not None]


def mark_of(lessons: list[OccurrenceView]) -> str:
    """Changes when a lesson is added, moved, begun, ended or cancelled."""
    told = "\n".join(f"{each.id} {each.state} {each.starts_at.isoformat()}" for each in lessons)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
