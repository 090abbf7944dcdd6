"""An encoder in use before a relay, and a pupil who decodes what comes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import av
from media_world import LEAD, ROOM
from recording_room import HEIGHT, WIDTH
from waiting import until

from media.clients.peer import PAYLOAD_TYPES, Peer
from media.encoders.encoder import Encoder, Origin, PostOffer
from media.encoders.values import Failed, Live, State, Waiting
from media.events import PeerId
from media.packets import rtcp, rtp
from media.relay import Relay


class Desk:
    """An encoder in use, with its states."""

    def __init__(self, relay: Relay, origin: Origin) -> None:
        self.states: list[State] = []

        async def publish(offer: str) -> str:
            return (await relay.publish(ROOM, LEAD, PeerId("lead"), offer)).sdp

        self.post: PostOffer = publish
        self.encoder = Encoder(origin, lambda offer: self.post(offer), self.states.append, pauses=(0.1,))

    async def __aenter__(self) -> Desk:
        self.encoder.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.encoder.close()

    async def live(self, patience: float = 10.0) -> None:
        """Returns when the relay receives it."""
        await until(lambda: isinstance(self.encoder.state, Live), patience)

    @property
    def reasons(self) -> list[str]:
        return [state.reason for state in self.states if isinstance(state, Waiting | Failed)]


class Pupil:
    """A subscriber that keeps every packet and decodes them."""

    def __init__(self) -> None:
        self.peer = Peer(on_rtp=self._take, on_rtcp=self._hear)
        self.packets: dict[str, list[rtp.Packet]] = {"OPUS": [], "H264": []}
        self._early: list[bytes] = []
        self.clocks: dict[int, tuple[int, int]] = {}

    def _take(self, packet: memoryview) -> None:
        self._early.append(bytes(packet))
        while self._early and self.peer.channel.handle is not None:  # media may come before our handshake is done
            parsed = rtp.parse(self.peer.channel.unprotect(self._early.pop(0)))
            assert parsed is not None
            for name, kept in self.packets.items():
                if parsed.payload_type == PAYLOAD_TYPES[name]:
                    kept.append(parsed)

    def _hear(self, feedback: rtcp.Feedback) -> None:
        for report in feedback.reports:
            self.clocks[report.ssrc] = (report.ntp, report.rtp)

    async def __aenter__(self) -> Pupil:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.peer.close()

    async def join(self, relay: Relay) -> None:
        answer = await relay.subscribe(ROOM, LEAD, PeerId("pupil"), self.peer.offer(sends=False, video=("H264",)))
        await self.peer.connect(answer.sdp)

    def _unix(self, packet: rtp.Packet, stamp: int, rate: int) -> float:
        ntp, zero = self.clocks[packet.ssrc]
        return ntp / (1 << 32) + ((stamp - zero + 0x80000000) % (1 << 32) - 0x80000000) / rate

    def pictures(self) -> list[tuple[float, int]]:
        """(time by the sender reports, brightness) of each picture that decodes; the first must be whole by itself."""
        decoder: Any = av.CodecContext.create("h264", "r")
        decoder.thread_count = 1
        found = []
        pictures: dict[int, list[rtp.Packet]] = {}
        for packet in self.packets["H264"]:
            pictures.setdefault(packet.timestamp, []).append(packet)
        for stamp, packets in list(pictures.items())[:-1]:
            unit = b"".join(_annexb(packet.payload) for packet in packets)
            for frame in decoder.decode(av.Packet(unit)):
                assert (frame.width, frame.height) == (WIDTH, HEIGHT)
                middle = bytes(frame.planes[0])[frame.planes[0].line_size * 120 + 160]
                found.append((self._unix(packets[0], stamp, 90_000), middle))
        return found

    def sounds(self) -> list[tuple[float, float]]:
        """(time by the sender reports, loudness 0..1) of each 2.5 ms of decoded sound."""
        decoder: Any = av.CodecContext.create("libopus", "r")
        decoder.sample_rate, decoder.layout = 48_000, "mono"
        found = []
        for packet in self.packets["OPUS"]:
            at = self._unix(packet, packet.timestamp, 48_000)
            for frame in decoder.decode(av.Packet(packet.payload)):
                values = struct.unpack(f"<{frame.samples}h", bytes(frame.planes[0])[: frame.samples * 2])
                for start in range(0, frame.samples, 120):
                    piece = values[start : start + 120]
                    found.append((at + start / 48_000, max(map(abs, piece)) / 32_768))
        return found

    def offsets(self) -> list[float]:
        """For each clap that was both seen and heard: seconds between the two."""
        heard = self.sounds()
        began, ended = heard[0][0], heard[-1][0]
        seen = [at for at in claps(self.pictures(), 128) if began + 0.3 < at < ended - 0.1]
        return [min((at - each for each in claps(heard, 0.1)), key=abs) for at in seen]


def _annexb(payload: bytes) -> bytes:
    if payload[0] & 31 == 28:
        start = b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 31]) if payload[1] & 0x80 else b""
        return start + payload[2:]
    return b"\0\0\0\1" + payload


def claps(measured: Sequence[tuple[float, float]], threshold: float) -> list[float]:
    """When it became bright, or loud, after at least a quarter of a second of dark, or silence."""
    found, last = [], measured[0][0]
    for at, value in measured:
        if value > threshold:
            if at - last > 0.25:
                found.append(at)
            last = at
    return found
