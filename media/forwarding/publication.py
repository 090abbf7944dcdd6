"""A publication: one source of a room, its tracks and their layers, who sends it and who receives it.

It outlives its publisher's connections: subscribers stay when the publisher reconnects.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from media.events import PeerId, RoomId, SourceName
from media.forwarding.layer import Layer
from media.forwarding.reception import Reception
from media.forwarding.track import OutgoingTrack
from media.packets import rtcp
from media.signalling.negotiation import Stream
from media.values import Kind, LayerView
from media.wire.udp import UdpPort

KINDS: tuple[Kind, ...] = ("audio", "video")
LOOK_EVERY, MEASURE_EVERY = 0.2, 1.0
"""Seconds after which it is seen that a layer stopped or began, and after which bit rates are measured."""
REMEMBERED_REPORTS = 16
"""For each subscriber: more than a browser waits before it refers to one."""


class Publisher(Protocol):
    """Who sends a source: a peer's session, or the pull of an edge."""

    def ask(self, feedback: bytes) -> None:
        """Sends it a feedback message."""


class Subscriber(Protocol):
    """Who receives a source."""

    def publisher_changed(self, now: float) -> None:
        """The source has a new publisher, perhaps with another codec or other layers."""


class Trip(NamedTuple):
    """There and back: how long it took, and when the sender report left that was answered (monotonic seconds)."""

    milliseconds: float
    left_at: float


class ClockReport(NamedTuple):
    """What a sender report to subscribers says of one layer."""

    layer: Layer
    ntp: int
    rtp: int


