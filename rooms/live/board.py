"""The board of live classes: opens and closes them, takes sign-ins and head-counts, and gathers the relay's evidence.

Life cycle: planned → ready → live → ended → judged. Every act is a row of evidence and an audit entry in one transaction; then
``live:<occurrence id>`` gets ``{"type": "state", …}`` (`LiveState.message`) on the bus, and ``{"type": "slot", "side": …,
"quality": …}`` for each media slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from media.events import PeerId, RoomId, SessionEvent
from media.orders import CloseRoom, GiveFloor, MediaPort
from rooms.audit.checkpoints import TOPIC as CHECKPOINT
from rooms.bus import Bus
from rooms.clock import Clock
from rooms.judging import judge_lesson, lessons_to_judge
from rooms.live import acts
from rooms.live.acts import LateItem
from rooms.live.evidence import Evidence, EvidenceWriter, known_only, of_media, store_evidence
from rooms.live.sources import LEAD, is_small_picture
from rooms.live.state import LiveState, load_state, quality
from rooms.people.assistants import recognise
from rooms.people.scope import Principal
from rooms.refusals import Conflict, NotFound
from rooms.rulesets import RuleSet
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import Occurrence

__all__ = ["LateItem", "LiveBoard"]

log = structlog.get_logger("live")

SWEEP_SECONDS = 5.0
"""Between two looks for what ends or is judged by itself."""
STRAGGLING = timedelta(seconds=30)
"""Media that goes on for so long after its class has not heard of the end: the order to it was lost, or nobody opened the class."""
PATIENCE_SECONDS = 10.0
"""At the end a sweep that has begun may finish its transaction for so long."""


class LiveBoard:
    """The live classes of a store. Call `start` once in a running loop and `close` at the end; the rest works without them too."""

    def __init__(
        self, store: Store, clock: Clock, bus: Bus, rules: RuleSet, settings: Settings, media: MediaPort
    ) -> None:
        self._store, self._clock, self._bus, self._media = store, clock, bus, media
        self._settings = settings
        self._early = timedelta(minutes=settings.early_entry_minutes)
        self._idle = timedelta(minutes=settings.auto_end_minutes)
        self._writer = EvidenceWriter(self._keep)
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self.rules = rules

    async def start(self, *, sweeping: bool = True) -> None:
        """Start the evidence writer and, but for relay workers, the sweep (automatic end, judging, grace)."""
        self._writer.start()
        self._stop.clear()
        if sweeping:
            self._task = asyncio.create_task(self._sweep_for_ever(), name="live sweep")

    async def close(self) -> None:
        """Store what is queued and end both tasks."""
        await self._writer.close()
        if self._task is not None:
            self._stop.set()
            await asyncio.wait({self._task}, timeout=PATIENCE_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def dropped(self) -> int:
        """Evidence that was lost because the queue was full, or refused by the database; 0 in health."""
        return self._writer.dropped

    # ------------------------------------------------------------ evidence

    def on_media_event(self, event: SessionEvent) -> None:
        """The relay's callback: never blocks, never raises; the row is stored exactly once."""
        if not is_small_picture(event.source, event.role):
            self._writer.put(of_media(event))

    def page_stats(self, actor: Actor, occurrence_id: str, side_id: str, data: dict[str, Any]) -> None:
        """A page's own figures, kept beside the relay's evidence; they never make presence. Never blocks."""
        self._writer.put(acts.page_stats(actor, occurrence_id, side_id, data, self._clock.now()))

    async def flush(self) -> None:
        """Return when everything the relay said so far is committed."""
        await self._writer.flush()

    async def _keep(self, batch: Sequence[Evidence]) -> None:
        now = self._clock.now()
        async with self._store.write() as session:
            known = await known_only(session, batch)
            over = await self._locked_when_over(session, {each.occurrence_id for each in known})
            new = await store_evidence(session, known, now)
            for occurrence_id, lesson in over.items():
                if lesson.state != "cancelled" and any(
                    each.occurrence_id == occurrence_id and each.event_id in new for each in known
                ):
                    await judge_lesson(session, self.rules, occurrence_id, now)
        await self._tell_of([each for each in known if each.event_id in new])
        for occurrence_id, lesson in over.items():
            ends = [each.until for each in known if each.occurrence_id == occurrence_id and each.until is not None]
            if any(end > _over_since(lesson) + STRAGGLING for end in ends):
                await self._media.order(CloseRoom(RoomId(occurrence_id)))

    async def _locked_when_over(self, session: AsyncSession, lessons: set[str]) -> dict[str, Occurrence]:
        """Lessons that are over, and judged anew when evidence comes, or cancelled; all are locked first, so that two writers
        never wait in a ring."""
        found = await session.scalars(
            select(Occurrence)
            .where(Occurrence.id.in_(lessons), Occurrence.state.in_(("ended", "judged", "cancelled")))
            .order_by(Occurrence.id)
            .with_for_update()
        )
        return {lesson.id: lesson for lesson in found}

    async def _tell_of(self, stored: Sequence[Evidence]) -> None:
        for each in stored:
            if each.kind == "slot" and each.data["source"] == LEAD:
                message = {"type": "slot", "side": each.side_id, "quality": quality(each.data)}
                await self._bus.publish(f"live:{each.occurrence_id}", message)
        for occurrence_id in sorted({each.occurrence_id for each in stored if each.kind != "slot"}):
            state = await self.tell(occurrence_id)
            back = {each.side_id for each in stored if each.kind == "connected" and each.occurrence_id == occurrence_id}
            if state is not None and state.floor in back:  # its relay may be another one that knows of no floor yet
                await self._order_floor(state)

    # ------------------------------------------------------------ what people see and do

    async def state(self, occurrence_id: str) -> LiveState | None:
        """The class now, or None where there is no such lesson."""
        async with self._store.read() as session:
            return await load_state(session, occurrence_id, self._clock.now(), early=self._early)

    async def running(self, occurrence_id: str) -> LiveState:
        """The class now, where it runs: screens and classrooms are sent only then.

        Refusals: `NotFound` ``occurrence_unknown``, `Conflict` ``occurrence_not_live``.
        """
        state = await self.state(occurrence_id)
        if state is None:
            raise NotFound("occurrence_unknown")
        if state.state != "live":
            raise Conflict("occurrence_not_live", state=state.state)
        return state

    async def enter(self, actor: Actor, side_id: str) -> LiveState:
        """A side's page is open; only the first time is evidence.

        Refusals: `NotFound` ``side_unknown``, `Conflict` ``too_early`` (fact: enter_from), ``occurrence_over``,
        ``occurrence_cancelled``.
        """
        return await self._told(await acts.enter(self._scene(actor), side_id))

    async def self_test(self, actor: Actor, side_id: str, result: dict[str, Any]) -> LiveState:
        """Store a device check; with the lead's and every receiver's the lesson is ``ready``. Refusals as `enter`."""
        return await self._told(await acts.self_test(self._scene(actor), side_id, result))

    async def sign_in(self, actor: Actor, side_id: str, assistant_id: int, pin: str) -> LiveState:
        """An assistant of the side's own school signs in by PIN.

        Refusals: those of `enter`, and of `rooms.people.assistants.recognise` (unknown_assistant, wrong_pin, pin_locked).
        """
        scene = self._scene(actor)
        place = await acts.place_of(scene, side_id)
        device = Principal("device", 0, actor.name, actor.name, (), room=place)
        who = await recognise(self._store, self._clock, self._settings, device, actor, assistant_id, pin)
        return await self._told(await acts.sign(scene, side_id, "sign_in", {"assistant": who.id}))

    async def sign_out(self, actor: Actor, side_id: str) -> LiveState:
        """The assistant signs out. Refusals as `enter`."""
        return await self._told(await acts.sign(self._scene(actor), side_id, "sign_out", {}))

    async def head_count(self, actor: Actor, side_id: str, present: int) -> LiveState:
        """How many pupils are there (实到); the newest entry holds.

        Refusals: those of `enter`, `Invalid` ``head_count_range`` (facts: least, most).
        """
        return await self._told(await acts.head_count(self._scene(actor), side_id, present))

    async def open_class(self, actor: Actor, occurrence_id: str) -> LiveState:
        """The teacher starts the class; an ended one is live again until its planned end. Refusals as `enter`."""
        return await self._told(await acts.open_class(self._scene(actor), occurrence_id))

    async def close_class(self, actor: Actor, occurrence_id: str) -> LiveState:
        """The teacher ends the class and its media; it is judged at once, and anew when the relay's last evidence comes in.

        Ending twice changes nothing. Refusals: `NotFound` ``occurrence_unknown``, `Conflict` ``occurrence_not_live``.
        """
        await self._flush_soon()
        await acts.close_class(self._scene(actor), occurrence_id)
        return await self._closed(occurrence_id)

    async def _closed(self, occurrence_id: str) -> LiveState:
        state = await self._told(occurrence_id)
        await self._media.order(CloseRoom(RoomId(occurrence_id)))
        return state

    async def give_floor(self, actor: Actor, occurrence_id: str, side_id: str | None) -> LiveState:
        """A receiving side may speak to all, and only it; None: nobody but the lead. Doing it twice changes nothing.

        Refusals: `NotFound` ``occurrence_unknown``, ``side_unknown``, `Conflict` ``occurrence_not_live``.
        """
        occurrence_id = await acts.give_floor(self._scene(actor), occurrence_id, side_id)
        state = await self.state(occurrence_id)
        if (
            state is not None
        ):  # first of all: pages that hear of it ask for the speaker at once, and must find the door open
            await self._order_floor(state)
        return await self._told(occurrence_id)

    async def hand_in(self, actor: Actor, side_id: str, items: Sequence[LateItem]) -> int:
        """Evidence a classroom kept while its line was down, marked late; how many were new.

        Refusals: `NotFound` ``side_unknown``, `Conflict` ``evidence_late`` (past the grace), `Invalid` ``evidence_malformed``.
        """
        occurrence_id, new = await acts.hand_in(self._scene(actor), side_id, items)
        if new:
            await self.tell(occurrence_id)
        return new

    # ------------------------------------------------------------ what happens by itself

    async def sweep(self) -> None:
        """End what nobody attends any more, judge what is due; runs every few seconds, and tests call it."""
        now = self._clock.now()
        async with self._store.read() as session:
            live = await session.scalars(
                select(Occurrence.id).where(Occurrence.state == "live", Occurrence.ends_at <= now - self._idle)
            )
            idle = [each for each in live if await acts.nobody_there(session, each, now, self._idle)]
        for occurrence_id in idle:
            await self._alone(self._close_idle(occurrence_id), occurrence_id)
        async with self._store.read() as session:
            due = await lessons_to_judge(session, self.rules, now)
        for occurrence_id in due:
            await self._alone(self._judge(occurrence_id, now), occurrence_id)

    async def _alone(self, work: Awaitable[object], occurrence_id: str) -> None:
        """One lesson that cannot be ended or judged must not keep the others from it, which come after it in every sweep."""
        try:
            await work
        except Exception:
            log.exception("lesson_not_swept", occurrence=occurrence_id)

    async def _close_idle(self, occurrence_id: str) -> None:
        await self._flush_soon()
        if await acts.close_class(self._scene(SYSTEM), occurrence_id, idle=self._idle):
            await self._closed(occurrence_id)

    async def _judge(self, occurrence_id: str, now: datetime) -> None:
        async with self._store.write() as session:
            changed = await judge_lesson(session, self.rules, occurrence_id, now)
        if changed:
            await self.tell(occurrence_id)

    async def _sweep_for_ever(self) -> None:
        while not self._stop.is_set():
            try:
                await self.sweep()
            except Exception:  # whatever it was, the next lesson must still be judged
                log.exception("sweep_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._stop.wait()

    # ------------------------------------------------------------ within

    async def _order_floor(self, state: LiveState) -> None:
        """The relay opens the speaker's source to all and closes every other classroom's. It is told until what it was told last
        still stands: of two changes the orders may overtake each other, one that is sent again most of all."""
        while True:
            holder = PeerId(state.floor) if state.floor is not None else None
            await self._media.order(GiveFloor(RoomId(state.occurrence_id), holder))
            now = await self.state(state.occurrence_id)
            if now is None or now.floor == state.floor:
                return
            state = now

    def _scene(self, actor: Actor) -> acts.Scene:
        return acts.Scene(self._store, self._clock, self.rules, self._early, actor)

    async def _flush_soon(self) -> None:
        """Let what the relay already said count; storage that does not answer must not keep a teacher from ending."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(2.0):
                await self._writer.flush()
        except TimeoutError:
            log.warning("evidence_waits_at_end")

    async def _told(self, occurrence_id: str) -> LiveState:
        state = await self.tell(occurrence_id)
        if state is None:
            raise NotFound("occurrence_unknown")
        return state

    async def tell(self, occurrence_id: str) -> LiveState | None:
        """Says to everybody in the class how it is now."""
        state = await self.state(occurrence_id)
        if state is not None:
            await self._bus.publish(f"live:{occurrence_id}", state.message())
            if state.state in ("ended", "judged"):
                await self._bus.publish(CHECKPOINT, {"occurrence_id": occurrence_id})
        return state


def _over_since(lesson: Occurrence) -> datetime:
    """When a lesson that is over was ended or cancelled, or should have been held and was never opened."""
    planned = lesson.ends_at + timedelta(seconds=max(0, lesson.shift_seconds))
    return lesson.closed_at or lesson.cancelled_at or planned
