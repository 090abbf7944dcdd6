"""A live class as everyone in it sees it; computed from the database alone, so that a restart loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.live.sources import LEAD, SCREEN, classroom_source
from rooms.planning.occurrences import OccurrenceView, SideView, occurrence
from rooms.tables import Assistant, EvidenceEvent, Recording

STALE_AFTER = timedelta(seconds=35)
"""A media session that has said nothing for three slots and a half is not there any more."""
GOOD_PERCENT = 80
"""TRUST: a slot is good where this share was acknowledged, else degraded. What counts as presence is the rule set's."""


@dataclass(frozen=True, slots=True)
class LiveSide:
    """One side now."""

    id: str
    side: str
    """lead, receiver or member."""
    school_code: str
    school_name: str
    class_code: str | None
    grades: tuple[int, ...]
    teacher_code: str | None
    teacher_name: str | None
    room_code: str | None
    entered: bool
    """The page of this side was opened for this class."""
    connected: bool
    """A media session of the lead's picture is up now: the lead sends it, the others receive it."""
    sends: bool
    """A receiving side sends its own picture, or may be heard with the floor."""
    quality: str
    """Of the newest slot: good, degraded, unknown (no receiver report), none."""
    assistant: str | None
    """Name of the assistant who is signed in."""
    expected: int
    present: int | None
    """Head-count that was entered."""
    tested: bool
    """A self-test was stored."""
    verdict: str | None
    """None until it is judged."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class LiveState:
    """The class now. `enter_from` is when the doors open; instants are UTC."""

    occurrence_id: str
    county: str
    family: str
    kind: str
    title: str
    subject: str
    state: str
    starts_at: datetime
    ends_at: datetime
    enter_from: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    shift_seconds: int
    floor: str | None
    """Id of the side that has the floor (发言)."""
    screen: bool
    """The lead shows its screen."""
    recording: str
    """``on``; ``off``; or ``failed``: the last recording ended by itself, the class goes on without."""
    sides: tuple[LiveSide, ...]
    """The lead first."""

    def message(self) -> dict[str, Any]:
        """The same as JSON values: ``{"type": "state", "occurrence_id": …, "sides": […]}``; instants as ISO text."""
        values = {name: _json(value) for name, value in asdict(self).items() if name != "sides"}
        sides = [{name: _json(value) for name, value in asdict(side).items()} for side in self.sides]
        return {"type": "state", **values, "sides": sides}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


async def load_state(session: AsyncSession, occurrence_id: str, now: datetime, *, early: timedelta) -> LiveState | None:
    """The class at `now`, or None where there is no such lesson."""
    view = await occurrence(session, occurrence_id)
    if view is None:
        return None
    events = await _events(session, occurrence_id, now)
    assistants = await _assistants(session, events)
    by_side: dict[str, list[EvidenceEvent]] = {side.id: [] for side in view.sides}
    for event in events:
        if event.side_id in by_side:
            by_side[event.side_id].append(event)
    floor = await floor_of(session, occurrence_id) if view.state == "live" else None
    screen = _connected(by_side[view.lead.id], SCREEN, now)
    sides = [_live(side, by_side[side.id], assistants, now) for side in view.sides]
    recording = await recording_now(session, occurrence_id) if view.state == "live" else "off"
    return _state(view, view.starts_at - early, floor, screen, recording, sides)


async def recording_now(session: AsyncSession, occurrence_id: str) -> str:
    """Whether the class is recorded: by its newest recording."""
    newest = await session.scalar(
        select(Recording.state)
        .where(Recording.occurrence_id == occurrence_id)
        .order_by(Recording.started_at.desc())
        .limit(1)
    )
    return {"recording": "on", "partial": "failed"}.get(newest or "", "off")


async def floor_of(session: AsyncSession, occurrence_id: str) -> str | None:
    """The side that has the floor, by the newest row that says so."""
    newest = await session.scalar(
        select(EvidenceEvent)
        .where(EvidenceEvent.occurrence_id == occurrence_id, EvidenceEvent.kind == "floor")
        .order_by(EvidenceEvent.seq.desc())
        .limit(1)
    )
    return newest.side_id if newest is not None and newest.data["held"] else None


async def _events(session: AsyncSession, occurrence_id: str, now: datetime) -> list[EvidenceEvent]:
    """Every event but old slots and the pages' own figures, in order of time."""
    recent = or_(EvidenceEvent.kind != "slot", EvidenceEvent.until > now - STALE_AFTER)
    found = await session.scalars(
        select(EvidenceEvent)
        .where(EvidenceEvent.occurrence_id == occurrence_id, EvidenceEvent.kind != "page_stats", recent)
        .order_by(EvidenceEvent.at, EvidenceEvent.seq)
    )
    return list(found)


