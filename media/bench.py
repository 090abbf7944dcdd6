"""Measures the relay: it runs in a process of its own, count-only subscribers and a steady publisher in the caller's.

Every subscriber does the full ICE check and DTLS handshake, reports like a browser, and has a sample of its packets proved.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from statistics import quantiles
from typing import Any

from media.aiortc_bridge import Identity, Unauthentic
from media.counting import CountOnlySubscriber
from media.events import PeerId, RoomId, SourceName
from media.peer import Peer
from media.relay import Relay
from media.synthetic import OutgoingStream
from media.values import RelayConfig

ROOM, SOURCE = RoomId("bench"), SourceName("lead")
FRAME_SECONDS, SOUND_SECONDS = 0.04, 0.02
PICTURE_BYTES, SOUND_BYTES = 1130, 100
KEY_EVERY = 50
PROBES = 5
"""Subscribers whose every packet is decrypted and timed by the kernel's receive time."""
_STAMP = struct.Struct("!q")
_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)  # Linux; the constant is missing before Python 3.14


def _resident_kib() -> int:
    """Memory of this process."""
    if not sys.platform.startswith("linux"):
        return 0
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


async def _serve(pipe: Connection, subscribers: int) -> None:
    """The relay's process: answers offers and readings that come through the pipe until it closes."""
    relay = Relay(RelayConfig(max_subscribers=subscribers + 1, max_unfinished=subscribers + 1), lambda event: None)
    await relay.start()
    loop, requests = asyncio.get_running_loop(), asyncio.Queue[tuple[str, str, str] | None]()

    def read() -> None:
        try:
            requests.put_nowait(pipe.recv())
        except EOFError:
            loop.remove_reader(pipe.fileno())
            requests.put_nowait(None)

    loop.add_reader(pipe.fileno(), read)
    while (request := await requests.get()) is not None:
        kind, peer, offer = request
        if kind == "measure":
            totals = relay.totals()
            layers = relay.snapshot(ROOM).layers
            pipe.send(
                {
                    "cpu": time.process_time(),
                    "system": os.times().system,
                    "kib": _resident_kib(),
                    "subscribers": totals.subscribers,
                    "datagrams": totals.datagrams_out,
                    "failures": totals.send_failures,
                    "retransmitted": sum(layer.retransmitted for layer in layers),
                }
            )
            continue
        door = relay.publish if kind == "publish" else relay.subscribe
        pipe.send((await door(ROOM, SOURCE, PeerId(peer), offer)).sdp)
    await relay.close()


def _serve_process(pipe: Connection, subscribers: int) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(pipe, subscribers))


