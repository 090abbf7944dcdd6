"""A feed: one subscriber's share in one layer, from joining to leaving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from media.layer import Layer
from media.rtp import HEADER
from media.sequence import Kept
from media.slots import Reading
from media.stun import Address

MOST_RESENT = 400
"""Packets sent again to one feed in a second; a storm of NACKs costs no more."""
AGAIN_AFTER = 0.02
"""Seconds in which a packet is not sent twice to the same feed."""


class Line(Protocol):
    """The subscriber's session as its feeds see it."""

    @property
    def address(self) -> Address: ...

    @property
    def handle(self) -> Any: ...

    def send_rtp(self, packet: bytes) -> None: ...


class Feed:
    """Waiting for a key picture, catching up out of the ring, live, or stopped."""

    def __init__(
        self, layer: Layer, line: Line, payload_types: Mapping[str, int], retransmission: Mapping[int, int]
    ) -> None:
        """`payload_types` by codec name, `retransmission` the RTX payload type by the one it repairs."""
        self.layer = layer
        self._line = line
        self._payload_types = dict(payload_types)
        self._retransmission = dict(retransmission)
        self.payload_type = -1
        self.first: int | None = None
        """The extended number of the first packet sent; None before."""
        self._cursor: int | None = None
        self._upto: int | None = None
        self._mark: tuple[int, int] | None = None
        self._packets = self._octets = 0
        self._rtx_sequence = 0
        self._resent: dict[int, float] = {}
        self._window = (0.0, 0)

    @property
    def address(self) -> Address:
        """Where packets go."""
        return self._line.address

    @property
    def handle(self) -> Any:
        """libsrtp's handle of the subscriber."""
        return self._line.handle

    def start(self, now: float) -> None:
        """The subscriber is connected: begins with the next packet of sound, or with a key picture."""
        self.payload_type = self._payload_types.get(self.layer.codec, -1)
        if self.layer.kind == "audio":
            if self.payload_type >= 0:
                self.go_live(self.layer.next_out)
            else:
                self.layer.waiting.add(self)
            return
        replay = self.layer.replay_from(now)
        if replay is None or self.payload_type < 0:
            self.layer.waiting.add(self)
            self.layer.requests.want()
            return
        self._cursor = self.first = replay
        self.layer.catching_up.add(self)
        self.catch_up(1, now)

    def go_live(self, number: int) -> None:
        """Gets every packet of the layer from the one with this number on, unless it cannot read the codec."""
        if self.payload_type < 0:
            return
        self.layer.waiting.discard(self)
        self.layer.catching_up.discard(self)
        self._cursor = None
        if self.first is None:
            self.first = number
        self._mark = (self.layer.sent, self.layer.sent_octets)
        self.layer.live.add(self)

    def catch_up(self, count: int, now: float) -> None:
        """Sends the next packets out of the ring and what came meanwhile; goes live when there are no more."""
        while self._cursor is not None and count > 0:
            if self._cursor >= self.layer.next_out:
                self.go_live(self.layer.next_out)
                return
            kept = self.layer.ring.get(self._cursor)
            self._cursor += 1
            if kept is not None:
                count -= 1
                self._packets += 1
                self._octets += len(kept.payload) + 12
                self._line.send_rtp(self._plain(kept))

    def _plain(self, kept: Kept) -> bytes:
        first = HEADER.pack(
            0x80, kept.marker | self.payload_type, kept.number & 0xFFFF, kept.timestamp, self.layer.ssrc
        )
        return first + kept.payload

    def resend(self, sequence: int, now: float) -> None:
        """Answers a NACK out of the ring: as RTX (RFC 4588) where the subscriber takes it, else the packet as it was."""
        number = self.layer.number_of(sequence)
        kept = self.layer.ring.get(number)
        if kept is None or self.first is None or number < self.first or not self._may_resend(number, now):
            return
        self.layer.retransmitted += 1
        rtx = self._retransmission.get(self.payload_type)
        if rtx is None:
            self._line.send_rtp(self._plain(kept))
            return
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        header = HEADER.pack(0x80, kept.marker | rtx, self._rtx_sequence, kept.timestamp, self.layer.rtx_ssrc)
        self._line.send_rtp(header + (kept.number & 0xFFFF).to_bytes(2, "big") + kept.payload)

    def _may_resend(self, number: int, now: float) -> bool:
        began, count = self._window
        if now - began >= 1.0:
            self._window, count = (now, 0), 0
            self._resent.clear()
        if count >= MOST_RESENT or now - self._resent.get(number, float("-inf")) < AGAIN_AFTER:
            return False
        self._window = (self._window[0], count + 1)
        self._resent[number] = now
        return True

    def moved(self) -> None:
        """The subscriber has a new address."""
        self.layer.live.refresh(self)

    def codec_changed(self, now: float) -> None:
        """The layer has a new publisher, perhaps with another codec."""
        before, self.payload_type = self.payload_type, self._payload_types.get(self.layer.codec, -1)
        if self.payload_type < 0:
            self._pause()
            self.layer.waiting.add(self)
        elif before < 0:
            self.layer.waiting.discard(self)
            self.start(now)
        else:
            self.layer.live.refresh(self)

    def _pause(self) -> None:
        reading = self.reading()
        self._packets, self._octets, self._upto = reading
        self._mark = None
        self.layer.live.remove(self)
        self.layer.catching_up.discard(self)
        self._cursor = None

    def stop(self) -> None:
        """Gets nothing more."""
        self._pause()
        self.layer.waiting.discard(self)

    def reading(self) -> Reading:
        """What was sent to this subscriber until now; retransmissions are not counted."""
        if self.first is None:
            return Reading(0, 0, None)
        if self._mark is None:
            return Reading(self._packets, self._octets, self._upto if self._cursor is None else self._cursor)
        packets, octets = self.layer.sent - self._mark[0], self.layer.sent_octets - self._mark[1]
        return Reading(self._packets + packets, self._octets + octets, self.layer.next_out)
