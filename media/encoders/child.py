"""The process that reads one encoder's stream and publishes it: ``python -m media.encoders.child``.

Its first line of input is the job, and each line after that the answer to an offer; its output is news, one JSON object a line.
When its input ends, or its work does, it ends at once, whatever its threads wait for.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import queue
import sys
import threading
import time
from typing import Any

import av.logging

from media.clients.encoding import unit_payloads
from media.clients.outgoing import OutgoingStream
from media.clients.peer import Peer
from media.encoders.addresses import RtspUrl
from media.encoders.confine import confine, connect_only_to
from media.encoders.guard import Guard
from media.encoders.sound import Sound
from media.encoders.source import Picture, Source, open_flv, open_rtsp
from media.encoders.values import EncoderRefused
from media.errors import BadOffer
from media.wire.aiortc_bridge import HandshakeFailed

WAITING_SAMPLES = 1024
"""Samples read and not yet sent; then the encoder's connection has to wait."""
SILENT_SECONDS = 8.0
"""Without a sample, after which the encoder counts as gone."""
REPORT_EVERY = 1.0
PACKETS_A_SECOND, BURST = 2500, 1000
"""About 24 Mbit/s: a source that runs faster than time must not flood the relay."""

Samples = asyncio.Queue[Picture | Sound | EncoderRefused]
Lines = queue.Queue[str]


def tell(event: str, **facts: object) -> None:
    """One piece of news for the parent."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def _reach(job: dict[str, Any]) -> Guard | None:
    """Connects to an encoder that is pulled from; after this, nothing else can be reached. Raises EncoderRefused."""
    guard = Guard(job["address"], job["port"]) if job["kind"] == "rtsp" else None
    connect_only_to(guard.port if guard is not None else None)
    return guard


def _open(job: dict[str, Any], guard: Guard | None) -> Source:
    if guard is None:
        return open_flv(os.fdopen(job["descriptor"], "rb", buffering=0))
    user, password = job["login"]
    return open_rtsp(RtspUrl("127.0.0.1", guard.port, job["path"], user, password), guard)


def _read(source: Source, samples: Samples, loop: asyncio.AbstractEventLoop) -> None:
    """The reading thread: what it reads, and why it ends."""
    try:
        for sample in source.samples():
            asyncio.run_coroutine_threadsafe(samples.put(sample), loop).result()
    except EncoderRefused as refused:
        asyncio.run_coroutine_threadsafe(samples.put(refused), loop).result()


class Sender:
    """Sends samples as RTP, both kinds on the encoder's clock."""

    def __init__(self, peer: Peer) -> None:
        assert peer.answer is not None
        types = {c.name: c.payload_type for s in peer.answer.sections if not s.rejected for c in s.codecs}
        if "H264" not in types or "OPUS" not in types:
            raise BadOffer("the answer has no codec that was offered")
        self._picture = OutgoingStream(peer, types["H264"], 90_000)
        self._sound = OutgoingStream(peer, types["OPUS"], 48_000)
        self._peer = peer
        self._zero: float | None = None
        """The Unix time of the encoder's time 0, as the first sample has it."""
        self._sent: dict[int, int] = {}
        self._allowance, self._counted_at = float(BURST), time.monotonic()

    @property
    def streams(self) -> tuple[OutgoingStream, OutgoingStream]:
        """Picture and sound."""
        return self._picture, self._sound

    def send(self, sample: Picture | Sound) -> float:
        """Sends a sample; how many seconds to wait before the next one."""
        stream = self._picture if isinstance(sample, Picture) else self._sound
        if isinstance(sample, Picture):
            payloads = [payload for unit in sample.units for payload in unit_payloads(unit)]
        else:
            payloads = [sample.payload]
        seconds = sample.time / stream.rate
        if self._zero is None:
            self._zero = time.time() - seconds
        stamp = max(sample.time, self._sent.get(stream.ssrc, sample.time - 1) + 1)
        self._sent[stream.ssrc] = stamp
        for index, payload in enumerate(payloads, 1):
            last = isinstance(sample, Picture) and index == len(payloads)
            stream.send(payload, stamp, marker=last, at=self._zero + seconds)
        return self._spend(len(payloads))

    def _spend(self, packets: int) -> float:
        now = time.monotonic()
        earned = (now - self._counted_at) * PACKETS_A_SECOND
        self._allowance, self._counted_at = min(BURST, self._allowance + earned) - packets, now
        return max(0.0, -self._allowance / PACKETS_A_SECOND)

    def report(self) -> None:
        """Sends a report on each stream that has begun."""
        if begun := [stream for stream in self.streams if stream.packets]:
            self._peer.send_rtcp(b"".join(stream.report() for stream in begun))


async def _send_on(sender: Sender, samples: Samples) -> None:
    """Sends until the source ends. Raises EncoderRefused."""
    for early in _newest(samples):
        await asyncio.sleep(sender.send(early))
    report_at = 0.0
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                sample = await samples.get()
        except TimeoutError:
            raise EncoderRefused("silent") from None
        if isinstance(sample, EncoderRefused):
            raise sample
        await asyncio.sleep(sender.send(sample))
        if time.monotonic() >= report_at:
            report_at = time.monotonic() + REPORT_EVERY
            sender.report()
            tell("beat")


def _newest(samples: Samples) -> list[Picture | Sound]:
    """What has come while the connection was made, from its last key picture on; older pictures would only be late."""
    waiting: list[Picture | Sound] = []
    while not samples.empty():
        sample = samples.get_nowait()
        if isinstance(sample, EncoderRefused):
            raise sample
        if isinstance(sample, Picture) and sample.key:
            waiting.clear()
        waiting.append(sample)
    return waiting


async def _publish(source: Source, lines: Lines) -> None:
    samples: Samples = asyncio.Queue(WAITING_SAMPLES)
    threading.Thread(target=_read, args=(source, samples, asyncio.get_running_loop()), daemon=True).start()
    lost = asyncio.Event()
    peer = Peer(on_lost=lost.set)
    tell("offer", sdp=peer.offer(sends=True, video=("H264",)))
    answer = json.loads(await asyncio.to_thread(lines.get))
    try:
        await peer.connect(answer["sdp"])
        sender = Sender(peer)
    except (BadOffer, HandshakeFailed, OSError, TimeoutError) as error:
        raise EncoderRefused("relay_refused", type(error).__name__) from None
    tell("live")
    sending = asyncio.create_task(_send_on(sender, samples))
    await asyncio.wait({asyncio.create_task(lost.wait()), sending}, return_when=asyncio.FIRST_COMPLETED)
    await peer.close()
    if not sending.done():
        raise EncoderRefused("relay_ended")
    await sending


async def _work(job: dict[str, Any], guard: Guard | None, lines: Lines) -> None:
    source = await asyncio.to_thread(_open, job, guard)
    tell("found", **dataclasses.asdict(source.found))
    if not job["probe"]:
        await _publish(source, lines)


def _listen(lines: Lines) -> None:
    """Hears the parent. Its silence for good ends this process at once, whatever else it is about."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def main() -> None:
    """Does one job and ends."""
    confine()
    av.logging.set_level(None)
    job, lines = json.loads(sys.stdin.readline()), Lines()
    try:
        guard = _reach(job)  # in the main thread: what it may not do, none of its threads may
        threading.Thread(target=_listen, args=(lines,), daemon=True).start()
        asyncio.run(_work(job, guard, lines))
    except EncoderRefused as refused:
        tell("refused", reason=refused.reason, text=str(refused))
    os._exit(0)  # a thread may still wait for the encoder


if __name__ == "__main__":
    main()
