"""One lesson as its evidence shows it: sides, presence drawn over time, the verdict in words, the rows it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bureau.audit import entries_of, known_actions
from api.bureau.desk import CountyPath, head_of, routes, show, time_of_day
from api.routing import Call, HexId, Nothing
from config.words import catalogue
from rooms.live.sources import LEAD
from rooms.live.state import of_source, quality
from rooms.planning.occurrences import OccurrenceView, SideView, occurrence
from rooms.recordings import recordings_of
from rooms.refusals import NotFound
from rooms.tables import Assistant, AuditLeaf, EvidenceEvent, Verdict

WIDTH = 1000
"""Units of the drawing's width."""
MARGIN = timedelta(minutes=8)
TICKS = (5, 10, 15, 20, 30, 60)
MOST_TICKS = 10
ENTRIES = 100


class LessonPath(CountyPath):
    lesson: HexId


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the drawing: where it begins, how wide it is, what it is, and when."""

    x: float
    width: float
    kind: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in the drawing."""

    x: float
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Axis:
    """The drawing's time: from `start` over `seconds`, with the planned window and ticks."""

    start: datetime
    seconds: float
    window: Bar
    ticks: tuple[Mark, ...]

    @property
    def end(self) -> datetime:
        """Where the drawing ends."""
        return self.start + timedelta(seconds=self.seconds)

    def x(self, at: datetime) -> float:
        """Where an instant lies, held within the drawing."""
        share = (at - self.start).total_seconds() / self.seconds
        return round(WIDTH * min(1.0, max(0.0, share)), 2)

    def bar(self, start: datetime, end: datetime, kind: str) -> Bar:
        """A stretch between two instants."""
        left = self.x(start)
        return Bar(left, round(self.x(end) - left, 2), kind, start, end)


@dataclass(frozen=True, slots=True)
class SideLine:
    """A side with what is stored about it."""

    side: SideView
    verdict: Verdict | None
    assistant: str | None
    signed_in: bool
    presence: tuple[Bar, ...]
    gaps: tuple[Bar, ...]
    slots: tuple[Bar, ...]
    spoken: tuple[Bar, ...]
    """When it had the floor."""
    marks: tuple[Mark, ...]
    events: tuple[EvidenceEvent, ...]
    """Everything but slots."""
    media: tuple[EvidenceEvent, ...]
    """The slots alone."""


