"""What people do in a live class, one unit of work each: the evidence of the act, its audit entry, and what follows from it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.judging import judge_lesson
from rooms.live.evidence import Evidence, store_evidence
from rooms.live.state import floor_of, load_state
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.rulesets import RuleSet
from rooms.store import Actor, Store
from rooms.tables import EvidenceEvent, Occurrence, OccurrenceSide

AFTERWARDS = timedelta(minutes=30)
"""An assistant may still sign in or count this long after the end, as long as the class is remembered."""
OVERTIME = timedelta(hours=2)
"""A class that its people forgot to leave is ended this long after its planned end."""
MOST_PUPILS = 2000
"""A head-count beyond this is a slip of the finger."""
LATE_KINDS = ("head_count", "self_test")
"""Never a sign-in: its PIN is checked here (docs/LIVE_PROTOCOL.md)."""
MOST_LATE_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class LateItem:
    """Evidence a classroom kept while its line was down. `event_id` is the classroom's own, at most 40 characters."""

    event_id: str
    kind: str
    """One of `LATE_KINDS`; the data of a head_count: present."""
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What an act needs: where it is kept, when it is, by which rules, and who acts."""

    store: Store
    clock: Clock
    rules: RuleSet
    early: timedelta
    actor: Actor


# ---------------------------------------------------------------- acts of a side


async def place_of(scene: Scene, side_id: str) -> tuple[str, str, str | None]:
    """County, school and room of a side that may act now. Refusals as `LiveBoard.enter`."""
    async with scene.store.read() as session:
        lesson, side = await _side(session, side_id)
        _check_open(scene, lesson)
        return side.county, side.school_code, side.room_code


async def enter(scene: Scene, side_id: str) -> str:
    """The page of a side was opened; the first time is kept."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson, side = await _side(session, side_id, lock=True)
        _check_open(scene, lesson)
        new = await store_evidence(session, [_evidence(scene, side, "entered", now, f"entered:{side.id}")], now)
        if new:
            await _audit(session, scene, "class.enter", side, now, {"side": side.side})
        return side.occurrence_id


async def self_test(scene: Scene, side_id: str, result: dict[str, Any]) -> str:
    """A device check; when every side has one, a planned lesson is ready."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson, side = await _side(session, side_id, lock=True)
        _check_open(scene, lesson)
        await store_evidence(session, [_evidence(scene, side, "self_test", now, data=result)], now)
        wanted = set(await session.scalars(select(OccurrenceSide.id).where(OccurrenceSide.occurrence_id == lesson.id)))
        tested = await session.scalars(
            select(EvidenceEvent.side_id).where(
                EvidenceEvent.occurrence_id == lesson.id, EvidenceEvent.kind == "self_test"
            )
        )
        if lesson.state == "planned" and wanted <= set(tested):
            lesson.state = "ready"
        await _audit(session, scene, "class.self_test", side, now, {"state": lesson.state})
        return lesson.id


async def sign(scene: Scene, side_id: str, kind: str, data: dict[str, Any]) -> str:
    """An assistant signs in or out; `kind` is ``sign_in`` or ``sign_out``."""
    return await _act(scene, side_id, kind, data, f"class.{kind}")


async def head_count(scene: Scene, side_id: str, present: int) -> str:
    """The number of pupils who are there."""
    if not 1 <= present <= MOST_PUPILS:
        raise Invalid("head_count_range", least=1, most=MOST_PUPILS)
    return await _act(scene, side_id, "head_count", {"present": present}, "class.head_count")


async def _act(scene: Scene, side_id: str, kind: str, data: dict[str, Any], action: str) -> str:
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson, side = await _side(session, side_id, lock=True)
        _check_open(scene, lesson)
        await store_evidence(session, [_evidence(scene, side, kind, now, data=data)], now)
        await _audit(session, scene, action, side, now, data)
        await _judge_again(session, scene, lesson, now)
        return lesson.id


async def hand_in(scene: Scene, side_id: str, items: Sequence[LateItem]) -> tuple[str, int]:
    """Late evidence of a classroom: the lesson's id and how many items were new."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson, side = await _side(session, side_id, lock=True)
        if now >= lesson.ends_at + timedelta(seconds=max(0, lesson.shift_seconds) + scene.rules.upload_grace_seconds):
            raise Conflict("evidence_late")
        rows = [_late(scene, lesson, side, item, now) for item in items[:MOST_LATE_ITEMS]]
        new = await store_evidence(session, rows, now)
        if new:
            await _audit(session, scene, "class.hand_in", side, now, {"items": len(new)})
            await _judge_again(session, scene, lesson, now)
        return lesson.id, len(new)


