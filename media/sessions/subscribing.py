"""The subscriber's session: its feeds, its sender reports, and what its receiver reports prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from media.forwarding.feed import Feed
from media.forwarding.layer import Layer
from media.forwarding.publication import Publication
from media.ladder import Rung
from media.packets import rtcp
from media.sessions.session import House, Name, Session
from media.sessions.slots import Counts, Sent, SubscriberSlots
from media.signalling.negotiation import Stream, Track
from media.values import Kind, SessionView
from media.wire.aiortc_bridge import Identity

REPORT_EVERY = 2.0
"""Seconds between two sender reports …"""
FIRST_REPORTS = 0.3
"""… in a session's first two seconds, so that sound and picture meet early …"""
HURRIED_REPORTS = 0.5
"""… and while its line is being tried: a report that is answered measures the queue in front of the line."""
PAUSED_REPORTS = 0.7
"""And this often while nothing else is sent: they tell the page that its line is alive."""


class _Told(NamedTuple):
    """What receiver reports say of one feed."""

    jitter_ms: float
    lost: int
    """Packets, since the feed began."""
    upto: int
    """The subscriber's own number after the highest that it received."""


class SubscriberSession(Session):
    """WHEP: one peer receives one source."""

    def __init__(
        self,
        house: House,
        name: Name,
        identity: Identity,
        publication: Publication,
        tracks: Sequence[Track],
        *,
        dtls_server: bool,
        every: bool = False,
    ) -> None:
        """`every` layer of the picture for an edge, each as a stream of its own; one at a time for everybody else."""
        super().__init__(house, name, identity, dtls_server=dtls_server)
        self.publication, self.every = publication, every
        self._codec = publication.tracks["video"].codec
        """Of the picture, as an edge was told."""
        streams = publication.streams(every=every)
        self.feeds = tuple(self._feed(track, stream) for track in tracks for stream in streams[track.kind])
        self._by_ssrc = {feed.stream.ssrc: index for index, feed in enumerate(self.feeds)}
        self._slots: SubscriberSlots | None = None
        self._report_at = 0.0
        self._told: dict[int, _Told] = {}
        """What receiver reports said last of each feed, by its index."""
        self.measured_at = float("-inf")
        """When `round_trip` was known last."""
        self.told_of: float | None = None
        """When the sender report left that its receiver answered last: of what was sent before, it has told."""
        self.hurried = False
        """Its receiver's line is to be judged soon: it is asked more often."""
        self.limit: tuple[int, float] | None = None
        """Bits a second that the peer thinks its line carries (REMB), and when it said so."""
        self.rung: Rung | None = None
        self._sent = Sent()

    def _feed(self, track: Track, stream: Stream) -> Feed:
        types = {c.codec.name: c.codec.payload_type for c in track.chosen}
        repairs = {c.codec.payload_type: c.rtx for c in track.chosen if c.rtx is not None}
        return Feed(self.publication.tracks[track.kind], self, types, repairs, stream=stream)

    def on_connected(self, now: float) -> None:
        """Begins to receive."""
        config = self.house.config
        self._slots = SubscriberSlots(
            self.feeds,
            lambda: self.publication.packets,
            now=now,
            seconds=config.slot_seconds,
            grace=config.slot_grace_seconds,
            sent=lambda: self._sent,
        )
        self.publication.subscribers.add(self)
        for feed in self.feeds:
            feed.begin()

    def _outdated(self) -> bool:
        """Whether there are other layers than an edge was told of, or another codec."""
        layers = sum(len(track.layers) for track in {feed.track for feed in self.feeds})
        return self.every and (
            len(self.feeds) != layers or self.publication.tracks["video"].codec not in ("", self._codec)
        )

    def takes(self, kind: Kind) -> bool:
        """Whether the peer asked for sound, or for a picture."""
        return any(feed.track.kind == kind for feed in self.feeds)

    @property
    def sends(self) -> bool:
        """Whether it is sent anything now."""
        return any(feed.layer is not None for feed in self.feeds)

    def receive(self, rung: Rung, picture: Layer | None, *, sound: bool, now: float) -> None:
        """What it is to be sent from now on; no picture, or no sound, pauses that feed."""
        self.rung = rung
        self._sent = Sent(rung, picture.rid if picture is not None else None)
        for feed in self.feeds:
            if feed.track.kind == "video":
                feed.move(picture, now)
            else:
                feed.move(feed.track.best if sound else None, now)

    def receive_all(self, now: float) -> None:
        """An edge is sent every layer; it has a ladder of its own for those behind it."""
        if self._outdated():
            self.house.end(self, "closed")
            return
        for kind, track in self.publication.tracks.items():
            feeds = [feed for feed in self.feeds if feed.track.kind == kind]
            for feed, layer in zip(feeds, track.layers, strict=False):
                feed.move(layer, now)

    def line(self) -> tuple[int, int, int]:
        """Packets that reports have passed, packets they call lost, and octets sent, since the beginning."""
        counts, told = self.counts(), self._told.items()
        return sum(each.upto - (self.feeds[index].first or 0) for index, each in told), counts.lost, counts.octets

    def on_moved(self) -> None:
        """Packets follow the peer to its new address."""
        for feed in self.feeds:
            feed.moved()

    def publisher_changed(self, now: float) -> None:
        """The publication has a new publisher. An edge asks anew where that sends another number of layers, or another codec."""
        if self._outdated():
            self.house.end(self, "closed")
            return
        for feed in self.feeds:
            feed.publisher_changed(now)

    def on_rtp(self, packet: bytes, now: float) -> None:
        """A subscriber sends no media; what it sends is dropped."""

    def on_rtcp(self, feedback: rtcp.Feedback, now: float) -> None:
        """Sends again what is asked for, asks for key pictures, and takes reports as evidence."""
        for ssrc, sequence in feedback.nacks:
            index = self._by_ssrc.get(ssrc)
            if index is not None:
                self.feeds[index].resend(sequence, now)
        for ssrc in feedback.keyframes:
            index = self._by_ssrc.get(ssrc)
            layer = (self.feeds[index].layer or self.feeds[index].wanted) if index is not None else None
            if layer is not None and layer.kind == "video":
                layer.requests.want()
        if feedback.limit is not None:
            self.limit = (feedback.limit, now)
        for block in feedback.blocks:
            index = self._by_ssrc.get(block.ssrc)
            if index is not None:
                self._reported(index, block, now)

    def _reported(self, index: int, block: rtcp.Block, now: float) -> None:
        feed, told = self.feeds[index], self._told.get(index)
        trip = self.publication.answered(block, now) if block.last_sr else None
        if trip is not None and (self.told_of is None or trip.left_at > self.told_of):  # else it says the same again
            self.round_trip, self.measured_at, self.told_of = trip.milliseconds, now, trip.left_at
        if self._slots is None or feed.first is None:  # of what was never sent nothing can be told
            return
        number = feed.own_number(block.highest & 0xFFFF)
        upto = max(number + 1, told.upto if told is not None else feed.first)
        self._told[index] = _Told(block.jitter * 1000 / feed.track.rate, block.lost, upto)
        self._slots.report(index, first=feed.first, number=number, lost=block.lost, now=now)

    def stood_still(self, since: float, now: float) -> None:
        """No slot covers the time."""
        if self._slots is not None:
            self._slots.stood_still(since, now)

    def on_upkeep(self, now: float) -> None:
        """Sender reports and slots that are due."""
        assert self.connected_at is not None
        if now >= self._report_at:
            usual = REPORT_EVERY if self.sends else PAUSED_REPORTS
            if now - self.connected_at < 2:
                usual = FIRST_REPORTS
            self._report_at = now + (min(usual, HURRIED_REPORTS) if self.hurried else usual)
            self._send_reports(now)
        if self._slots is None:
            return
        if now >= self._slots.due_at:
            self._slots.cut(now)
        for slot in self._slots.take(now):
            self.emit_slot(slot)

    def _send_reports(self, now: float) -> None:
        """On what is sent, and on what is paused as long as the publisher sends it."""
        sending = {layer: feed for feed in self.feeds if (layer := feed.layer or self._paused(feed, now)) is not None}
        parts, names = [], []
        for layer, ntp_time, rtp_time in self.publication.clock_reports(list(sending), now):
            feed = sending[layer]
            ssrc, sent, seen = feed.stream.ssrc, feed.reading(), feed.own_time(rtp_time)
            parts.append(
                rtcp.sender_report(ssrc, ntp_time=ntp_time, rtp_time=seen, packets=sent.packets, octets=sent.octets)
            )
            names.append(rtcp.description(ssrc, self.publication.cname))
        if parts:
            self.send_rtcp(b"".join([*parts, *names]))

    def _paused(self, feed: Feed, now: float) -> Layer | None:
        return feed.track.best if feed.wanted is None and feed.track.best.alive(now) else None

    @property
    def jitter_ms(self) -> float | None:
        """As the peer reports it of its worst stream."""
        return max((told.jitter_ms for told in self._told.values()), default=None)

    def on_finish(self, now: float) -> None:
        """Stops the feeds, tells the last slots."""
        for feed in self.feeds:
            feed.stop(now)
        self.publication.subscribers.discard(self)
        if self._slots is not None:
            for slot in self._slots.close(now):
                self.emit_slot(slot)

    def goodbye(self) -> bytes:
        """BYE of the streams it was sent."""
        ssrcs = [feed.stream.ssrc for feed in self.feeds]
        return rtcp.receiver_report(ssrcs[0], []) + rtcp.goodbye(ssrcs)

    def counts(self) -> Counts:
        """What was sent, and what of it its reports call lost."""
        readings = [feed.reading() for feed in self.feeds]
        lost = sum(told.lost for told in self._told.values())
        return Counts(sum(r.packets for r in readings), sum(r.octets for r in readings), lost)

    def view(self) -> SessionView:
        """The session now, with what it is sent."""
        rid = next((feed.layer.rid for feed in self.feeds if feed.track.kind == "video" and feed.layer), None)
        return replace(super().view(), rung=self.rung, rid=rid)
