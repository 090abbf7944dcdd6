"""The recorder: taps the layers of rooms that are recorded, and hands their packets to the scribe.

On the packet path it appends to a list; everything else happens five times a second on the event loop, or in the scribe's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from media.events import (
    MediaEvent,
    RecordingEnded,
    RecordingFailed,
    RecordingId,
    RecordingStarted,
    RoomId,
)
from media.forwarding.publication import Publication
from media.orders import RECORDED
from media.recording.folder import clear, recover
from media.recording.manuscript import Plan
from media.recording.scribe import Outcome, Scribe, Writing
from media.recording.taps import Taps

log = logging.getLogger(__name__)

TICK = 0.2
TURNS = 10
"""A tick goes to the recordings by turns, so that the scribe gets a little often and not everything at once."""
SEGMENTS_KEPT = 60.0
SEGMENTS_UNWATCHED = 60.0
"""Segments that nobody has asked for in so long are no longer made."""
AWAY = 30.0
"""A recording to which nobody has published here for so long ends, as interrupted. It takes no longer to go on elsewhere: the
process that the room has moved to begins another one at once."""
PATIENCE = 10.0


class Rooms(Protocol):
    """What the recorder needs of its relay."""

    def published_here(self, room: RoomId) -> Sequence[Publication]: ...
    def emit(self, event: MediaEvent) -> None: ...
    def monotonic(self) -> float: ...
    def now(self) -> datetime: ...


@dataclass
class _Running:
    """A recording in progress, or the segments of a room."""

    room: RoomId
    id: RecordingId | None
    """None: segments for those whose network blocks UDP, and no recording."""
    path: Path
    writing: Writing | None = None
    """Begun when a source is published to this process: of several that have the room, the origin records."""
    wanted_until: float = float("inf")
    taps: Taps = field(default_factory=Taps)
    finishing: bool = False
    published_at: float = 0.0
    """When somebody was last publishing to this process."""
    interrupted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


_Key = tuple[RoomId, Literal["recording", "segments"]]


class Recorder:
    """All recordings of one relay, under `root`: ``recordings/<id>/`` and ``segments/<room>/``."""

    def __init__(self, rooms: Rooms, root: Path, must_stay_free: int) -> None:
        self._rooms, self.root, self._must_stay_free = rooms, root, must_stay_free
        self._running: dict[_Key, _Running] = {}
        self._scribe = Scribe()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Closes what a crash left open, and begins to work."""
        for name, found in (await asyncio.to_thread(recover, self.root / "recordings")).items():
            room, recording, at = RoomId(found.room), RecordingId(name), self._rooms.now()
            self._rooms.emit(RecordingFailed(room, recording, "interrupted", found.seconds, found.octets, at))
        await asyncio.to_thread(clear, self.root / "segments")
        self._task = asyncio.create_task(self._tick_on(), name="media-recorder")

    async def close(self) -> None:
        """Ends every recording, as interrupted; what was recorded is on disk afterwards."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._end(list(self._running.values()))
        await asyncio.to_thread(self._scribe.close, 0.0 if self._running else PATIENCE)

    async def record(self, room: RoomId, recording: RecordingId | None) -> None:
        """Records the room under this name; nothing where it does. None ends its recording, which is on disk afterwards. One
        under another name ends as interrupted: the room was elsewhere meanwhile."""
        running = self._running.get((room, "recording"))
        if running is not None and running.id != recording:
            running.interrupted = recording is not None
            await self._end([running])
        if recording is not None:
            self._begin(room, recording, self.root / "recordings" / recording)

    async def close_room(self, room: RoomId) -> None:
        """The class is over."""
        await self._end([each for each in self._running.values() if each.room == room])

    def serve_segments(self, room: RoomId) -> None:
        """Makes segments of the last minute for as long as somebody asks for them; nothing where the room is recorded."""
        if (room, "recording") in self._running:
            return
        self._begin(room, None, self.root / "segments" / room)
        self._running[room, "segments"].wanted_until = self._rooms.monotonic() + SEGMENTS_UNWATCHED

    def _begin(self, room: RoomId, recording: RecordingId | None, path: Path) -> None:
        key: _Key = (room, "recording" if recording else "segments")
        before = self._running.get(key)
        if before is None or (before.finishing and before.path != path):  # it ends by itself, when the disk lets it
            running = self._running[key] = _Running(room, recording, path)
            self._keep_up(running, self._rooms.monotonic())

    def _write(self, running: _Running) -> Writing:
        """The recording begins."""
        room, recording = running.room, running.id
        loop, now = asyncio.get_running_loop(), self._rooms.now()
        keep = None if recording else SEGMENTS_KEPT
        plan = Plan(running.path, room, self._rooms.monotonic(), now, self._must_stay_free, keep)

        def on_begin() -> None:
            if recording is not None:
                tell(self._rooms.emit, RecordingStarted(room, recording, now))

        def on_end(outcome: Outcome) -> None:
            tell(self._ended, running, outcome)

        def tell(listener: Callable[..., None], *what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
                loop.call_soon_threadsafe(listener, *what)

        return self._scribe.begin(plan, on_begin, on_end)

    def _forget(self, running: _Running) -> None:
        key: _Key = (running.room, "recording" if running.id else "segments")
        if self._running.get(key) is running:
            del self._running[key]
        running.ended.set()

    def _ended(self, running: _Running, outcome: Outcome) -> None:
        """The scribe is done with it: as asked, or by itself."""
        self._forget(running)
        running.taps.release()
        if running.id is None:
            return
        seconds, octets, now = outcome.seconds, outcome.octets, self._rooms.now()
        failure = outcome.failure or ("interrupted" if self._closing or running.interrupted else "")
        if failure:
            self._rooms.emit(RecordingFailed(running.room, running.id, failure, seconds, octets, now))
        else:
            self._rooms.emit(RecordingEnded(running.room, running.id, seconds, octets, now))

    async def _end(self, recordings: list[_Running]) -> None:
        for running in recordings:
            self._finish(running)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for running in recordings:
                    await running.ended.wait()

    def _finish(self, running: _Running) -> None:
        if running.writing is None:
            self._forget(running)
        elif not running.finishing:
            running.taps.release()  # the disk may stand still, and the class go on
            running.writing.put(running.taps.chunks(), self._rooms.monotonic())
            running.finishing = True
            running.writing.finish()

    async def _tick_on(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(TICK / TURNS)
            now, turn = self._rooms.monotonic(), (turn + 1) % TURNS
            for running in list(self._running.values())[turn::TURNS]:
                try:
                    self._keep_up(running, now)
                except Exception:  # one recording's trouble must not stop the others
                    log.exception("recording_tick_failed room=%s", running.room)

    def _keep_up(self, running: _Running, now: float) -> None:
        if running.finishing:
            return
        if now > running.wanted_until:
            self._finish(running)
            return
        sources = [each for each in self._rooms.published_here(running.room) if each.source in RECORDED]
        if running.writing is None:
            if not sources:
                return
            running.writing = self._write(running)
        if sources:
            running.published_at = now
        elif running.id is not None and now - running.published_at > AWAY:
            running.interrupted = True
            self._finish(running)
            return
        running.taps.follow(sources, now)
        running.writing.put(running.taps.chunks(), now)
