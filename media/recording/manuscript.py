"""One recording while it is being written: what came of its streams in, files of its folder out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from media.events import SourceName
from media.forwarding.reception import ClockPoint
from media.packets.sequence import Kept
from media.recording.assembly import Assembly
from media.recording.clock import PublisherClock, TrackClock
from media.recording.depacketising import depacketiser
from media.recording.folder import Folder, Rendition
from media.recording.reordering import Ordered, Reordering
from media.values import Kind


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
    """What came of a stream since the last one: packets, when each arrived, and the newest sender report (its RTP time in the
    numbers of the packets). Two flat lists: a pair for each packet would be one more object for collections of garbage."""

    stream: Stream
    packets: Sequence[Kept]
    arrivals: Sequence[float]
    report: ClockPoint | None


class Manuscript:
    """A recording from its first packet to its last playlist. What is written here gets its name in the folder by
    `keep_files`, and `keep_names` makes the names last. Everything raises OSError."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        durable = plan.keep_seconds is None
        self._folder = Folder(plan.path, plan.room, must_stay_free=plan.must_stay_free, durable=durable)
        self.keep_files, self.keep_names = self._folder.keep_files, self._folder.keep_names
        self._renditions: dict[SourceName, tuple[Rendition, Assembly]] = {}
        self._tracks: dict[tuple[SourceName, Kind], _Track] = {}
        self._clocks: dict[SourceName, tuple[object, PublisherClock]] = {}

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
            if found is not None:  # nothing repairs it any more
                found.go_on(float("inf"))
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

    def end(self) -> None:
        """Writes what is left, and that no more will come."""
        for track in self._tracks.values():
            track.go_on(float("inf"))
        for _, assembly in self._renditions.values():
            assembly.close()
        self._end_playlists()

    def _end_playlists(self) -> None:
        for rendition, _ in self._renditions.values():
            rendition.end()

    def close(self) -> None:
        """After `end` and when its files are kept: the recording is what it is. Segments alone are let go."""
        self._folder.close()
        if self._plan.keep_seconds is not None:
            shutil.rmtree(self._plan.path)

    def break_off(self) -> None:
        """After an error: closes what is there. On a full disk the reserve makes room for it."""
        self._folder.free_reserve()
        self._end_playlists()
        self.keep_files()
        self.keep_names()
        self.close()


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
        for kept, at in zip(chunk.packets, chunk.arrivals, strict=True):
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
