"""The publisher's session: its packets go into the publication's layers, and it hears how they arrive."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from media.forwarding.publication import Publication
from media.forwarding.routes import Routes
from media.packets import rtcp, rtp
from media.sessions.session import House, Name, Session
from media.sessions.slots import Counts, PublisherSlots
from media.signalling.negotiation import Track
from media.values import Kind
from media.wire.aiortc_bridge import Identity

log = logging.getLogger(__name__)

REPORT_EVERY = 1.0
"""Seconds between two receiver reports: browsers judge their uplink by them."""
MOST_PACKETS, MOST_OCTETS = 6_000, 4 << 20
"""Of one publisher in a second, more than three cameras send: what comes in is multiplied by all who receive it."""


class PublisherSession(Session):
    """WHIP: one peer sends one source."""

    def __init__(
        self,
        house: House,
        name: Name,
        identity: Identity,
        publication: Publication,
        tracks: Sequence[Track],
        *,
        dtls_server: bool,
    ) -> None:
        super().__init__(house, name, identity, dtls_server=dtls_server)
        self.publication = publication
        self.codecs: dict[Kind, str] = {track.kind: track.chosen[0].codec.name for track in tracks}
        self._tracks = tracks
        self._routes = Routes((), publication)
        self._slots: PublisherSlots | None = None
        self._report_at = 0.0
        self._packets = self._octets = self._curbed = 0
        self._most_packets, self._most_octets = MOST_PACKETS, MOST_OCTETS

    def on_connected(self, now: float) -> None:
        """Takes the source over."""
        rids = next((track.rids for track in self._tracks if track.rids), ())
        self.publication.attach(self, self.codecs, rids, now)
        self._routes = Routes(self._tracks, self.publication)
        self._slots = PublisherSlots(self.counts, now=now, seconds=self.house.config.slot_seconds)

    def counts(self) -> Counts:
        """What arrived, and what of the source never did, over all its publishers."""
        return Counts(self._packets, self._octets, sum(layer.lost for layer in self.publication.layers))

    def on_rtp(self, packet: bytes, now: float) -> None:
        """Sends the packet on, when it is of a codec that was agreed."""
        if self._packets >= self._most_packets or self._octets >= self._most_octets:
            self._curbed += 1
            return
        parsed = rtp.parse(packet)
        route = self._routes.find(parsed, packet) if parsed is not None else None
        if parsed is None or route is None or self.publication.publisher is not self:
            return
        layer, retransmitted = route
        if self.publication.silent and layer.kind == "audio":
            return
        if retransmitted:
            parsed = layer.arrive_repaired(parsed, now)
        else:
            layer.arrive(parsed, now)
        if parsed is not None and parsed.payload:  # a probe of the line is no lesson
            self._packets += 1
            self._octets += len(parsed.payload) + 12

    def on_rtcp(self, feedback: rtcp.Feedback, now: float) -> None:
        """Takes the clock from sender reports, and the end of a stream. That is not the session's: browsers say goodbye to a stream that they
        only pause (w3c/webrtc-pc#2202); what ends a session is DELETE, the end of DTLS, or silence."""
        for report in feedback.reports:
            self.publication.reported(report, now)
        if feedback.byes:
            self.publication.left(feedback.byes)

    def ask(self, feedback: bytes) -> None:
        """Sends a feedback message; the empty report before it makes the compound whole for publishers that want it so."""
        self.send_rtcp(rtcp.receiver_report(1, []) + feedback)

    def _allow_more(self) -> None:
        """Another second's worth."""
        self._most_packets, self._most_octets = self._packets + MOST_PACKETS, self._octets + MOST_OCTETS
        if self._curbed:
            log.info("publisher_curbed session=%s packets=%d", self.name.session, self._curbed)
            self._curbed = 0

    def _report(self, now: float) -> bytes:
        """A receiver report on all its streams, with our name."""
        blocks = [reception.block(now) for reception in self.publication.receptions]
        return rtcp.receiver_report(1, blocks) + rtcp.description(1, self.publication.cname)

    def stood_still(self, since: float, now: float) -> None:
        """No slot covers the time."""
        told = self._slots.stood_still(since, now) if self._slots is not None else None
        if told is not None:
            self.emit_slot(told)

    def on_upkeep(self, now: float) -> None:
        """A report with the bandwidth limit each second, also of nothing: it tells the page that its line is alive. Slots."""
        if now >= self._report_at and self.publication.publisher is self:
            self._report_at = now + REPORT_EVERY
            ssrcs = [reception.ssrc for reception in self.publication.receptions]
            limit = rtcp.bitrate_limit(1, ssrcs, self.house.config.video_bitrate) if ssrcs else b""
            self.send_rtcp(self._report(now) + limit)
            self._allow_more()
        if self._slots is not None and now >= self._slots.due_at:
            self.emit_slot(self._slots.take(now))

    @property
    def jitter_ms(self) -> float | None:
        """Of the worst stream that arrives."""
        return max((reception.jitter_ms for reception in self.publication.receptions), default=None)

    def on_finish(self, now: float) -> None:
        """The last slot; the source is free for the peer's next session."""
        if self._slots is not None:
            self.emit_slot(self._slots.take(now))
        self.publication.detach(self)

    def goodbye(self) -> bytes:
        """BYE of our reporting SSRC."""
        return rtcp.receiver_report(1, []) + rtcp.goodbye([1])