async def _assistants(session: AsyncSession, events: Sequence[EvidenceEvent]) -> dict[int, str]:
    ids = {event.data["assistant"] for event in events if event.kind == "sign_in"}
    rows = await session.execute(select(Assistant.id, Assistant.name).where(Assistant.id.in_(ids)))
    return {assistant: name for assistant, name in rows}  # noqa: C416 # mypy takes no rows for pairs


def _live(side: SideView, events: Sequence[EvidenceEvent], assistants: Mapping[int, str], now: datetime) -> LiveSide:
    newest = {event.kind: event for event in events}
    sends = side.side != "lead" and _connected(events, classroom_source(side.id), now)
    signed = next((event for event in reversed(events) if event.kind in ("sign_in", "sign_out")), None)
    count = newest.get("head_count")
    role = "publisher" if side.side == "lead" else "subscriber"
    slots = [
        event for event in events if event.kind == "slot" and of_source(event, LEAD) and event.data["role"] == role
    ]
    return LiveSide(
        side.id,
        side.side,
        side.school_code,
        side.school_name,
        side.class_code,
        side.grades,
        side.teacher_code,
        side.teacher_name,
        side.room_code,
        "entered" in newest,
        _connected(events, LEAD, now),
        sends,
        quality(slots[-1].data) if slots else "none",
        assistants.get(signed.data["assistant"]) if signed is not None and signed.kind == "sign_in" else None,
        side.expected,
        count.data["present"] if count else None,
        "self_test" in newest,
        side.verdict,
        side.reason,
    )


def of_source(event: EvidenceEvent, source: str) -> bool:
    """Whether the relay said this of a source."""
    return bool(event.data["source"] == source)


def _connected(events: Sequence[EvidenceEvent], source: str, now: datetime) -> bool:
    """Some media session of the source began, did not end, and was heard of lately; after a crash nothing says that it ended."""
    ended = {event.data["session"] for event in events if event.kind == "disconnected"}
    heard: dict[str, datetime] = {}
    for event in events:
        if event.kind in ("connected", "slot") and of_source(event, source) and event.data["session"] not in ended:
            heard[event.data["session"]] = max(event.until or event.at, heard.get(event.data["session"], event.at))
    return any(last > now - STALE_AFTER for last in heard.values())


def quality(slot: Mapping[str, Any]) -> str:
    """How good a slot was: good, degraded, unknown or none (nothing was carried)."""
    packets = slot["packets"]
    if not packets:
        return "none"
    if slot["role"] == "publisher":
        return "good"
    if slot["acknowledged"] is None:
        return "unknown"
    if not slot["source_packets"]:
        return "none"
    return "good" if 100 * slot["acknowledged"] >= GOOD_PERCENT * packets else "degraded"


def _state(
    view: OccurrenceView,
    enter_from: datetime,
    floor: str | None,
    screen: bool,
    recording: str,
    sides: Sequence[LiveSide],
) -> LiveState:
    return LiveState(
        view.id,
        view.county,
        view.family,
        view.kind,
        view.title,
        view.subject,
        view.state,
        view.starts_at,
        view.ends_at,
        enter_from,
        view.opened_at,
        view.closed_at,
        view.shift_seconds,
        floor,
        screen,
        recording,
        tuple(sides),
    )
