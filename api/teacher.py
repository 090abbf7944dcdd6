"""The teacher's desk: the lessons one leads or attends, and the page from which a lesson is taught."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from api.attending import attending
from api.live import OccurrencePath, own_side, side_of
from api.pages import ZONE
from api.problems import Problem
from api.routing import Call, Nothing, Routes, Shape
from api.stage import OVER, doors_open, lesson_data, script_words, side_name
from rooms.planning.occurrences import OccurrenceView, Who, between, due_now
from rooms.recordings import recordings_of
from rooms.tables import Verdict

routes = Routes("teacher")


class Week(Shape):
    """Which week: 0 is this one, −1 the last."""

    week: int = Field(default=0, ge=-60, le=60)


@routes.get("/teach", needs="lesson.teach", summary="The lessons a teacher leads or attends", page=True)
async def home(call: Call[Nothing, Week, Nothing]) -> web.Response:
    who = own_lessons(call)
    now = call.app.clock.now()
    today = now.astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=call.query.week)
    async with call.app.store.read() as session:
        due = await due_now(session, who, now, early=timedelta(minutes=call.app.settings.early_entry_minutes))
        week = await between(session, who, monday, monday + timedelta(days=6))
        past = await between(session, who, today - timedelta(days=28), today)
    taught = [
        lesson for lesson in past if lesson.state in ("ended", "judged") and lesson.lead.teacher_code == who.teacher
    ]
    return call.page(
        "teacher/home.html",
        now=now,
        today=today,
        monday=monday,
        offset=call.query.week,
        due=due,
        days=by_day(week),
        taught=taught[::-1][:8],
        counts=counts_of(taught),
        own=lambda lesson: own_side(call.principal, lesson),
        side_name=lambda side: side_name(call.caller.language, side),
    )


@routes.get(
    "/teach/{occurrence}", needs="lesson.teach", summary="Prepare, teach and end one lesson, or attend it", page=True
)
async def lesson(call: Call[OccurrencePath, Nothing, Nothing]) -> web.Response:
    """Whoever leads it has the desk; a community's member attends, and sees afterwards what was counted."""
    view, own = await side_of(call, call.path.occurrence)
    if own.side == "member" and view.state not in OVER:
        return await attending(call, view, own, home="/teach", after=f"/teach/{view.id}")
    async with call.app.store.read() as session:
        rows = await session.scalars(select(Verdict).where(Verdict.occurrence_id == view.id))
        measured = {row.side_id: (row.common_seconds, row.required_seconds) for row in rows}
        recordings = await recordings_of(session, view.id)
    return call.page(
        "teacher/lesson.html",
        lesson=view,
        own=own,
        over=view.state in OVER,
        measured=measured,
        recordings=recordings,
        recording_rule=call.app.settings.recording,
        enter_from=doors_open(call, view),
        data=lesson_data(call, view, script_words(call.caller.language, "live", "teacher", "encoder")),
        side_name=lambda side: side_name(call.caller.language, side),
    )


def own_lessons(call: Call[Any, Any, Any]) -> Who:
    """The lessons of the teacher behind the account; an account without a teacher has none."""
    if call.principal.teacher is None:
        raise Problem("not_found")
    county, code = call.principal.teacher
    return Who(county=county, teacher=code)


def by_day(lessons: list[OccurrenceView]) -> list[tuple[date, list[OccurrenceView]]]:
    """Lessons in order, gathered by their day."""
    return [(day, list(group)) for day, group in groupby(lessons, key=lambda each: each.day)]


def counts_of(lessons: list[OccurrenceView]) -> dict[str, int]:
    """How many of one's own lessons of the last four weeks were found what."""
    found = [lesson.lead.verdict or "UNJUDGED" for lesson in lessons]
    return {verdict: found.count(verdict) for verdict in ("VALID", "INVALID", "UNJUDGED")}
