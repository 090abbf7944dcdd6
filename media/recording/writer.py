"""The thread that writes one recording. It takes batches of packets and never holds up the event loop: its queue is bounded,
and what does not fit, like any error of the disk, ends the recording alone.
"""

from __future__ import annotations

import errno
import logging
import queue
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from media.events import SourceName
from media.forwarding.reception import ClockPoint
from media.packets.sequence import Kept
from media.recording.assembly import Assembly
from media.recording.clock import PublisherClock, TrackClock
from media.recording.depacketising import depacketiser
from media.recording.folder import Elsewhere, Folder, NoSpace, Rendition
from media.recording.reordering import Ordered, Reordering
from media.values import Kind

log = logging.getLogger(__name__)

LARGEST_QUEUE = 32 << 20
"""Octets that wait for the disk: about two minutes of a class."""
Failure = Literal["disk_full", "disk_error", "too_slow", "failed", "elsewhere"]
"""``elsewhere``: another process records the room already; this is no failure of the recording."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is recorded, and where. `origin` is the monotonic second that is 0 on the timeline, `began` its wall clock."""

    path: Path
    room: str
    origin: float
    began: datetime
    must_stay_free: int
    keep_seconds: float | None = None
    """Older segments are let go, and at the end all of them; None keeps everything."""