@routes.get("/bureau/{county}/lessons/{lesson}", needs="report.read", summary="A lesson with its evidence", page=True)
async def lesson_page(call: Call[LessonPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        found = await occurrence(session, call.path.lesson)
        if found is None or found.county != head.county:
            raise NotFound
        events = await _events(session, found.id)
        verdicts = await _verdicts(session, found.id)
        people = await _assistants(session, events)
        recordings = await recordings_of(session, found.id)
        named = (f"recording:{each.id}" for each in recordings)
        objects = [f"occurrence:{found.id}", *(f"side:{side.id}" for side in found.sides), *named]
        entries = await entries_of(session, or_(AuditLeaf.object.in_(objects)), ENTRIES)
        replaced = await occurrence(session, found.replaces_id) if found.replaces_id else None
        axis = axis_of(found, events)
        lines = [side_line(axis, side, verdicts.get(side.id), events, people) for side in found.sides]
        view: dict[str, Any] = {
            "lesson": found,
            "axis": axis,
            "lines": lines,
            "entries": entries,
            "replaced": replaced,
            "recordings": recordings,
            "width": WIDTH,
            "rules": next((line.verdict for line in lines if line.verdict), None),
            "quality": quality,
            "known_events": {key.removeprefix("bureau.event_") for key in catalogue("zh_CN") if "bureau.event_" in key},
            "known_actions": known_actions(),
            "clock": time_of_day,
        }
        return show(call, "lesson", head, view)


async def _events(session: AsyncSession, lesson: str) -> list[EvidenceEvent]:
    found = await session.scalars(
        select(EvidenceEvent).where(EvidenceEvent.occurrence_id == lesson).order_by(EvidenceEvent.at, EvidenceEvent.seq)
    )
    return list(found)


async def _verdicts(session: AsyncSession, lesson: str) -> dict[str, Verdict]:
    found = await session.scalars(select(Verdict).where(Verdict.occurrence_id == lesson))
    return {each.side_id: each for each in found}


async def _assistants(session: AsyncSession, events: Sequence[EvidenceEvent]) -> dict[int, str]:
    ids = {event.data.get("assistant") for event in events if event.kind == "sign_in"}
    found = await session.scalars(select(Assistant).where(Assistant.id.in_([each for each in ids if each])))
    return {each.id: each.name for each in found}


def axis_of(lesson: OccurrenceView, events: Sequence[EvidenceEvent]) -> Axis:
    """From a little before the plan or the first evidence until a little after the last, an hour around the plan at most."""
    hour = timedelta(hours=1)
    first = min([lesson.starts_at, *(event.at for event in events)])
    last = max([lesson.ends_at, *(event.until or event.at for event in events)])
    start = max(first, lesson.starts_at - hour) - MARGIN
    end = min(last, lesson.ends_at + hour) + MARGIN
    seconds = (end - start).total_seconds()
    bare = Axis(start, seconds, Bar(0, 0, "", start, end), ())
    step = next((each for each in TICKS if seconds / 60 / each <= MOST_TICKS), TICKS[-1])
    whole = start.replace(second=0, microsecond=0)
    moment = whole + timedelta(minutes=step - whole.minute % step)
    ticks = []
    while moment < end:
        ticks.append(Mark(bare.x(moment), "tick", moment))
        moment += timedelta(minutes=step)
    return Axis(start, seconds, bare.bar(lesson.starts_at, lesson.ends_at, "window"), tuple(ticks))


def side_line(
    axis: Axis, side: SideView, verdict: Verdict | None, events: Sequence[EvidenceEvent], people: dict[int, str]
) -> SideLine:
    """A side's line of the drawing, with everything stored about it."""
    mine = [event for event in events if event.side_id == side.id]
    role = "publisher" if side.side == "lead" else "subscriber"
    media = [event for event in mine if event.kind == "slot" and event.data["role"] == role and of_source(event, LEAD)]
    signed = next((event for event in mine if event.kind == "sign_in"), None)
    return SideLine(
        side=side,
        verdict=verdict,
        assistant=people.get(signed.data.get("assistant", 0)) if signed else None,
        signed_in=signed is not None,
        presence=_bars(axis, verdict.intervals if verdict else [], "presence"),
        gaps=_bars(axis, verdict.gaps if verdict else [], "gap"),
        slots=tuple(axis.bar(each.at, each.until or each.at, quality(each.data)) for each in media),
        spoken=tuple(axis.bar(start, end, "floor") for start, end in spoken(mine, axis.end)),
        marks=tuple(
            Mark(axis.x(each.at), each.kind, each.at) for each in mine if each.kind in ("sign_in", "head_count")
        ),
        events=tuple(event for event in mine if event.kind != "slot"),
        media=tuple(media),
    )


def spoken(events: Sequence[EvidenceEvent], until: datetime) -> list[tuple[datetime, datetime]]:
    """When a side had the floor, by its evidence in order; what goes on still ends at `until`."""
    found: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for event in events:
        if event.kind != "floor":
            continue
        if since is not None and not event.data["held"]:
            found.append((since, event.at))
        since = event.at if event.data["held"] else None
    return [*found, (since, until)] if since is not None else found


def _bars(axis: Axis, intervals: Sequence[Any], kind: str) -> tuple[Bar, ...]:
    pairs = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in intervals]
    return tuple(axis.bar(start, end, kind) for start, end in pairs)
