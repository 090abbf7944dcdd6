"""A feed: one subscriber's share in one track, from joining to leaving.

It is on one layer at a time. The subscriber sees one stream: each stretch on a layer has offsets that carry its numbers
and its clock on from where the last one ended. A stretch begins with a key picture, so no picture ever lacks its parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from media.forwarding.fanout import Form
from media.forwarding.layer import Layer
from media.forwarding.reading import Reading
from media.forwarding.resending import ResendBudget
from media.forwarding.track import OutgoingTrack
from media.packets import vp8
from media.packets.rtp import HEADER
from media.packets.sequence import Kept
from media.signalling.negotiation import Stream
from media.wire.stun import Address

STRETCHES = 4
"""Stretches out of which packets are sent again: what was lost just before a switch is asked for just after it."""
FARTHEST = 10.0
"""Seconds between what sender reports and what arrival says of two layers' clocks, beyond which the former err."""


class Line(Protocol):
    """The subscriber's session as its feeds see it."""

    round_trip: float | None
    """Milliseconds."""

    @property
    def address(self) -> Address: ...

    @property
    def handle(self) -> Any: ...

    def send_rtp(self, packet: bytes) -> None: ...


class Stretch(NamedTuple):
    """Some time on one layer: from which of the subscriber's own numbers on, and in which form."""

    layer: Layer
    start: int
    form: Form


