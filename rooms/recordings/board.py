"""Recordings as the class goes on: begun by the teacher or by themselves, ended with the class, and what became of them."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from media.events import (
    Connected,
    RecordingEnded,
    RecordingEvent,
    RecordingFailed,
    RecordingId,
    RecordingStarted,
    RoomId,
)
from media.orders import RECORDED, MediaPort, Record, ServeSegments
from media.recording.folder import close_deserted, state_of
from rooms.audit import append
from rooms.clock import Clock
from rooms.live.evidence import RETRY_SECONDS, refuses
from rooms.people.sessions import clear_over
from rooms.recordings.removal import clear_left, clear_up
from rooms.recordings.views import RUNNING
from rooms.refusals import Conflict, Forbidden, NotFound
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import Occurrence, Recording

log = structlog.get_logger("recordings")

SWEEP_SECONDS = 3.0
LEFT_SECONDS = 3600.0
"""Between two looks for files, and for sessions of people, that should be gone."""
SETTLE_AFTER = timedelta(minutes=1)
"""A recording of a class that ended this long ago, and of which nobody told the end, is closed with what is there."""
ASKED = "asked"
"""In place of a reason, while the end that was asked for was not told yet."""
WHY_AGAIN = ("interrupted",)
"""After these failures an automatic recording begins anew; after a full disk it would only fail again."""


class Recordings:
    """The recordings of a store. `tell` says to everybody in a class that it changed. Call `start` in a running loop, and `close`."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, media: MediaPort, tell: Callable[[str], Awaitable[object]]
    ) -> None:
        self._store, self._clock, self._settings, self._media, self._tell = store, clock, settings, media, tell
        self._events: asyncio.Queue[RecordingEvent] = asyncio.Queue()
        self._on_air: asyncio.Queue[str] = asyncio.Queue()
        """Classes that may have to be recorded anew, by this process or another one."""
        self._tasks: list[asyncio.Task[None]] = []
        self.root = settings.data_dir / "recordings"

    async def start(self, *, sweeping: bool = True) -> None:
        """Begin to listen to the relay and, but for relay workers, to look after the classes."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="recordings listener"),
            asyncio.create_task(self._follow(), name="recordings follower"),
        ]
        if sweeping:
            self._tasks.append(asyncio.create_task(self._sweep_for_ever(), name="recordings sweep"))

    async def close(self, patience: float = 5.0) -> None:
        """Store what the relay said so far, and end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    # ------------------------------------------------------------ what people do

    async def begin(self, actor: Actor, occurrence_id: str) -> None:
        """Record a live class from now on; nothing where it is being recorded.

        Refusals: `NotFound` ``occurrence_unknown``, `Forbidden` ``recording_never``, `Conflict` ``occurrence_not_live``.
        """
        if self._settings.recording == "never":
            raise Forbidden("recording_never")
        now, recording = self._clock.now(), uuid.uuid4().hex
        async with self._store.write() as session:
            lesson = await self._live(session, occurrence_id)
            if await _running(session, lesson.id) is not None:
                return
            session.add(
                Recording(
                    id=recording,
                    occurrence_id=lesson.id,
                    county=lesson.county,
                    state=RUNNING,
                    started_at=now,
                    started_by=actor.name,
                    keep_until=now + timedelta(days=self._settings.recording_keep_days),
                )
            )
            await self._audit(session, actor, "recording.start", recording, lesson)
        await self._media.order(Record(RoomId(occurrence_id), RecordingId(recording)))
        await self._tell(occurrence_id)

    async def end(self, actor: Actor, occurrence_id: str) -> None:
        """Record the class no longer; nothing where it is not recorded.

        Refusals: `NotFound` ``occurrence_unknown``, `Forbidden` ``recording_always``, `Conflict` ``occurrence_not_live``.
        """
        if self._settings.recording == "always":
            raise Forbidden("recording_always")
        nothing_of = await self._without_folder(occurrence_id)
        async with self._store.write() as session:
            lesson = await self._live(session, occurrence_id)
            running = await _running(session, lesson.id, lock=True)
            if running is None:
                return
            running.reason = ASKED
            await self._audit(session, actor, "recording.stop", running.id, lesson)
            if running.id == nothing_of:
                await self._settle(session, running, None, 0.0, 0)  # nobody sent anything: nobody will tell its end
        await self._media.order(Record(RoomId(occurrence_id), None))
        await self._tell(occurrence_id)

    async def _without_folder(self, occurrence_id: str) -> str | None:
        """The running recording, where nothing is written of it. A slow disk is asked before the log is locked, which all write."""
        async with self._store.read() as session:
            running = await _running(session, occurrence_id)
            recording = running.id if running is not None else None
        absent = recording is not None and await asyncio.to_thread(state_of, self.root / recording) == "absent"
        return recording if absent else None

    async def folder_of(self, occurrence_id: str) -> str:
        """Where the newest segments of a live class are, relative to the data folder."""
        async with self._store.read() as session:
            running = await _running(session, occurrence_id)
            return f"recordings/{running.id}" if running is not None else f"segments/{occurrence_id}"

    async def ask_for_segments(self, occurrence_id: str) -> None:
        """Somebody watches the class over HTTP: segments of the last minute are made for a while, where it is not recorded."""
        await self._media.order(ServeSegments(RoomId(occurrence_id)))

    async def _live(self, session: AsyncSession, occurrence_id: str) -> Occurrence:
        lesson = await session.get(Occurrence, occurrence_id, with_for_update=True)
        if lesson is None:
            raise NotFound("occurrence_unknown")
        if lesson.state != "live":
            raise Conflict("occurrence_not_live", state=lesson.state)
        return lesson

    async def _audit(
        self, session: AsyncSession, actor: Actor, action: str, recording: str, lesson: Occurrence
    ) -> None:
        facts, now = {"occurrence": lesson.id}, self._clock.now()
        await append(session, actor, action, f"recording:{recording}", county=lesson.county, at=now, facts=facts)

    # ------------------------------------------------------------ what the relay says

    def on_media_event(self, event: RecordingEvent | Connected) -> None:
        """The relay's callback: never blocks."""
        if not isinstance(event, Connected):
            self._events.put_nowait(event)
        elif event.role == "publisher" and event.source in RECORDED:
            self._on_air.put_nowait(event.room)

    async def flush(self) -> None:
        """Return when everything the relay said so far is stored, and its consequences are drawn."""
        await self._events.join()
        await self._on_air.join()

    async def _listen(self) -> None:
        while True:
            event = await self._events.get()
            try:
                await self._store_at_last(event)
            except Exception:  # the end of the class settles what is missed here
                log.exception("recording_event_not_stored", recording=event.recording)
            finally:
                self._events.task_done()

    async def _store_at_last(self, event: RecordingEvent) -> None:
        """Tries again while the database is away: nobody tells it anew, and the class would believe that it is recorded."""
        for pause in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            try:
                await self._store_event(event)
                return
            except Exception as error:
                if refuses(error):
                    raise
                log.warning("recording_event_waits", recording=event.recording, error=type(error).__name__)
            await asyncio.sleep(pause)

    async def _store_event(self, event: RecordingEvent) -> None:
        if isinstance(event, RecordingFailed) and event.reason == "elsewhere":
            found = await asyncio.to_thread(close_deserted, self.root / event.recording)
            event = replace(event, reason="interrupted", seconds=found.seconds, octets=found.octets)
        async with self._store.write() as session:
            row = await session.get(Recording, event.recording, with_for_update=True)
            if row is None or not _news(row, event):
                return
            match event:
                case RecordingStarted():
                    row.started_at = event.at
                case RecordingEnded() | RecordingFailed() if row.state != RUNNING:
                    await self._settle(session, row, row.reason, event.seconds, event.octets)
                case RecordingEnded():
                    lesson = await session.get_one(Occurrence, row.occurrence_id)
                    moved = lesson.state == "live" and row.reason != ASKED  # its worker lost the room to another one
                    await self._settle(session, row, "interrupted" if moved else None, event.seconds, event.octets)
                case RecordingFailed():
                    log.warning("recording_failed", recording=row.id, reason=event.reason)
                    await self._settle(session, row, event.reason, event.seconds, event.octets)
            room, again = row.occurrence_id, row.reason in WHY_AGAIN
        if again:
            self._on_air.put_nowait(room)  # nobody is told that it failed, but that it goes on
        else:
            await self._tell(room)

    async def _settle(
        self, session: AsyncSession, row: Recording, reason: str | None, seconds: float, octets: int
    ) -> None:
        """The recording is what it is."""
        now = self._clock.now()
        row.state, row.reason = ("partial" if reason else "complete"), reason
        row.seconds, row.octets = round(seconds), octets
        row.ended_at = row.started_at + timedelta(seconds=seconds)
        facts = {"occurrence": row.occurrence_id, "reason": reason, "seconds": row.seconds, "octets": octets}
        await append(session, SYSTEM, "recording.end", f"recording:{row.id}", county=row.county, at=now, facts=facts)

    # ------------------------------------------------------------ what happens by itself

    async def sweep(self) -> None:
        """Records live classes where that is the rule or where their recording was cut off, sees that what should be written is,
        ends recordings with their class, and clears up what is due."""
        await self._see_to(None)
        await clear_up(self._store, self._clock, self._settings)

    async def _see_to(self, lesson: str | None) -> None:
        """One class or all: what should be recorded is. What was cut off goes on at once in another recording."""
        for recording_id, occurrence_id, over in await self._running_now(lesson):
            await self._look_after(recording_id, occurrence_id, over, on_air=lesson is not None)
        await self._events.join()
        for occurrence_id in await self._to_begin(lesson):
            with suppress(Conflict, Forbidden):  # it ended meanwhile; or no class is recorded any more
                await self.begin(SYSTEM, occurrence_id)

    async def _to_begin(self, lesson: str | None) -> list[str]:
        """Live classes that are not recorded and should be."""
        newest = (
            select(Recording.id)
            .where(Recording.occurrence_id == Occurrence.id)
            .order_by(Recording.started_at.desc())
            .limit(1)
            .correlate(Occurrence)
            .scalar_subquery()
        )
        again = Recording.reason.in_(WHY_AGAIN)
        always = or_(Recording.id.is_(None), Recording.state == "complete")
        due = or_(again, always) if self._settings.recording == "always" else again
        live = select(Occurrence.id).outerjoin(Recording, Recording.id == newest).where(Occurrence.state == "live", due)
        async with self._store.read() as session:
            return list(await session.scalars(live.where(Occurrence.id == lesson) if lesson else live))

    async def _running_now(self, lesson: str | None) -> list[tuple[str, str, datetime | None]]:
        """Recordings that were not told to have ended, with their lessons and when those ended."""
        running = (
            select(Recording.id, Occurrence.id, Occurrence.state, Occurrence.closed_at, Occurrence.ends_at)
            .join(Occurrence, Occurrence.id == Recording.occurrence_id)
            .where(Recording.state == RUNNING)
        )
        async with self._store.read() as session:
            found = await session.execute(running.where(Occurrence.id == lesson) if lesson else running)
            return [
                (recording_id, lesson, None if state == "live" else closed_at or ends_at)
                for recording_id, lesson, state, closed_at, ends_at in found
            ]

    async def _look_after(self, recording_id: str, occurrence_id: str, over: datetime | None, *, on_air: bool) -> None:
        """An order may have come before the room had a relay, or been lost with its process. Where the class has just come
        on the air, the process that has it now is told even if another one writes, or has written: it says ``elsewhere``."""
        room, recording, path = RoomId(occurrence_id), RecordingId(recording_id), self.root / recording_id
        state = await asyncio.to_thread(state_of, path)
        if over is not None:
            await self._media.order(Record(room, None))
        elif state == "absent" or (on_air and state != "deserted"):
            await self._media.order(Record(room, recording))
        late = over is not None and self._clock.now() >= over + SETTLE_AFTER
        if state == "deserted" or (late and state != "written"):
            found = await asyncio.to_thread(close_deserted, path)
            now = self._clock.now()
            self.on_media_event(RecordingFailed(room, recording, "interrupted", found.seconds, found.octets, now))

    async def _follow(self) -> None:
        """A class that comes on the air here came from another worker, perhaps."""
        while True:
            room = await self._on_air.get()
            try:
                await self._see_to(room)
            except Exception:  # the sweep sees to what is missed here
                log.exception("recording_not_followed", occurrence=room)
            finally:
                self._on_air.task_done()

    async def _sweep_for_ever(self) -> None:
        looked = -math.inf
        while True:
            try:
                await self.sweep()
                if self._clock.monotonic() - looked >= LEFT_SECONDS:
                    looked = self._clock.monotonic()
                    await clear_left(self._store, self._settings)
                    await clear_over(self._store, self._clock, self._settings)
            except Exception:  # the next class must still be recorded
                log.exception("recordings_sweep_failed")
            await asyncio.sleep(SWEEP_SECONDS)


def _news(row: Recording, event: RecordingEvent) -> bool:
    """Whether an event is of a recording that still runs; or the last word of one that was continued before its writer ended."""
    if row.state == RUNNING:
        return True
    longer = not isinstance(event, RecordingStarted) and round(event.seconds) > row.seconds
    return longer and row.reason in WHY_AGAIN and row.deleted_at is None


async def _running(session: AsyncSession, occurrence_id: str, *, lock: bool = False) -> Recording | None:
    running = select(Recording).where(Recording.occurrence_id == occurrence_id, Recording.state == RUNNING).limit(1)
    found: Recording | None = await session.scalar(running.with_for_update() if lock else running)
    return found
