"""A relay with its events, and a publisher whose every packet the test decides."""

from __future__ import annotations

import asyncio
import os
from typing import TypeVar

from waiting import until

from media.clients.counting import CountOnlySubscriber
from media.clients.peer import PAYLOAD_TYPES, Peer
from media.events import MediaEvent, PeerId, RoomId, SessionId, SourceName
from media.packets import rtcp
from media.packets.rtp import HEADER
from media.relay import Relay

ROOM, LEAD = RoomId("room"), SourceName("lead")
KEY, DELTA = b"\x65", b"\x41"
"""First bytes of H264 units: a key picture's slice, and one that needs others."""
E = TypeVar("E")


class ScriptedPublisher:
    """Sends exactly what the test says."""

    def __init__(self) -> None:
        self.heard: list[rtcp.Feedback] = []
        self.peer = Peer(on_rtcp=self.heard.append)
        self.session = SessionId("")
        self.video_sequence, self.audio_sequence, self.picture = 60_000, 100, 0
        self.video_ssrc, self.audio_ssrc = 777, 778
        self._task: asyncio.Task[None] | None = None

    async def start(
        self, relay: Relay, *, peer: str = "teacher", room: RoomId = ROOM, source: SourceName = LEAD
    ) -> None:
        answer = await relay.publish(room, source, PeerId(peer), self.peer.offer(sends=True, rtx=True))
        self.session = answer.session
        await self.peer.connect(answer.sdp)
        await until(lambda: relay.session(self.session).connected)

    def video(
        self, body: bytes, *, marker: bool = False, sequence: int | None = None, picture: int | None = None
    ) -> None:
        """One packet of a picture."""
        if sequence is None:
            sequence = self.video_sequence
            self.video_sequence = (self.video_sequence + 1) & 0xFFFF
        timestamp = (self.picture if picture is None else picture) * 3600
        header = HEADER.pack(
            0x80, (0x80 if marker else 0) | PAYLOAD_TYPES["H264"], sequence, timestamp, self.video_ssrc
        )
        self.peer.send_rtp(header + body)

    def padding(self) -> None:
        """A packet that only pads, as a browser sends to probe its bandwidth."""
        header = HEADER.pack(0xA0, PAYLOAD_TYPES["H264"], self.video_sequence, self.picture * 3600, self.video_ssrc)
        self.video_sequence = (self.video_sequence + 1) & 0xFFFF
        self.peer.send_rtp(header + bytes(99) + bytes([100]))

    def frame(self, *, key: bool = False, packets: int = 3) -> None:
        """A whole picture."""
        self.picture += 1
        for index in range(packets):
            first = KEY if key and index == 0 else DELTA
            self.video(first + os.urandom(200), marker=index == packets - 1)

    def sound(self) -> None:
        """20 ms of sound."""
        header = HEADER.pack(
            0x80, PAYLOAD_TYPES["OPUS"], self.audio_sequence, self.audio_sequence * 960, self.audio_ssrc
        )
        self.audio_sequence = (self.audio_sequence + 1) & 0xFFFF
        self.peer.send_rtp(header + os.urandom(60))

    def stream(self, *, key_every: int = 10) -> None:
        """Sends 25 pictures and 50 sounds a second from now on."""
        self._task = asyncio.create_task(self._stream(key_every))

    async def _stream(self, key_every: int) -> None:
        number = 0
        while True:
            self.frame(key=number % key_every == 0)
            self.sound()
            self.sound()
            number += 1
            await asyncio.sleep(0.04)

    async def stop(self) -> None:
        """Sends no more; the connection stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    @property
    def keyframes_asked(self) -> int:
        return sum(len(feedback.keyframes) for feedback in self.heard)

    async def close(self, *, silently: bool = False) -> None:
        await self.stop()
        await self.peer.close(silently=silently)


async def join(
    relay: Relay,
    peer: str,
    *,
    rtx: bool = False,
    report_every: float = 0.2,
    subscriber: CountOnlySubscriber | None = None,
) -> tuple[CountOnlySubscriber, SessionId]:
    """A count-only subscriber of the lead."""
    subscriber = subscriber or CountOnlySubscriber(sample=20, report_every=report_every)
    answer = await relay.subscribe(ROOM, LEAD, PeerId(peer), subscriber.offer(rtx=rtx))
    await subscriber.connect(answer.sdp)
    return subscriber, answer.session


def only(events: list[MediaEvent], kind: type[E], **wanted: object) -> list[E]:
    """The events of a kind whose fields are as wanted."""
    return [
        event
        for event in events
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in wanted.items())
    ]
