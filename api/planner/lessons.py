"""Dated lessons: a county's day, one lesson, cancelling it, and adding one that makes up for another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.planner.desk import CountyPath, Head, head_of, routes, show
from api.routing import Call, Code, Day, HexId, Nothing, Shape, Text
from rooms.planning.changes import LARGEST_SHIFT, REASONS, NewLesson, add_lesson, cancel, declare_shift, excuse_side
from rooms.planning.names import Names, names_of
from rooms.planning.occurrences import OccurrenceView, Who, between, occurrence
from rooms.planning.restoring import welcome_side
from rooms.recordings import recordings_of
from rooms.refusals import NotFound

Minute = Field(ge=0, le=24 * 60)


class LessonPath(Shape):
    county: Code
    lesson: HexId


class DayQuery(Shape):
    """The day that is shown; today where empty."""

    day: Day | None = None


class Cancel(Shape):
    """Why a lesson does not take place."""

    reason: Literal[
        "system_fault",
        "device_fault",
        "power",
        "network",
        "teacher_leave",
        "lead_did_not_teach",
        "room_closed",
        "school_closed",
        "other",
    ]
    note: Text = ""


class OneSide(Shape):
    side: HexId


class Excuse(Cancel, OneSide):
    """Why one side misses, or missed, a lesson that is held."""


class Shift(Shape):
    """By how many minutes a lesson is held later than planned; earlier where below zero."""

    minutes: int = Field(ge=-(LARGEST_SHIFT // 60), le=LARGEST_SHIFT // 60)


class MakeUp(Shape):
    """When a cancelled or missed lesson is made up for; everything else is as it was."""

    day: Day
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Extra(MakeUp):
    """A lesson beside the plan."""

    kind: Literal["lesson", "observation", "seminar", "lecture", "qa", "rehearsal"] = "lesson"
    subject: Code
    title: Text = ""
    lead_teacher_code: Code
    lead_room_code: Code
    class_codes: list[Code] = Field(min_length=1, max_length=30)


class Made(Shape):
    """A lesson that was added."""

    id: str


@routes.get("/planner/{county}/lessons", needs="timetable.read", summary="The lessons of a day", page=True)
async def lessons(call: Call[CountyPath, DayQuery, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        day = call.query.day or head.today
        names = await names_of(session, head.county)
        monday = day - timedelta(days=day.weekday())
        found = await between(session, Who(head.county), monday, monday + timedelta(days=6))
    counts = {
        monday + timedelta(days=n): sum(each.day == monday + timedelta(days=n) for each in found) for n in range(7)
    }
    rows = [each for each in found if each.day == day]
    return show(call, "lessons", head, day=day, monday=monday, counts=counts, rows=rows, names=names)


@routes.get("/planner/{county}/lessons/new", needs="lesson.change", summary="The form of an extra lesson", page=True)
async def new_lesson(call: Call[CountyPath, DayQuery, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
    return show(call, "lesson_new", head, names=names, day=call.query.day or head.today, subjects=_subjects(names))


@routes.get("/planner/{county}/lessons/{lesson}", needs="timetable.read", summary="A dated lesson", page=True)
async def lesson(call: Call[LessonPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
        found = await _seen(session, call, head)
        replaced = await occurrence(session, found.replaces_id) if found.replaces_id else None
        makers = [await occurrence(session, each) for each in found.replaced_by]
        watches = call.principal.may("recording.watch", county=head.county)
        recordings = await recordings_of(session, found.id) if watches else []
    return show(
        call, "lesson", head, lesson=found, names=names, reasons=REASONS, replaced=replaced,
        makers=[each for each in makers if each], now=call.app.clock.now(),
        recordings=recordings, largest_shift=LARGEST_SHIFT // 60,
    )  # fmt: skip


async def _seen(session: AsyncSession, call: Call[LessonPath, Any, Any], head: Head) -> OccurrenceView:
    found = await occurrence(session, call.path.lesson)
    principal = call.principal
    if found is None or found.county != head.county:
        raise NotFound
    if not any(principal.sees_school(head.county, side.school_code) for side in found.sides):
        raise NotFound
    return found


@routes.post("/api/planner/{county}/lessons/{lesson}/cancel", needs="lesson.change", summary="Cancel a lesson")
async def cancel_lesson(call: Call[LessonPath, Nothing, Cancel]) -> None:
    app, body = call.app, call.body
    await cancel(
        app.store, call.actor, app.clock, call.path.lesson, reason=body.reason, note=body.note, county=call.path.county
    )


@routes.post(
    "/api/planner/{county}/lessons/{lesson}/excuse",
    needs="lesson.change",
    summary="Accept why one side misses, or missed, a lesson",
)
async def excuse(call: Call[LessonPath, Nothing, Excuse]) -> None:
    app, body = call.app, call.body
    side = await _side(call)
    await excuse_side(
        app.store, call.actor, app.clock, side, reason=body.reason, note=body.note, county=call.path.county
    )


@routes.post(
    "/api/planner/{county}/lessons/{lesson}/welcome",
    needs="lesson.change",
    summary="Take the excuse of a side back before the lesson",
)
async def welcome(call: Call[LessonPath, Nothing, OneSide]) -> None:
    app, side = call.app, await _side(call)
    await welcome_side(app.store, call.actor, app.clock, side, county=call.path.county)


async def _side(call: Call[LessonPath, Nothing, Any]) -> str:
    """The side that was named, which is of the lesson."""
    async with call.app.store.read() as session:
        found = await occurrence(session, call.path.lesson)
    if found is None or call.body.side not in {side.id for side in found.sides}:
        raise NotFound("side_unknown")
    return str(call.body.side)


@routes.post(
    "/api/planner/{county}/lessons/{lesson}/shift",
    needs="lesson.change",
    summary="Declare that a lesson is held some minutes later, or earlier",
)
async def shift(call: Call[LessonPath, Nothing, Shift]) -> None:
    seconds = 60 * call.body.minutes
    app, county = call.app, call.path.county
    await declare_shift(app.store, call.actor, app.clock, call.path.lesson, seconds=seconds, county=county)


@routes.post(
    "/api/planner/{county}/lessons/{lesson}/make-up", needs="lesson.change", summary="Add a make-up lesson", status=201
)
async def make_up(call: Call[LessonPath, Nothing, MakeUp]) -> Made:
    app, body, county = call.app, call.body, call.path.county
    new = NewLesson(county, body.day, minute(body.start), minute(body.end), replaces=call.path.lesson)
    return Made(id=await add_lesson(app.store, call.actor, app.clock, new))


@routes.post("/api/planner/{county}/lessons", needs="lesson.change", summary="Add a lesson beside the plan", status=201)
async def extra(call: Call[CountyPath, Nothing, Extra]) -> Made:
    app, body = call.app, call.body
    new = NewLesson(
        call.path.county, body.day, minute(body.start), minute(body.end), kind=body.kind, subject=body.subject,
        title=body.title, lead_teacher_code=body.lead_teacher_code, lead_room_code=body.lead_room_code,
        class_codes=tuple(body.class_codes),
    )  # fmt: skip
    return Made(id=await add_lesson(app.store, call.actor, app.clock, new))


def _subjects(names: Names) -> list[str]:
    return sorted({subject for teacher in names.teachers.values() for subject in teacher.subjects})


def minute(text: str) -> int:
    """Minutes since midnight of ``08:40``."""
    return int(text[:2]) * 60 + int(text[3:])