@dataclass(frozen=True, eq=False)
class Stream:
    """One encoding of one track from one connection of its publisher."""

    source: SourceName
    kind: Kind
    codec: str
    rate: int
    publisher: object
    """The same object for sound and picture that share a clock."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came of a stream since the last one: packets with their arrival, and the newest sender report (its RTP time in the
    numbers of the packets)."""

    stream: Stream
    packets: Sequence[tuple[Kept, float]]
    report: ClockPoint | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a recording ended; `failure` is empty where it was asked to end."""

    failure: Failure | Literal[""]
    seconds: float
    octets: int


class Writer:
    """Call `put` and `finish` from one thread. `on_begin` is called when there is a place to write to, `on_end` once, both in the
    writer's own thread."""

    def __init__(self, plan: Plan, on_begin: Callable[[], None], on_end: Callable[[Outcome], None]) -> None:
        self.plan = plan
        self._on_begin, self._on_end = on_begin, on_end
        self._queue: queue.SimpleQueue[tuple[list[Chunk], float, int] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._too_slow = False
        self._thread = threading.Thread(target=self._run, name=f"media-recording-{plan.room}", daemon=True)
        self._thread.start()

    def put(self, chunks: list[Chunk], now: float) -> None:
        """Queues a batch; where the queue is full, the recording ends."""
        size = sum(len(kept.payload) for chunk in chunks for kept, _ in chunk.packets)
        with self._lock:
            self._too_slow = self._too_slow or self._waiting + size > LARGEST_QUEUE
            self._waiting += size
        if self._too_slow:
            self.finish()
        else:
            self._queue.put((chunks, now, size))

    def finish(self) -> None:
        """Ends the recording after what is queued. May be repeated."""
        self._queue.put(None)

    def join(self, patience: float) -> None:
        """Waits for the thread."""
        self._thread.join(patience)

    def _run(self) -> None:
        self._on_end(self._record())

    def _record(self) -> Outcome:
        try:
            folder = Folder(
                self.plan.path,
                self.plan.room,
                must_stay_free=self.plan.must_stay_free,
                durable=self.plan.keep_seconds is None,
            )
        except OSError as error:
            return Outcome(_failure(error), 0.0, 0)
        self._on_begin()
        desk = _Desk(folder, self.plan)
        failure: Failure | Literal[""] = ""
        try:
            while (batch := self._queue.get()) is not None:
                chunks, now, size = batch
                desk.take(chunks, now)
                with self._lock:
                    self._waiting -= size
            desk.close()
        except OSError as error:
            failure = _failure(error)
            log.warning("recording_stopped room=%s reason=%s error=%s", self.plan.room, failure, error)
        except Exception:
            failure = "failed"
            log.exception("recording_failed room=%s", self.plan.room)
        return self._end(folder, desk, failure or ("too_slow" if self._too_slow else ""))

    def _end(self, folder: Folder, desk: _Desk, failure: Failure | Literal[""]) -> Outcome:
        """Closes what is there; on a full disk the reserve makes room for it."""
        try:
            folder.free_reserve()
            desk.end_playlists()
            folder.close()
            if self.plan.keep_seconds is not None:
                shutil.rmtree(self.plan.path)
        except OSError as error:
            failure = failure or _failure(error)
            log.warning("recording_left_open room=%s error=%s", self.plan.room, error)
        return Outcome(failure, desk.seconds, folder.octets)


def _failure(error: OSError) -> Failure:
    if isinstance(error, Elsewhere):
        return "elsewhere"
    full = isinstance(error, NoSpace) or error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk_full" if full else "disk_error"


class _Desk:
    """Everything a recording's thread works with."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self._folder, self._plan = folder, plan
        self._renditions: dict[SourceName, tuple[Rendition, Assembly]] = {}
        self._tracks: dict[tuple[SourceName, Kind], _Track] = {}
        self._clocks: dict[SourceName, tuple[object, PublisherClock]] = {}

    @property
    def seconds(self) -> float:
        """How far the recording reaches."""
        return max((rendition.playlist.seconds for rendition, _ in self._renditions.values()), default=0.0)

    def take(self, chunks: Sequence[Chunk], now: float) -> None:
        """Writes a batch, and what waited long enough."""
        for chunk in chunks:
            self._track(chunk.stream).take(chunk)
        for track in self._tracks.values():
            track.go_on(now)

    def _track(self, stream: Stream) -> _Track:
        key = (stream.source, stream.kind)
        found = self._tracks.get(key)
        if found is None or found.stream is not stream:
            if stream.source not in self._renditions:
                rendition = Rendition(self._folder, stream.source, self._plan.began, self._plan.keep_seconds)
                self._renditions[stream.source] = (rendition, Assembly(rendition))
            clock = TrackClock(stream.rate, self._clock(stream))
            found = _Track(stream, clock, self._plan.origin, self._renditions[stream.source][1])
            self._tracks[key] = found
        return found

    def _clock(self, stream: Stream) -> PublisherClock:
        known = self._clocks.get(stream.source)
        if known is None or known[0] is not stream.publisher:
            known = self._clocks[stream.source] = (stream.publisher, PublisherClock())
        return known[1]

    def close(self) -> None:
        """Writes what is left."""
        for track in self._tracks.values():
            track.go_on(float("inf"))
        for _, assembly in self._renditions.values():
            assembly.close()

    def end_playlists(self) -> None:
        for rendition, _ in self._renditions.values():
            rendition.end()


class _Track:
    """From a stream's packets to pictures or sounds with their times."""

    def __init__(self, stream: Stream, clock: TrackClock, origin: float, into: Assembly) -> None:
        self.stream = stream
        self._clock, self._origin, self._into = clock, origin, into
        self._order = Reordering()
        self._pictures = depacketiser(stream.codec)

    def take(self, chunk: Chunk) -> None:
        if chunk.report is not None:
            self._clock.heard(chunk.report)
        for kept, at in chunk.packets:
            for packet in self._order.put(kept, at):
                self._place(packet)

    def go_on(self, now: float) -> None:
        """Gives gaps up that waited long enough."""
        for packet in self._order.due(now):
            self._place(packet)

    def _place(self, packet: Ordered) -> None:
        if self.stream.kind == "audio":
            self._into.sound(packet.kept.payload, self._time(packet.kept.timestamp, packet.at))
        elif self._pictures is not None:
            for picture in self._pictures.put(packet):
                self._into.picture(self.stream.codec, picture, self._time(picture.timestamp, picture.at))

    def _time(self, timestamp: int, arrived: float) -> float:
        return max(0.0, self._clock.at(timestamp, arrived) - self._origin)
