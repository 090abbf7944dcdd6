"""What a publisher of ours sends: numbered packets, sent again where they are asked for, with reports of their clock."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

from media.packets import rtcp
from media.packets.rtp import HEADER
from media.packets.sequence import Kept, Ring


class Carrier(Protocol):
    """Puts a publisher's packets on the wire."""

    def send_rtp(self, packet: bytes) -> None: ...

    def send_rtcp(self, compound: bytes) -> None: ...


class OutgoingStream:
    """One RTP stream of a publisher: numbering, what may be asked for again, the clock for its reports."""

    def __init__(self, carrier: Carrier, payload_type: int, rate: int) -> None:
        self.ssrc = secrets.randbits(32)
        self.rate = rate
        self.packets = self.octets = 0
        self._carrier, self._payload_type = carrier, payload_type
        self._next = secrets.randbits(15)
        self._ring = Ring(512)
        self._clock = (0, 0.0)

    def send(self, payload: bytes, timestamp: int, *, marker: bool, at: float | None = None) -> None:
        """Sends the next packet; `at` is the Unix time its timestamp stands for, where that is not now."""
        kept = Kept(self._next, 0x80 if marker else 0, timestamp & 0xFFFFFFFF, payload)
        self._next += 1
        self._ring.put(kept)
        self._clock = (kept.timestamp, time.time() if at is None else at)
        self.packets += 1
        self.octets += len(payload)
        self._carrier.send_rtp(self._packet(kept))

    def _packet(self, kept: Kept) -> bytes:
        return (
            HEADER.pack(0x80, kept.marker | self._payload_type, kept.number & 0xFFFF, kept.timestamp, self.ssrc)
            + kept.payload
        )

    def resend(self, sequence: int) -> None:
        """Answers a NACK."""
        last = self._next - 1
        kept = self._ring.get(last - ((last - sequence) & 0xFFFF))
        if kept is not None:
            self._carrier.send_rtp(self._packet(kept))

    def report(self) -> bytes:
        """A sender report: the last packet's timestamp and the time it stands for."""
        timestamp, at = self._clock
        return rtcp.sender_report(
            self.ssrc, ntp_time=rtcp.ntp(at), rtp_time=timestamp, packets=self.packets, octets=self.octets
        )
