"""The load: classes of about 161 packets a second each, sent by a process of their own as a browser sends them."""

from __future__ import annotations

import asyncio
import heapq
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from av.video.frame import VideoFrame

from media.benching.pipes import Questions
from media.clients.encoding import VideoEncoder
from media.clients.outgoing import Carrier, OutgoingStream
from media.clients.peer import PAYLOAD_TYPES, Peer

FRAME_SECONDS, SOUND_SECONDS = 0.04, 0.02
PICTURE_BYTES, SOUND_BYTES = 1130, 100
KEY_EVERY = 50
SOUND_AFTER = 0.007
"""Sound and picture of a class keep no step either."""
STAMP = struct.Struct("!q")
"""Wall clock in nanoseconds, the last bytes of each packet."""
STANDSTILL = 0.5
TIMER = 0.002
"""The event loop's timers are a millisecond late; shorter waits are slept through."""

Pace = Literal["browser", "burst", "paced"]
GAPS: Mapping[Pace, float] = {"browser": 0.00015, "burst": 0.0, "paced": 0.005}
"""Seconds between the packets of one picture. ``browser``: as measured, Chromium 156 sends a picture of 1 Mbit/s within 0.2
to 0.6 ms (its pacer lets 40 ms of its budget go at once). ``burst``: without a pause. ``paced``: in the 5 ms steps of
libwebrtc's older pacer, which other clients still have."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is measured."""

    subscribers: int = 200
    seconds: float = 10.0
    rooms: int = 1
    """Classes at the same time, each with its share of the subscribers."""
    publisher: Pace = "browser"
    record: bool = False
    """Whether the relay records every class."""


def _key_picture() -> bytes:
    """A real, black one in one packet (STAP-A, RFC 6184 §5.7.1), so that a class can be recorded; a unit of filler follows."""
    frame = VideoFrame(320, 180, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    units = VideoEncoder("H264", frame.width, frame.height).encode(frame, 0, key=True)
    needed = [unit for unit in units if unit[0] & 31 in (5, 7, 8)]
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in needed)


class _PlainRtp:
    """Sends to two ports of this machine without protection: what a mountpoint of Janus takes."""

    def __init__(self, sound: int, picture: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ports = {PAYLOAD_TYPES["OPUS"]: sound, PAYLOAD_TYPES["H264"]: picture}

    def send_rtp(self, packet: bytes) -> None:
        with suppress(OSError):  # nobody listens any more
            self._socket.sendto(packet, ("127.0.0.1", self._ports[packet[1] & 0x7F]))

    def send_rtcp(self, compound: bytes) -> None:
        """Janus makes reports of its own."""


class _Class:
    """Sound and picture of one class. A stream yields when it wants to send next (monotonic seconds), and sends when asked again."""

    def __init__(self, carrier: Carrier, load: Load, begins: float) -> None:
        self._sound = OutgoingStream(carrier, PAYLOAD_TYPES["OPUS"], 48_000)
        self._picture = OutgoingStream(carrier, PAYLOAD_TYPES["H264"], 90_000)
        self._carrier, self._begins, self._gap = carrier, begins, GAPS[load.publisher]
        self._filler, self._key = os.urandom(PICTURE_BYTES), _key_picture()

    def skip(self, seconds: float) -> None:
        """The process stood still: goes on from now, as a real source would."""
        self._begins += seconds

    def sounds(self) -> Iterator[float]:
        """50 a second, and a sender report each second."""
        number = 0
        while True:
            yield self._begins + SOUND_AFTER + number * SOUND_SECONDS
            if number % 50 == 10:
                self._carrier.send_rtcp(self._sound.report() + self._picture.report())
            self._sound.send(self._body(b"\0", SOUND_BYTES), number * 960, marker=False)
            number += 1

    def pictures(self) -> Iterator[float]:
        """25 a second, each of 4 or 5 packets; libwebrtc splits a picture evenly, so sizes differ by one."""
        number = 0
        while True:
            due, count = self._begins + number * FRAME_SECONDS, 5 if number % 5 < 2 else 4
            for index in range(count):
                yield due + index * self._gap
                size = PICTURE_BYTES + (index >= count // 2)
                first = b"\x0c" if number % KEY_EVERY == 0 else b"\x41"
                if number % KEY_EVERY == index == 0:
                    first = self._key + (size - len(self._key) - 2).to_bytes(2, "big") + first
                self._picture.send(self._body(first, size), number * 3600, marker=index == count - 1)
            number += 1

    def _body(self, first: bytes, size: int) -> bytes:
        return first + self._filler[: size - len(first) - STAMP.size] + STAMP.pack(time.time_ns())


async def play(carriers: Sequence[Carrier], load: Load) -> None:
    """Every class until cancelled, their pictures spread over time: classes keep no step with each other."""
    now, waiting = time.monotonic(), list[tuple[float, int, Iterator[float], _Class]]()
    for number, carrier in enumerate(carriers):
        one = _Class(carrier, load, now + FRAME_SECONDS * number / len(carriers))
        for stream in (one.sounds(), one.pictures()):
            waiting.append((next(stream), len(waiting), stream, one))
    heapq.heapify(waiting)
    breath = now
    while True:
        due, index, stream, one = waiting[0]
        now = time.monotonic()
        if due - now > TIMER or now - breath > TIMER:
            await asyncio.sleep(max(0.0, due - now - TIMER / 2))
            breath = time.monotonic()
        elif due > now:
            time.sleep(due - now)  # noqa: ASYNC251 # two milliseconds at most, and this process has nothing else to do
        else:
            if now - due > STANDSTILL:
                one.skip(now - due)
            heapq.heapreplace(waiting, (next(stream), index, stream, one))


async def _publish(pipe: Connection, load: Load, ports: Sequence[tuple[int, int]] | None) -> None:
    questions = Questions(pipe)
    peers = [Peer() for _ in range(load.rooms)] if ports is None else []
    pipe.send([peer.offer(sends=True) for peer in peers])
    for peer, answer in zip(peers, await questions.next() or (), strict=True):
        await peer.connect(answer)
    carriers: list[Carrier] = [*peers] if ports is None else [_PlainRtp(*pair) for pair in ports]
    pipe.send("connected")
    if await questions.next() is not None:
        playing = asyncio.create_task(play(carriers, load), name="media-bench-classes")
        await questions.next()
        playing.cancel()
        await asyncio.wait({playing})
    for peer in peers:
        await peer.close()


def publish_process(pipe: Connection, load: Load, ports: Sequence[tuple[int, int]] | None) -> None:
    """Sends a list of offers and takes the list of answers, says when it is connected, begins when it is told to, and
    ends with the pipe. With `ports` (sound and picture of each class) it sends plain RTP there instead, as to Janus."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_publish(pipe, load, ports))