class Publication:
    """One source. `now` is always monotonic seconds."""

    def __init__(self, room: RoomId, source: SourceName, owner: PeerId, port: UdpPort) -> None:
        self.room, self.source, self.owner = room, source, owner
        self.cname = secrets.token_hex(8)
        self.tracks: Mapping[Kind, OutgoingTrack] = {kind: OutgoingTrack(kind, port) for kind in KINDS}
        self.publisher: Publisher | None = None
        """The connected one."""
        self.silent = False
        """Its sound goes no further: a classroom that has not the floor."""
        self.version = 0
        """Changes with the layers that can be had."""
        self._alive: tuple[bool, ...] = ()
        self._looked_at = self._measured_at = 0.0
        self.subscribers: set[Subscriber] = set()
        self._reports_sent: OrderedDict[int, float] = OrderedDict()
        self._packets_before = 0

    def layers_of(self, kind: Kind) -> tuple[Layer, ...]:
        """The track's layers, lowest first: one, with an empty rid, without simulcast. The last is the same as long as the
        publication lives."""
        return self.tracks[kind].layers

    def usable(self, kind: Kind, now: float) -> tuple[Layer, ...]:
        """The layers that can be had now, lowest first; the best one where there is none."""
        layers = self.layers_of(kind)
        return tuple(layer for layer in layers if layer.alive(now)) or layers[-1:]

    @property
    def layers(self) -> list[Layer]:
        """Those of sound, then those of the picture."""
        return [layer for track in self.tracks.values() for layer in track.layers]

    @property
    def receptions(self) -> list[Reception]:
        """The streams that its publisher sends now."""
        return [layer.reception for layer in self.layers if layer.reception is not None]

    def reported(self, report: rtcp.SenderReport, now: float) -> None:
        """Takes a sender report of the publisher: which of its RTP times was which NTP time."""
        for reception in self.receptions:
            if reception.ssrc == report.ssrc:
                reception.reported(report.ntp, report.rtp, now)

    def left(self, ssrcs: Sequence[int]) -> None:
        """These streams of the publisher are over (BYE, RFC 3550 §6.6): others may take their place at once, and nobody waits for them."""
        for reception in self.receptions:
            if reception.ssrc in ssrcs:
                reception.last_at = float("-inf")

    @property
    def packets(self) -> int:
        """Arrived from its publishers, all layers together."""
        return self._packets_before + sum(layer.packets for layer in self.layers)

    def streams(self, *, every: bool) -> Mapping[Kind, Sequence[Stream]]:
        """The SSRCs that go into a subscriber's answer, of one that takes every layer or of a usual one."""
        return {kind: track.streams() if every else (track.stream,) for kind, track in self.tracks.items()}

    def attach(self, publisher: Publisher, codecs: Mapping[Kind, str], rids: Sequence[str], now: float) -> None:
        """A publisher's connection takes the source over; `rids` names the layers of its picture, lowest first."""
        self.publisher = publisher
        self.version += 1
        before = self.packets
        for kind, track in self.tracks.items():
            track.attach(codecs.get(kind, ""), rids if kind == "video" and rids else ("",))
        self._packets_before += before - self.packets  # of layers that are no more
        for subscriber in list(self.subscribers):
            subscriber.publisher_changed(now)

    def detach(self, publisher: Publisher) -> None:
        """The publisher's connection ended; a newer one is not touched."""
        if self.publisher is publisher:
            self.publisher = None

    def close(self) -> None:
        """Nobody sends or receives it any more: its packets, a megabyte, need not wait for the garbage collector."""
        for layer in self.layers:
            layer.ring.clear()

    def tick(self, now: float) -> None:
        """Joiners' next packets, and what the publisher must be asked for now."""
        publisher = self.publisher
        if now - self._looked_at >= LOOK_EVERY:
            self._look(now)
        for layer in self.layers:
            if layer.catching_up:
                layer.tick(now)
            if publisher is None or layer.reception is None:
                continue
            if wanted := layer.missing(now):
                publisher.ask(rtcp.nack(1, layer.reception.ssrc, wanted))
            if layer.keyframe_due(now):
                publisher.ask(rtcp.picture_loss(1, layer.reception.ssrc))

    def _look(self, now: float) -> None:
        self._looked_at = now
        alive = tuple(layer.alive(now) for layer in self.layers)
        if alive != self._alive:
            self._alive, self.version = alive, self.version + 1
        if now - self._measured_at >= MEASURE_EVERY:
            self._measured_at = now
            for layer in self.layers:
                layer.measure(now)

    def clock_reports(self, layers: Sequence[Layer], now: float) -> list[ClockReport]:
        """RTP and NTP time of each of these layers on one clock: the publisher's own, as its sender reports gave it; until
        each layer has one, the relay's, by the arrival of the first packets."""
        running = [(layer, layer.reception) for layer in layers if layer.reception is not None]
        own = all(reception.clock is not None for _, reception in running)
        found: list[ClockReport] = []
        for layer, reception in running:
            point = reception.clock if own else reception.first
            if point is None:
                continue
            age = now - point.at
            base = point.ntp if own else rtcp.ntp(point.at)
            ntp = (base + int(age * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
            found.append(ClockReport(layer, ntp, layer.rtp_time(point.rtp + int(age * layer.rate))))
        for report in found:
            self._reports_sent[report.ntp >> 16 & 0xFFFFFFFF] = now
        while len(self._reports_sent) > REMEMBERED_REPORTS * max(1, len(self.subscribers)):
            self._reports_sent.popitem(last=False)
        return found

    def answered(self, block: rtcp.Block, now: float) -> Trip | None:
        """The way to the subscriber that sent this block and back; None where it answers no report of ours."""
        sent = self._reports_sent.get(block.last_sr)
        return Trip(max(0.0, (now - sent - block.delay / 65536) * 1000), sent) if sent is not None else None

    def views(self) -> tuple[LayerView, ...]:
        """The layers that have a publisher, or had one."""
        return tuple(
            LayerView(
                source=self.source,
                kind=layer.kind,
                rid=layer.rid,
                codec=layer.codec,
                packets=layer.packets,
                octets=layer.octets,
                lost=layer.lost,
                keyframes=layer.keyframes,
                keyframe_requests=layer.requested,
                retransmitted=layer.retransmitted,
            )
            for layer in self.layers
            if layer.codec
        )
