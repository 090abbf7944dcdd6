"""A recording room: an encoder whose film claps once a second, and an RTSP server for it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import struct
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av

from media.clients.encoding import unit_payloads, units
from media.packets.rtp import HEADER

FPS, SECONDS = 15, 8
WIDTH, HEIGHT = 320, 240
CLAP = 0.1
"""How long the white picture and the tone last, from the beginning of each second."""


def picture(number: int) -> av.VideoFrame:
    """White at the beginning of each second, else black."""
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, (235 if number % FPS < CLAP * FPS else 16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def tone(first: int, count: int, rate: int) -> av.AudioFrame:
    """A tone at the beginning of each second, else silence."""
    heard = [
        int(12_000 * math.sin(2 * math.pi * 880 * n / rate)) if n % rate < CLAP * rate else 0
        for n in range(first, first + count)
    ]
    frame = av.AudioFrame(format="s16", layout="mono", samples=count)
    frame.planes[0].update(struct.pack(f"<{count}h", *heard))
    frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
    return frame


class Coded(NamedTuple):
    """One packet of a film; `at` in seconds from its beginning."""

    kind: str
    at: float
    data: bytes


@dataclass
class Film:
    """Eight seconds of an encoder's stream, made once and played again and again."""

    picture: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    sound: str = "aac"
    packets: list[Coded] = field(default_factory=list)
    sets: list[bytes] = field(default_factory=list)
    """Parameter sets of H264."""
    sound_extradata: bytes = b""
    rate: int = 48_000

    def __post_init__(self) -> None:
        self.rate = 8_000 if self.sound.startswith("pcm") else 48_000
        self.packets = sorted([*self._pictures(), *self._sounds()], key=lambda packet: packet.at)

    def _pictures(self) -> Iterator[Coded]:
        encoder: Any = av.CodecContext.create(self.picture, "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, FPS), FPS, FPS
        encoder.thread_count = 1
        base = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"}
        encoder.options = (base if self.picture == "libx264" else {}) | self.options
        encoder.open()
        for number in [*range(FPS * SECONDS), None]:
            frame = None
            if number is not None:
                frame = picture(number)
            for packet in encoder.encode(frame):
                data = bytes(packet)
                self.sets = self.sets or [unit for unit in units(data) if unit[0] & 31 in (7, 8)]
                yield Coded("video", packet.pts / FPS, data)

    def _sounds(self) -> Iterator[Coded]:
        encoder: Any = av.CodecContext.create(self.sound, "w")
        encoder.sample_rate, encoder.layout = self.rate, "mono"
        encoder.format = {"aac": "fltp", "libopus": "s16"}.get(self.sound, "s16")
        encoder.open()
        self.sound_extradata = bytes(encoder.extradata or b"")
        fifo = av.AudioFifo()
        frame = tone(0, self.rate * SECONDS, self.rate)
        changed = av.AudioResampler(format=encoder.format, layout="mono", rate=self.rate).resample(frame)
        for each in changed:
            fifo.write(each)
        size = encoder.frame_size or self.rate // 50
        while (piece := fifo.read(size)) is not None:
            for packet in encoder.encode(piece):
                at = packet.pts / self.rate
                if at >= 0:
                    yield Coded("audio", at, bytes(packet))

    def play(self) -> Iterator[Coded]:
        """The film again and again, its clock going on."""
        turn = 0
        while True:
            for packet in self.packets:
                yield packet._replace(at=packet.at + turn * SECONDS)
            turn += 1


class RtspEncoder:
    """A recording room's encoder that is pulled from: RTSP over TCP, interleaved (RFC 2326), one viewer at a time."""

    def __init__(self, film: Film, *, login: str = "", moved_to: str = "", moved: str = "302 Moved") -> None:
        self.film, self.login, self.moved_to, self.moved = film, login, moved_to, moved
        self.viewers = 0
        self.requests: list[str] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0

    async def start(self) -> None:
        """Listens; the same port as before after a `stop`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> RtspEncoder:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        return self._port

    def url(self, login: str = "") -> str:
        return f"rtsp://{login + '@' if login else ''}127.0.0.1:{self._port}/stream"

    async def stop(self) -> None:
        """The encoder loses its power."""
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.viewers += 1
        playing: asyncio.Task[None] | None = None
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head[:1] == b"$":
                    continue
                method, url, _ = head.decode().split(" ", 2)
                self.requests.append(method)
                sequence = re.search(r"CSeq: (\d+)", head.decode())
                assert sequence is not None
                status, fields, body = self._answer(method, url, head.decode())
                fields = {"CSeq": sequence[1], **fields, **({"Content-Length": str(len(body))} if body else {})}
                text = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                writer.write(f"RTSP/1.0 {status}\r\n{text}\r\n{body}".encode())
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, asyncio.LimitOverrunError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
                await asyncio.wait({playing})
            writer.close()
            self.viewers -= 1
            self._tasks.discard(task)

    def _answer(self, method: str, url: str, head: str) -> tuple[str, dict[str, str], str]:
        if self.login and self.login not in head and method != "OPTIONS":
            return "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="room"'}, ""
        if self.moved_to and method == "DESCRIBE":
            return self.moved, {"Location": self.moved_to}, ""
        if "/stream" not in url:
            return "404 Not Found", {}, ""
        match method:
            case "OPTIONS":
                return "200 OK", {"Public": "DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"}, ""
            case "DESCRIBE":
                return "200 OK", {"Content-Type": "application/sdp", "Content-Base": url + "/"}, self._sdp()
            case "SETUP":
                channels = "0-1" if url.endswith("track1") else "2-3"
                return "200 OK", {"Transport": f"RTP/AVP/TCP;unicast;interleaved={channels}", "Session": "7"}, ""
            case _:
                return "200 OK", {"Session": "7"}, ""

    def _sdp(self) -> str:
        codec = {"libx264": "H264", "libx265": "H265"}[self.film.picture]
        sprop = ",".join(b64encode(each).decode() for each in self.film.sets)
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=room", "t=0 0", "m=video 0 RTP/AVP 96"]
        lines += [f"a=rtpmap:96 {codec}/90000", "a=control:track1"]
        if codec == "H264":
            lines.append(f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}")
        match self.film.sound:
            case "aac":
                config = self.film.sound_extradata.hex()
                mode = f"mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config={config}"
                lines += ["m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/48000/1", f"a=fmtp:97 {mode}"]
            case "pcm_alaw":
                lines += ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000"]
            case "libopus":
                lines += ["m=audio 0 RTP/AVP 97", "a=rtpmap:97 opus/48000/2"]
        return "\r\n".join([*lines, "a=control:track2", ""])

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        began, numbers = time.monotonic(), [0, 0]
        for packet in self.film.play():
            await asyncio.sleep(began + packet.at - time.monotonic())
            video = packet.kind == "video"
            rate, kind = (90_000, 96) if video else (self.film.rate, 8 if self.film.sound == "pcm_alaw" else 97)
            payloads = self._video(packet.data) if video else [self._audio(packet.data)]
            for index, payload in enumerate(payloads, 1):
                marker = 0x80 if index == len(payloads) else 0
                stamp = (1_000_000 + round(packet.at * rate)) & 0xFFFFFFFF
                head = HEADER.pack(0x80, marker | kind, numbers[not video] & 0xFFFF, stamp, 11 if video else 12)
                numbers[not video] += 1
                writer.write(struct.pack("!BBH", 0x24, 0 if video else 2, len(head) + len(payload)) + head + payload)

    def _video(self, picture: bytes) -> list[bytes]:
        """Parameter sets stand in the SDP alone, as with many cameras."""
        wanted = [unit for unit in units(picture) if self.film.picture != "libx264" or unit[0] & 31 not in (7, 8)]
        return [payload for unit in wanted for payload in unit_payloads(unit)]

    def _audio(self, data: bytes) -> bytes:
        return struct.pack("!HH", 16, len(data) << 3) + data if self.film.sound == "aac" else data


def children() -> set[int]:
    """The reading processes of this process."""
    found = set()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{int(name)}/stat") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{name}/cmdline") as line:
                if parent == os.getpid() and "media.encoders.child" in line.read():
                    found.add(int(name))
    return found