def _late(scene: Scene, lesson: Occurrence, side: OccurrenceSide, item: LateItem, now: datetime) -> Evidence:
    """A late item as evidence. It must lie around the lesson, and not in the future."""
    earliest, latest = lesson.starts_at - scene.early, lesson.ends_at + AFTERWARDS
    present = item.data.get("present")
    counts = isinstance(present, int) and not isinstance(present, bool) and 1 <= present <= MOST_PUPILS
    if (
        item.kind not in LATE_KINDS
        or not 1 <= len(item.event_id) <= 40
        or not earliest <= item.at <= min(latest, now)
        or (item.kind == "head_count" and not counts)
    ):
        raise Invalid("evidence_malformed", event=item.event_id[:40], kind=item.kind[:40])
    event_id = uuid.uuid5(uuid.UUID(side.id), f"{item.kind}:{item.event_id}").hex
    return Evidence(
        f"late:{event_id}",
        lesson.id,
        side.id,
        item.kind,
        item.at,
        "device",
        scene.actor.name,
        late=True,
        data=item.data,
    )


# ---------------------------------------------------------------- acts on the class


async def open_class(scene: Scene, occurrence_id: str) -> str:
    """The class begins, or goes on after it was ended too early."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson = await _lesson(session, occurrence_id)
        if lesson.state == "live":
            return lesson.id
        _check_open(scene, lesson)
        if now >= lesson.ends_at + timedelta(seconds=max(0, lesson.shift_seconds)):
            raise Conflict("occurrence_over")
        again = lesson.opened_at is not None
        lesson.state, lesson.closed_at = "live", None
        lesson.opened_at = lesson.opened_at or now
        await store_evidence(session, [await _of_lead(session, scene, lesson, "opened", now)], now)
        await _audit(session, scene, "class.open", lesson, now, {"again": again})
        return lesson.id


async def close_class(scene: Scene, occurrence_id: str, *, idle: timedelta | None = None) -> bool:
    """The class ends and is judged; with `idle` only where still `nobody_there`. Whether it is over."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson = await _lesson(session, occurrence_id)
        if lesson.state in ("ended", "judged"):
            return True
        if idle is not None and not await nobody_there(session, lesson.id, now, idle):
            return False
        if lesson.state != "live":
            raise Conflict("occurrence_not_live", state=lesson.state)
        lesson.state, lesson.closed_at = "ended", now
        await _pass_floor(session, scene, lesson, None, now)
        await store_evidence(session, [await _of_lead(session, scene, lesson, "closed", now)], now)
        await _audit(session, scene, "class.close", lesson, now, {"by_itself": scene.actor.role == "system"})
        await judge_lesson(session, scene.rules, lesson.id, now)
        return True


async def give_floor(scene: Scene, occurrence_id: str, side_id: str | None) -> str:
    """The floor (发言) goes to a side that is not the lead; None: back to the lead."""
    now = scene.clock.now()
    async with scene.store.write() as session:
        lesson = await _lesson(session, occurrence_id)
        if lesson.state != "live":
            raise Conflict("occurrence_not_live", state=lesson.state)
        side = await session.get(OccurrenceSide, side_id) if side_id is not None else None
        if side_id is not None and (side is None or side.occurrence_id != lesson.id or side.side == "lead"):
            raise NotFound("side_unknown")
        await _pass_floor(session, scene, lesson, side, now)
        return lesson.id


