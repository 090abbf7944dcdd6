"""A subscriber that asks again for what is missing, in the way Chromium does, and counts what it has in the end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from media.clients.peer import PAYLOAD_TYPES, Peer
from media.packets import rtcp
from media.packets.rtp import HEADER, unwrap

FIRST_ASKED = 0.02
"""Seconds a packet may be late before it is asked for; Chromium looks every 20 ms."""
MOST_ASKED = 10
PATIENCE = 1.0
"""Seconds after which a packet is of no use to the listener, or to the picture, and counts as lost."""


@dataclass(slots=True)
class Missing:
    since: float
    due: float
    asked: int = 0


@dataclass(slots=True)
class Received:
    """One stream, by extended sequence number."""

    ssrc: int
    first: int
    highest: int
    missing: dict[int, Missing] = field(default_factory=dict)
    packets: int = 1
    repaired: int = 0
    given_up: int = 0
    duplicates: int = 0

    def take(self, sequence: int, now: float) -> None:
        number = unwrap(sequence, self.highest)
        if number > self.highest:
            for gone in range(self.highest + 1, number):
                self.missing[gone] = Missing(now, now + FIRST_ASKED)
            self.highest = number
            self.packets += 1
        elif self.missing.pop(number, None) is not None:
            self.packets += 1
            self.repaired += 1
        else:
            self.duplicates += 1

    def wanted(self, now: float, round_trip: float) -> list[int]:
        """Sequence numbers to ask for now."""
        found = []
        for number, missing in list(self.missing.items()):
            if now - missing.since > PATIENCE:
                del self.missing[number]
                self.given_up += 1
            elif missing.due <= now and missing.asked < MOST_ASKED:
                missing.asked += 1
                missing.due = now + max(0.1, 1.5 * round_trip)
                found.append(number & 0xFFFF)
        return found

    @property
    def settled(self) -> tuple[int, int]:
        """(packets that came in time, packets that should have): what is still being asked for is in neither."""
        return self.packets, self.packets + self.given_up


class RepairingSubscriber:
    """Sound and picture of one source over a line that loses. `round_trip` is what the line is known to take."""

    def __init__(self, *, round_trip: float = 0.1) -> None:
        self.peer = Peer(on_rtp=self._packet)
        self.round_trip = round_trip
        self.streams: dict[int, Received] = {}
        """By payload type."""
        self.first_at: float | None = None
        """When the first packet of sound came (monotonic)."""
        self._asker: asyncio.Task[None] | None = None

    def offer(self) -> str:
        return self.peer.offer(sends=False, rtx=True)

    async def connect(self, answer: str, *, patience: float = 20.0) -> None:
        await self.peer.connect(answer, patience=patience)
        self._asker = asyncio.create_task(self._ask_on())

    def _packet(self, packet: memoryview) -> None:
        now = time.monotonic()
        _, second, sequence, _, ssrc = HEADER.unpack_from(packet)
        kind = second & 0x7F
        if kind == PAYLOAD_TYPES["H264"] + 1:  # RTX: the number it repairs is in the payload, which must be opened
            if self.peer.channel.handle is None or PAYLOAD_TYPES["H264"] not in self.streams:
                return
            kind = PAYLOAD_TYPES["H264"]
            sequence = int.from_bytes(self.peer.channel.unprotect(bytes(packet))[12:14], "big")
        if kind == PAYLOAD_TYPES["OPUS"] and self.first_at is None:
            self.first_at = now
        stream = self.streams.get(kind)
        if stream is None:
            self.streams[kind] = Received(ssrc, sequence, sequence)
        else:
            stream.take(sequence, now)

    async def _ask_on(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            for stream in self.streams.values():
                if wanted := stream.wanted(now, self.round_trip):
                    self.peer.send_rtcp(rtcp.receiver_report(1, []) + rtcp.nack(1, stream.ssrc, sorted(wanted)))

    async def close(self) -> None:
        if self._asker is not None:
            self._asker.cancel()
            await asyncio.wait({self._asker})
        await self.peer.close()