class Feed:
    """Waits for a key picture, catches up out of the layer's ring, is live, or is paused. `now` is monotonic seconds."""

    def __init__(
        self,
        track: OutgoingTrack,
        line: Line,
        payload_types: Mapping[str, int],
        retransmission: Mapping[int, int],
        *,
        stream: Stream | None = None,
    ) -> None:
        """`payload_types` by codec name, `retransmission` the RTX payload type by the one it repairs, `stream` where it is
        not the track's own."""
        self.track, self.stream = track, stream or track.stream
        self.wanted: Layer | None = None
        """The layer it is on, or goes to with the next key picture; None while paused."""
        self.form = Form(-1, self.stream.ssrc)
        """How the present layer's packets are written for this subscriber."""
        self.first: int | None = None
        """The subscriber's own (extended) number of the first packet sent; None before."""
        self._line = line
        self._payload_types = dict(payload_types)
        self._retransmission = dict(retransmission)
        self._payload_type = -1
        self._stretches: deque[Stretch] = deque(maxlen=STRETCHES)
        self._cursor: int | None = None
        """The layer's number that comes next out of its ring, while catching up."""
        self._mark: tuple[int, int] | None = None
        """The layer's counters when this feed went live; None while it is not."""
        self._packets = self._octets = 0
        self._next = 0
        self._last: tuple[int, float] | None = None
        """Timestamp, as the subscriber saw it, and time of the last packet sent before a pause."""
        self._rtx_sequence = 0
        self._budget = ResendBudget()

    @property
    def address(self) -> Address:
        """Where packets go."""
        return self._line.address

    @property
    def handle(self) -> Any:
        """libsrtp's handle of the subscriber."""
        return self._line.handle

    @property
    def begins(self) -> int:
        """The present layer's number of the first packet that is this subscriber's."""
        return self._stretches[-1].start - self.form.number

    def passed_over(self, packet: Kept) -> None:
        """The layer sent a packet that came too late for this subscriber."""
        if self._mark is not None:
            self._mark = self._mark[0] + 1, self._mark[1] + len(packet.payload) + 12

    @property
    def layer(self) -> Layer | None:
        """The layer whose packets are sent now; None while there are none."""
        return self._stretches[-1].layer if self._stretches and self._receiving else None

    @property
    def _receiving(self) -> bool:
        return self._mark is not None or self._cursor is not None

    def begin(self) -> None:
        """The subscriber is connected; it is given a layer next (`move`)."""
        self._payload_type = self._payload_types.get(self.track.codec, -1)

    def move(self, layer: Layer | None, now: float) -> None:
        """Goes to another layer: of sound with its next packet, of a picture with its next key picture, and stays on the present
        layer until then. None pauses at once."""
        if layer is self.wanted:
            return
        if self.wanted is not None:
            self.wanted.waiting.discard(self)
        self.wanted = layer
        if layer is None:
            self._leave(now)
        elif layer is not self.layer and self._payload_type >= 0:
            self._approach(layer, now)

    def _approach(self, layer: Layer, now: float) -> None:
        if layer.kind == "audio":
            self.enter(layer, layer.next_out, None, now)
            return
        key = None if self._receiving else layer.replay_from(now, after=self._last[1] if self._last else float("-inf"))
        if key is None:
            layer.waiting.add(self)
            layer.requests.want()
            return
        self._begin_stretch(layer, key.number, key.timestamp, now)
        self._cursor = key.number
        layer.catching_up.add(self)
        self.catch_up(1, now)

    def enter(self, layer: Layer, number: int, timestamp: int | None, now: float) -> None:
        """Gets every packet of the layer from the one with this number on; the timestamp is that packet's, None where the
        layer is the same as before and its clock just goes on."""
        layer.waiting.discard(self)
        self._leave(now)
        self._begin_stretch(layer, number, timestamp, now)
        self._go_live(layer)

    def _go_live(self, layer: Layer) -> None:
        layer.catching_up.discard(self)
        self._cursor = None
        self._mark = (layer.sent, layer.sent_octets)
        layer.live.add(self)

    def _begin_stretch(self, layer: Layer, number: int, timestamp: int | None, now: float) -> None:
        offset = self._next - number if self.first is not None else 0
        before = self._stretches[-1] if self._stretches else None
        shift = before.form.timestamp if before is not None else 0
        if before is not None and timestamp is not None and self._last is not None:
            shift = self._carried_on(before, layer, timestamp, self._last, now) - timestamp
        picture, base = self._pictures_on(layer, number, before)
        self.form = Form(self._payload_type, self.stream.ssrc, offset, shift & 0xFFFFFFFF, picture, base)
        if self.first is None:
            self.first = number
        self._stretches.append(Stretch(layer, number + offset, self.form))

    def _carried_on(self, before: Stretch, layer: Layer, timestamp: int, last: tuple[int, float], now: float) -> int:
        """The timestamp that the subscriber is to see in place of the layer's own. The publisher's sender reports say how far the
        clocks of two layers are apart; where they do not yet, the time that has passed does. It is always later than the last one seen."""
        seen, at = last
        passed = max(1, int((now - at) * layer.rate))
        if before.layer is layer:
            ahead = timestamp + before.form.timestamp - seen
        elif (apart := layer.clock_apart(before.layer)) is not None:
            ahead = timestamp + apart + before.form.timestamp - seen
        else:
            ahead = passed
        ahead = (ahead + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if abs(ahead - passed) > FARTHEST * layer.rate:
            ahead = passed
        return seen + max(1, ahead)

    def _pictures_on(self, layer: Layer, number: int, before: Stretch | None) -> tuple[int, int]:
        """What to add to the ids of VP8 pictures, so that the one after the last is the next."""
        if before is None or layer.codec != "VP8":
            return 0, 0
        if layer is before.layer:
            return before.form.picture, before.form.base
        kept, last = layer.ring.get(number), before.layer.ring.get(self._next - 1 - before.form.number)
        ours, theirs = (vp8.ids(packet.payload) if packet is not None else None for packet in (kept, last))
        if ours is None or theirs is None:
            return before.form.picture, before.form.base
        picture = theirs.picture + before.form.picture + 1 - ours.picture
        return picture & 0x7FFF, theirs.base + before.form.base + 1 - ours.base & 0xFF

    def catch_up(self, count: int, now: float) -> None:
        """Sends the next packets out of the ring and what came meanwhile; goes live when there are no more."""
        layer = self._stretches[-1].layer
        while self._cursor is not None and count > 0:
            if self._cursor >= layer.next_out:
                self._go_live(layer)
                return
            kept = layer.ring.get(self._cursor)
            self._cursor += 1
            if kept is not None:
                count -= 1
                self._packets += 1
                self._octets += len(kept.payload) + 12
                self._line.send_rtp(self.form.packet(kept))

    def _leave(self, now: float) -> None:
        """Ends the present stretch, if there is one."""
        if not self._receiving:
            return
        layer, _, form = self._stretches[-1]
        self._packets, self._octets, upto = self.reading()
        self._next = upto or 0
        kept = layer.ring.get(self._cursor - 1) if self._cursor is not None else None
        seen, at = (kept.timestamp, now) if kept is not None else layer.last_out or (0, now)
        self._last = (seen + form.timestamp & 0xFFFFFFFF, at)
        self._mark = self._cursor = None
        layer.live.remove(self)
        layer.catching_up.discard(self)

    def own_number(self, sequence: int) -> int:
        """The subscriber's own number that ends in these 16 bits and was given last."""
        last = (self.reading().upto or 1) - 1
        return last - ((last - sequence) & 0xFFFF)

    def own_time(self, timestamp: int) -> int:
        """A timestamp of the present layer as the subscriber sees it."""
        return timestamp + self.form.timestamp & 0xFFFFFFFF

    def resend(self, sequence: int, now: float) -> None:
        """Answers a NACK out of the ring: as RTX (RFC 4588) where the subscriber takes it, else the packet as it was."""
        number = self.own_number(sequence)
        stretch = next((s for s in reversed(self._stretches) if s.start <= number), None)
        if stretch is None or self.layer is None:
            return
        layer, _, form = stretch
        kept = layer.ring.get(number - form.number)
        if kept is None:
            return
        if not self._budget.spend(number, len(kept.payload), self.layer, self._line.round_trip, now):
            return
        layer.retransmitted += 1
        rtx = self._retransmission.get(form.payload_type)
        if rtx is None:
            self._line.send_rtp(form.packet(kept))
            return
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        timestamp = kept.timestamp + form.timestamp & 0xFFFFFFFF
        header = HEADER.pack(0x80, kept.marker | rtx, self._rtx_sequence, timestamp, self.stream.rtx_ssrc)
        self._line.send_rtp(header + (number & 0xFFFF).to_bytes(2, "big") + form.payload(kept))

    def moved(self) -> None:
        """The subscriber has a new address."""
        if self._mark is not None:
            self._stretches[-1].layer.live.refresh(self)

    def publisher_changed(self, now: float) -> None:
        """The track has a new publisher, perhaps with another codec or other layers."""
        before, self._payload_type = self._payload_type, self._payload_types.get(self.track.codec, -1)
        wanted = self.wanted
        if wanted is not None and wanted not in self.track.layers:
            wanted = self.track.best
        if self._payload_type == before and wanted is self.wanted:
            return  # goes on in the layer's numbers and clock
        if self._payload_type != before:
            self._leave(now)
        if self.wanted is not None:
            self.wanted.waiting.discard(self)
        self.wanted = None
        self.move(wanted, now)

    def stop(self, now: float) -> None:
        """Gets nothing more."""
        self.move(None, now)

    def reading(self) -> Reading:
        """What was sent to this subscriber until now, in its own numbers; retransmissions are not counted."""
        if self.first is None:
            return Reading(0, 0, None)
        if self._mark is not None:
            layer, (sent, octets) = self._stretches[-1].layer, self._mark
            upto = layer.next_out + self.form.number
            return Reading(self._packets + layer.sent - sent, self._octets + layer.sent_octets - octets, upto)
        upto = self._cursor + self.form.number if self._cursor is not None else self._next
        return Reading(self._packets, self._octets, upto)