class _Probe(CountOnlySubscriber):
    """A subscriber that decrypts everything and notes how long each packet took from the publisher's call to our kernel."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity, sample=1 << 30)
        self.delays_ms: list[float] = []
        self.timing = False

    def begin(self) -> None:
        """Reads with kernel timestamps from now on."""
        self.peer.hand_over_reading()
        assert self.peer.socket is not None
        self.peer.socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        asyncio.get_running_loop().add_reader(self.peer.socket.fileno(), self._read)

    def _read(self) -> None:
        assert self.peer.socket is not None
        while True:
            try:
                datagram, notes, _, _ = self.peer.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            stamps = [struct.unpack("qq", data) for _, kind, data in notes if kind == _TIMESTAMPS and len(data) == 16]
            if self.timing and stamps and datagram[0] >= 128 and not 192 <= datagram[1] <= 223:
                self._time(datagram, stamps[0][0] * 1_000_000_000 + stamps[0][1])
            self.peer.take(datagram)

    def _time(self, datagram: bytes, arrived_ns: int) -> None:
        try:
            packet = self.peer.channel.unprotect(datagram)
        except Unauthentic:
            self.bad_samples += 1
            return
        self.sampled += 1
        self.delays_ms.append((arrived_ns - _STAMP.unpack_from(packet, 13)[0]) / 1e6)

    async def close(self, *, silently: bool = False) -> None:
        """Ends the subscription."""
        if self.peer.socket is not None:
            asyncio.get_running_loop().remove_reader(self.peer.socket.fileno())
        await super().close(silently=silently)


class _Reader:
    """Reads all plain subscribers' sockets through one epoll: cheaper than a thousand readers of the event loop."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._read)

    def add(self, peer: Peer) -> None:
        descriptor = peer.hand_over_reading()
        self._peers[descriptor] = peer
        self._epoll.register(descriptor, select.EPOLLIN)

    def _read(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            self._peers[descriptor].drain()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()


async def _publish(peer: Peer) -> None:
    """About 161 packets a second: 25 pictures of 4 or 5 packets, 50 sounds; each carries the time it was sent."""
    sound, picture = OutgoingStream(peer, 111, 48_000), OutgoingStream(peer, 102, 90_000)
    filler, began = os.urandom(PICTURE_BYTES), time.monotonic()
    sounds = frames = 0
    while True:
        passed = time.monotonic() - began
        if passed >= frames * FRAME_SECONDS:
            count = 5 if frames % 5 < 2 else 4
            for index in range(count):
                kind = b"\x65" if index == 0 and frames % KEY_EVERY == 0 else b"\x41"
                body = kind + _STAMP.pack(time.time_ns()) + filler[:-9]
                picture.send(body, frames * 3600, marker=index == count - 1)
            frames += 1
        if passed >= sounds * SOUND_SECONDS:
            sound.send(b"\0" + _STAMP.pack(time.time_ns()) + filler[: SOUND_BYTES - 9], sounds * 960, marker=False)
            sounds += 1
        due = min(frames * FRAME_SECONDS, sounds * SOUND_SECONDS)
        await asyncio.sleep(max(0.0, due - (time.monotonic() - began)))


def bench_relay(*, subscribers: int = 200, seconds: float = 10.0) -> dict[str, Any]:
    """Runs the benchmark and returns its figures: ``subscribers``, ``packets_per_second`` (sent by the relay),
    ``cpu_share`` of one core, ``us_per_packet``, ``us_per_packet_in_kernel``,
    ``subscribers_per_core`` (extrapolated), ``join_cpu_ms`` (the relay's),
    ``join_wall_ms_p50`` and ``_p95`` (both ends on this machine), ``kib_per_subscriber``, ``lost``, ``bad_samples`` out of
    ``samples``, ``added_latency_ms_p50`` and ``_p99`` (publisher's call to the receiver's kernel), ``send_failures``,
    ``retransmitted``, ``cipher``. Raises RuntimeError where a subscriber did not come up."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_process, args=(theirs, subscribers), daemon=True)
    process.start()
    theirs.close()
    try:
        return asyncio.run(_measure(ours, subscribers, seconds))
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()


async def _ask(pipe: Connection, kind: str, peer: str = "", offer: str = "") -> Any:
    answered, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), answered.set)
    pipe.send((kind, peer, offer))
    await answered.wait()
    loop.remove_reader(pipe.fileno())
    return pipe.recv()


async def _measure(pipe: Connection, subscribers: int, seconds: float) -> dict[str, Any]:
    identity, publisher, reader = Identity(), Peer(), _Reader()
    await publisher.connect(await _ask(pipe, "publish", "publisher", publisher.offer(sends=True)))
    await asyncio.sleep(0.2)
    probe_at = {round(n * (subscribers - 1) / max(1, PROBES - 1)) for n in range(PROBES)}
    peers: list[CountOnlySubscriber] = []
    walls: list[float] = []
    before = await _ask(pipe, "measure")
    for number in range(subscribers):
        peer = _Probe(identity) if number in probe_at else CountOnlySubscriber(identity, sample=1000)
        began = time.monotonic()
        await peer.connect(await _ask(pipe, "subscribe", f"s{number}", peer.offer()))
        walls.append((time.monotonic() - began) * 1000)
        peers.append(peer)
        if isinstance(peer, _Probe):
            peer.begin()
        else:
            reader.add(peer.peer)
    joined = await _ask(pipe, "measure")
    sending = asyncio.create_task(_publish(publisher))
    await asyncio.sleep(2.0)
    probes = [peer for peer in peers if isinstance(peer, _Probe)]
    for probe in probes:
        probe.timing = True
    first, began, received = await _ask(pipe, "measure"), time.monotonic(), sum(p.packets for p in peers)
    await asyncio.sleep(seconds)
    last, elapsed = await _ask(pipe, "measure"), time.monotonic() - began
    received = sum(peer.packets for peer in peers) - received
    sending.cancel()
    await asyncio.wait({sending})
    await asyncio.sleep(0.3)
    figures = _figures(subscribers, elapsed, received, (before, joined, first, last), peers, probes, walls)
    figures["cipher"] = publisher.channel.cipher
    for peer in peers:
        await peer.close(silently=True)
    await publisher.close()
    reader.close()
    if joined["subscribers"] != subscribers:
        raise RuntimeError(f"{joined['subscribers']} of {subscribers} subscribers came up")
    return figures


def _figures(
    subscribers: int,
    elapsed: float,
    received: int,
    readings: Sequence[dict[str, Any]],
    peers: Sequence[CountOnlySubscriber],
    probes: Sequence[_Probe],
    walls: Sequence[float],
) -> dict[str, Any]:
    before, joined, first, last = readings
    cpu = last["cpu"] - first["cpu"]
    share = cpu / elapsed
    delays = quantiles([delay for probe in probes for delay in probe.delays_ms] or [0.0, 0.0], n=100)
    wall = quantiles(walls if len(walls) > 1 else [*walls, *walls], n=20)
    return {
        "subscribers": subscribers,
        "seconds": round(elapsed, 1),
        "packets_per_second": round(received / elapsed),
        "packets_per_second_each": round(received / elapsed / subscribers, 1),
        "cpu_share": round(share, 3),
        "us_per_packet": round(cpu / max(1, received) * 1e6, 2),
        "us_per_packet_in_kernel": round((last["system"] - first["system"]) / max(1, received) * 1e6, 2),
        "subscribers_per_core": round(subscribers / share),
        "join_cpu_ms": round((joined["cpu"] - before["cpu"]) / subscribers * 1000, 2),
        "join_wall_ms_p50": round(wall[9], 1),
        "join_wall_ms_p95": round(wall[18], 1),
        "kib_per_subscriber": round((joined["kib"] - before["kib"]) / subscribers, 1),
        "lost": sum(peer.lost for peer in peers),
        "samples": sum(peer.sampled for peer in peers),
        "bad_samples": sum(peer.bad_samples for peer in peers),
        "added_latency_ms_p50": round(delays[49], 2),
        "added_latency_ms_p99": round(delays[98], 2),
        "send_failures": last["failures"],
        "retransmitted": last["retransmitted"],
    }