async def _pass_floor(
    session: AsyncSession, scene: Scene, lesson: Occurrence, side: OccurrenceSide | None, now: datetime
) -> None:
    """One row for the side that loses the floor, one for the side that gets it; nothing where nothing changes."""
    held = await floor_of(session, lesson.id)
    if held == (side.id if side is not None else None):
        return
    before = await session.get(OccurrenceSide, held) if held is not None else None
    for each, holds in ((before, False), (side, True)):
        if each is not None:
            await store_evidence(session, [_evidence(scene, each, "floor", now, data={"held": holds})], now)
            await _audit(session, scene, "class.floor", each, now, {"held": holds})


async def nobody_there(session: AsyncSession, occurrence_id: str, now: datetime, idle: timedelta) -> bool:
    """Whether a class that should be over has no media session, or has gone on for far too long."""
    state = await load_state(session, occurrence_id, now, early=idle)
    return state is not None and (now >= state.ends_at + OVERTIME or not any(side.connected for side in state.sides))


def page_stats(actor: Actor, occurrence_id: str, side_id: str, data: dict[str, Any], now: datetime) -> Evidence:
    """A page's own figures as evidence."""
    event_id = f"page_stats:{uuid.uuid4().hex}"
    return Evidence(event_id, occurrence_id, side_id, "page_stats", now, "page", actor.name, data=data)


# ---------------------------------------------------------------- within


async def _lesson(session: AsyncSession, occurrence_id: str) -> Occurrence:
    lesson = await session.get(Occurrence, occurrence_id, with_for_update=True)
    if lesson is None:
        raise NotFound("occurrence_unknown")
    return lesson


async def _side(session: AsyncSession, side_id: str, *, lock: bool = False) -> tuple[Occurrence, OccurrenceSide]:
    side = await session.get(OccurrenceSide, side_id)
    if side is None:
        raise NotFound("side_unknown")
    lesson = await session.get(Occurrence, side.occurrence_id, with_for_update=lock)
    assert lesson is not None, "a foreign key holds it"
    return lesson, side


def _check_open(scene: Scene, lesson: Occurrence) -> None:
    """People may act from some time before the start until some time after the end, or while the class is live."""
    now = scene.clock.now()
    if lesson.state == "cancelled":
        raise Conflict("occurrence_cancelled", reason=lesson.cancel_reason)
    opens = lesson.starts_at - scene.early - timedelta(seconds=max(0, -lesson.shift_seconds))
    if now < opens:
        raise Conflict("too_early", enter_from=opens)
    if lesson.state != "live" and now >= lesson.ends_at + timedelta(seconds=max(0, lesson.shift_seconds)) + AFTERWARDS:
        raise Conflict("occurrence_over")


async def _judge_again(session: AsyncSession, scene: Scene, lesson: Occurrence, now: datetime) -> None:
    if lesson.state in ("ended", "judged"):
        await judge_lesson(session, scene.rules, lesson.id, now)


def _evidence(
    scene: Scene, side: OccurrenceSide, kind: str, now: datetime, event_id: str = "", data: dict[str, Any] | None = None
) -> Evidence:
    event_id = event_id or f"{kind}:{uuid.uuid4().hex}"
    source = "device" if scene.actor.role == "device" else "person"
    return Evidence(event_id, side.occurrence_id, side.id, kind, now, source, scene.actor.name, data=data or {})


async def _of_lead(session: AsyncSession, scene: Scene, lesson: Occurrence, kind: str, now: datetime) -> Evidence:
    lead = await session.scalar(
        select(OccurrenceSide).where(OccurrenceSide.occurrence_id == lesson.id, OccurrenceSide.side == "lead")
    )
    assert lead is not None, "every lesson has a lead"
    return _evidence(scene, lead, kind, now)


async def _audit(
    session: AsyncSession,
    scene: Scene,
    action: str,
    thing: Occurrence | OccurrenceSide,
    now: datetime,
    facts: dict[str, Any],
) -> None:
    if isinstance(thing, OccurrenceSide):
        named, facts = f"side:{thing.id}", {"occurrence": thing.occurrence_id, **facts}
    else:
        named = f"occurrence:{thing.id}"
    await append(session, scene.actor, action, named, county=thing.county, at=now, facts=facts)
