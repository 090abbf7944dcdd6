"""What a recording takes of its room: of every track of a source the highest layer that flows, packet by packet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from media.events import SourceName
from media.forwarding.layer import Layer
from media.forwarding.publication import Publication
from media.forwarding.reception import ClockPoint
from media.packets.sequence import Kept
from media.recording.assembly import SEGMENT_SECONDS
from media.recording.manuscript import Chunk, Stream
from media.values import Kind

FLOWING = 1.0
"""A layer that sent nothing for so long does not flow."""
HIGHER_AFTER = 3.0
"""A higher layer must flow this long before the recording moves up to it."""


class LayerTap:
    """Collects a layer's packets for the next batch."""

    def __init__(self) -> None:
        self.packets: list[Kept] = []
        self.arrivals: list[float] = []

    def take(self, layer: Layer, kept: Kept, now: float) -> None:
        """On the packet path."""
        self.packets.append(kept)
        self.arrivals.append(now)


@dataclass
class Tapped:
    """A layer that is recorded."""

    layer: Layer
    stream: Stream
    tap: LayerTap
    keyframes: int
    """Of the layer, when it was last looked at."""
    key_at: float = float("-inf")
    reported: ClockPoint | None = None
    higher_since: float | None = None

    def chunk(self) -> Chunk | None:
        """What came since the last call."""
        packets, self.tap.packets = self.tap.packets, []
        arrivals, self.tap.arrivals = self.tap.arrivals, []
        reception = self.layer.reception
        clock = reception.clock if reception is not None else None
        report = None
        if clock is not None and clock is not self.reported:
            self.reported = clock
            report = replace(clock, rtp=self.layer.rtp_time(clock.rtp))
        return Chunk(self.stream, packets, arrivals, report) if packets or report is not None else None

    def goes_on(self, layer: Layer, publication: Publication) -> bool:
        """Whether it is still the same stream: of this layer, this codec, and this connection of the publisher."""
        stream = self.stream
        return self.layer is layer and stream.codec == layer.codec and stream.publisher is publication.publisher

    def want_key_picture(self, now: float) -> None:
        """A segment can end only where a key picture begins."""
        if self.layer.keyframes != self.keyframes:
            self.keyframes, self.key_at = self.layer.keyframes, now
        elif now - self.key_at >= SEGMENT_SECONDS:
            self.layer.requests.want()


class Taps:
    """Those of one recording. `now` is always monotonic seconds."""

    def __init__(self) -> None:
        self._tapped: dict[tuple[SourceName, Kind], Tapped] = {}
        self._left: list[Chunk] = []
        """What came of streams that do not go on."""

    def follow(self, publications: Iterable[Publication], now: float) -> None:
        """Keeps a tap on each track of these sources."""
        for publication in publications:
            self._follow(publication, "audio", now)
            self._follow(publication, "video", now)

    def _follow(self, publication: Publication, kind: Kind, now: float) -> None:
        key = (publication.source, kind)
        current = self._tapped.get(key)
        best = best_layer(publication, kind, current, now)
        if best is None:
            return
        if current is None or not current.goes_on(best, publication):
            if current is not None:
                self._release(current)
            new = Stream(publication.source, kind, best.codec, best.rate, publication.publisher)
            current = self._tapped[key] = Tapped(best, new, LayerTap(), best.keyframes)
            best.taps.add(current.tap)
        if kind == "video":
            current.want_key_picture(now)

    def _release(self, tapped: Tapped) -> None:
        tapped.layer.taps.discard(tapped.tap)
        if (chunk := tapped.chunk()) is not None:
            self._left.append(chunk)

    def chunks(self) -> list[Chunk]:
        """What came since the last call."""
        found, self._left = self._left, []
        return found + [chunk for tapped in self._tapped.values() if (chunk := tapped.chunk()) is not None]

    def release(self) -> None:
        """Takes no more."""
        for tapped in self._tapped.values():
            tapped.layer.taps.discard(tapped.tap)


def best_layer(publication: Publication, kind: Kind, current: Tapped | None, now: float) -> Layer | None:
    """The highest layer that flows; a change upwards waits, so that a layer that comes and goes changes nothing."""
    layers = [layer for layer in publication.layers_of(kind) if layer.codec]
    flowing = [each for each in layers if each.reception is not None and now - each.reception.last_at < FLOWING]
    highest = flowing[-1] if flowing else None
    if current is None or current.layer not in layers:
        return highest
    if highest is None or highest is current.layer:
        current.higher_since = None
        return current.layer
    if current.layer not in flowing:
        return highest
    current.higher_since = now if current.higher_since is None else current.higher_since
    return highest if now - current.higher_since >= HIGHER_AFTER else current.layer
