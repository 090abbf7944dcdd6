"""A synthetic publisher: a moving test pattern with a clock, and a tone, as real RTP over real ICE, DTLS and SRTP.

It publishes through an ordinary offer, as a browser would. It takes about two hundredths of a core, most of it the video encoder.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from media.clients.encoding import FRAMES_A_SECOND, VideoEncoder
from media.clients.outgoing import OutgoingStream
from media.clients.pattern import HEIGHT, SAMPLES, WIDTH, Picture, tone_packets
from media.clients.peer import Peer
from media.errors import BadOffer
from media.packets import rtcp

log = logging.getLogger(__name__)

PostOffer = Callable[[str], Awaitable[str]]
"""Carries an offer to the relay and brings the answer back; over HTTP, or by a direct call of `Relay.publish`."""
STEP = 0.02
"""Seconds of sound in a packet, and so between two looks at what is due."""
REPORT_EVERY = 1.0
"""Seconds between two sender reports."""


class SyntheticPublisher:
    """Publishes the pattern until closed. `now` gives the picture's clock, in the time zone it is to show."""

    def __init__(
        self,
        *,
        video_codecs: Sequence[str] = ("H264", "VP8"),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._video_codecs, self._now = tuple(video_codecs), now
        self._peer = Peer(on_rtcp=self._feedback, on_lost=self._on_lost)
        self._task: asyncio.Task[None] | None = None
        self._key_wanted = True
        self.ended = asyncio.Event()
        """Set when the relay ends the session."""
        self.codec = ""
        """The video codec agreed."""
        self.key_pictures_asked = 0
        self.heard = 0
        """Messages from the relay: its reports come every second while the line is good."""
        self._streams: list[OutgoingStream] = []

    async def start(self, post_offer: PostOffer) -> None:
        """Offers, connects and begins to send. Raises what `post_offer` raises, BadOffer for an answer without a known video
        codec, HandshakeFailed, TimeoutError, OSError."""
        answer = await post_offer(self._peer.offer(sends=True, video=self._video_codecs))
        await self._peer.connect(answer)
        assert self._peer.answer is not None
        codecs = {c.name: c.payload_type for s in self._peer.answer.sections if not s.rejected for c in s.codecs}
        self.codec = next((name for name in self._video_codecs if name in codecs), "")
        if not self.codec or "OPUS" not in codecs:
            await self._peer.close()
            raise BadOffer("the answer has no codec that was offered")
        sound = OutgoingStream(self._peer, codecs["OPUS"], 48_000)
        picture = OutgoingStream(self._peer, codecs[self.codec], 90_000)
        self._streams = [sound, picture]
        self._task = asyncio.create_task(self._send_on(sound, picture), name="media-synthetic-publisher")

    async def _send_on(self, sound: OutgoingStream, picture: OutgoingStream) -> None:
        drawing, tone = Picture(), tone_packets()
        encoder = VideoEncoder(self.codec, WIDTH, HEIGHT)
        began = time.monotonic()
        sounds = frames = 0
        report_at = 0.0
        while True:
            passed = time.monotonic() - began
            if passed - sounds * STEP > 1.0:  # the process stood still: go on from now, as a real source would
                sounds, frames = int(passed / STEP), int(passed * FRAMES_A_SECOND)
            while sounds * STEP <= passed:
                sound.send(tone[sounds % len(tone)], sounds * SAMPLES, marker=sounds == 0)
                sounds += 1
            if frames <= passed * FRAMES_A_SECOND:
                self._send_frame(picture, encoder, drawing, frames)
                frames = max(frames + 1, int(passed * FRAMES_A_SECOND))
            if passed >= report_at:
                report_at = passed + REPORT_EVERY
                self._peer.send_rtcp(b"".join(stream.report() for stream in self._streams))
            await asyncio.sleep(max(0.001, sounds * STEP - (time.monotonic() - began)))

    def _send_frame(self, stream: OutgoingStream, encoder: VideoEncoder, drawing: Picture, number: int) -> None:
        key, self._key_wanted = self._key_wanted, False
        payloads = encoder.encode(drawing.frame(number, self._now()), number, key=key)
        for index, payload in enumerate(payloads, 1):
            stream.send(payload, number * 90_000 // FRAMES_A_SECOND, marker=index == len(payloads))

    def _feedback(self, feedback: rtcp.Feedback) -> None:
        self.heard += 1
        streams = {stream.ssrc: stream for stream in self._streams}
        for ssrc, sequence in feedback.nacks:
            if ssrc in streams:
                streams[ssrc].resend(sequence)
        if feedback.keyframes:
            self.key_pictures_asked += 1
            self._key_wanted = True

    def _on_lost(self) -> None:
        self.ended.set()

    async def close(self) -> None:
        """Stops sending and ends the session."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        await self._peer.close()
