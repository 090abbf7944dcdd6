"""A subscriber that counts: cheap enough for hundreds in one process, honest enough to be a witness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from media.clients.peer import Peer
from media.packets import rtcp
from media.wire.aiortc_bridge import Identity, Unauthentic


class Counted:
    """What a count-only receiver knows of one stream."""

    __slots__ = ("base", "highest", "octets", "packets", "ssrc")

    def __init__(self, ssrc: int, sequence: int) -> None:
        self.ssrc, self.base, self.highest = ssrc, sequence, sequence
        self.packets = self.octets = 0

    @property
    def lost(self) -> int:
        """Packets that should have come by now and did not."""
        return self.highest - self.base + 1 - self.packets


class CountOnlySubscriber:
    """Receives without decrypting: counts packets by their (clear) headers and reports on them as a browser would.

    Every `sample`-th packet is unprotected, to be sure that it could be.
    """

    def __init__(self, identity: Identity | None = None, *, sample: int = 100, report_every: float = 1.0) -> None:
        self.peer = Peer(identity, on_rtp=self._count, on_rtcp=self._control, on_lost=self._on_lost)
        self.streams: dict[int, Counted] = {}
        """By payload type; RTX is counted like any other."""
        self.sampled = self.bad_samples = 0
        self.ended = asyncio.Event()
        """Set when the relay says goodbye."""
        self.reporting = True
        self._sample = sample
        self._until_sample = sample
        self._every = report_every
        self._reporter: asyncio.Task[None] | None = None
        self._sender_reports: dict[int, tuple[int, float]] = {}

    async def connect(self, answer_sdp: str, *, patience: float = 10.0) -> None:
        """Comes up and begins to report."""
        await self.peer.connect(answer_sdp, patience=patience)
        self._reporter = asyncio.create_task(self._report_on(), name="media-counting-reporter")

    def offer(self, *, video: Sequence[str] = ("H264", "VP8"), rtx: bool = False) -> str:
        """This subscriber's offer."""
        return self.peer.offer(sends=False, video=video, rtx=rtx)

    def answer(self, offer_sdp: str) -> str:
        """This subscriber's answer to an offer, for relays that offer; then `connect` with that offer."""
        return self.peer.answer_to(offer_sdp)

    def _count(self, packet: memoryview) -> None:
        kind, sequence = packet[1] & 0x7F, packet[2] << 8 | packet[3]
        stream = self.streams.get(kind)
        if stream is None:
            ssrc = int.from_bytes(packet[8:12], "big")
            stream = self.streams[kind] = Counted(ssrc, sequence)
        ahead = (sequence - stream.highest) & 0xFFFF
        if ahead < 0x8000:
            stream.highest += ahead
        stream.packets += 1
        stream.octets += len(packet)
        self._until_sample -= 1
        if (
            self._until_sample <= 0 and self.peer.channel.handle is not None
        ):  # media may come before our handshake is done
            self._until_sample = self._sample
            self.sampled += 1
            try:
                self.peer.channel.unprotect(bytes(packet))
            except Unauthentic:
                self.bad_samples += 1

    def _control(self, feedback: rtcp.Feedback) -> None:
        for report in feedback.reports:
            self._sender_reports[report.ssrc] = (report.ntp >> 16 & 0xFFFFFFFF, time.monotonic())

    def _on_lost(self) -> None:
        self.ended.set()

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            if self.reporting:
                self.report()

    def report(self) -> None:
        """Sends a receiver report on every stream now."""
        blocks = []
        for stream in self.streams.values():
            last_sr, at = self._sender_reports.get(stream.ssrc, (0, 0.0))
            delay = int((time.monotonic() - at) * 65536) if last_sr else 0
            blocks.append(rtcp.Block(stream.ssrc, 0, stream.lost, stream.highest, 0, last_sr, delay & 0xFFFFFFFF))
        if blocks:
            self.peer.send_rtcp(rtcp.receiver_report(1, blocks))

    @property
    def packets(self) -> int:
        """Received, all streams together."""
        return sum(stream.packets for stream in self.streams.values())

    @property
    def lost(self) -> int:
        """Missing, all streams together."""
        return sum(stream.lost for stream in self.streams.values())

    async def close(self, *, silently: bool = False) -> None:
        """Ends the subscription."""
        if self._reporter is not None:
            self._reporter.cancel()
            await asyncio.wait({self._reporter})
            self._reporter = None
        await self.peer.close(silently=silently)
