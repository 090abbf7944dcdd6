"""The subscribers of the benchmark: most only count, some prove and time every packet."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping
from statistics import quantiles
from typing import Any

from media.benching.load import STAMP, Load
from media.benching.targets import Target
from media.clients.counting import CountOnlySubscriber
from media.packets import rtp
from media.wire.aiortc_bridge import Identity, Unauthentic

SAMPLE = 1000
"""A plain subscriber proves every thousandth packet."""
PROBES = 20
"""Subscribers whose every packet is timed, spread evenly over the order in which they joined."""
TURN = 0.004
LAST_PACKETS = 0.3
_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)  # Linux; the constant is missing before Python 3.14


class Probe(CountOnlySubscriber):
    """A subscriber that decrypts everything and notes how long each packet took from the publisher's call to our kernel."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity, sample=1 << 30)
        self.delays_ms: list[float] = []
        self.timing = False

    def begin(self) -> None:
        """Asks for the kernel's timestamps from now on; the caller calls `read`."""
        assert self.peer.socket is not None
        self.peer.socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)

    def read(self) -> None:
        """Reads what has come."""
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
        if (found := rtp.parse(packet)) is not None:
            self.delays_ms.append((arrived_ns - STAMP.unpack(found.payload[-STAMP.size :])[0]) / 1e6)


class Reader:
    """Reads all subscribers' sockets in turns, every few milliseconds.

    Not whenever something comes: a packet that wakes its reader makes the sender of the loopback do the waking, for about as much
    as the sending. In a county the relay wakes nobody; that is the work of the classrooms' machines. Latencies are the kernel's.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._reads: dict[int, Callable[[], None]] = {}
        self._task = asyncio.create_task(self._read_on(), name="media-bench-reader")

    def add(self, subscriber: CountOnlySubscriber) -> None:
        """Takes the reading of this subscriber over."""
        descriptor = subscriber.peer.hand_over_reading()
        self._reads[descriptor] = subscriber.read if isinstance(subscriber, Probe) else subscriber.peer.drain
        self._epoll.register(descriptor, select.EPOLLIN)

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(TURN)
            for descriptor, _ in self._epoll.poll(0):
                self._reads[descriptor]()

    async def close(self) -> None:
        """Reads no more."""
        self._task.cancel()
        await asyncio.wait({self._task})
        self._epoll.close()


class Counting:
    """An `Audience` of count-only subscribers, some of them probes."""

    def __init__(self) -> None:
        self._peers: list[CountOnlySubscriber] = []
        self._probes: list[Probe] = []
        self._walls_ms: list[float] = []
        self._reader = Reader()

    async def join(self, target: Target, load: Load) -> None:
        """Brings them up one after the other, class by class in turn."""
        identity, every = Identity(), max(1, load.subscribers // PROBES)
        for number in range(load.subscribers):
            probe = number // load.rooms % every == every // 2
            peer = Probe(identity) if probe else CountOnlySubscriber(identity, sample=SAMPLE)
            began = time.monotonic()
            await target.join(number % load.rooms, number, peer)
            self._walls_ms.append((time.monotonic() - began) * 1000)
            self._peers.append(peer)
            if isinstance(peer, Probe):
                self._probes.append(peer)
                peer.begin()
            self._reader.add(peer)

    async def begin(self) -> None:
        """Times packets from now on."""
        for probe in self._probes:
            probe.timing = True
            probe.delays_ms.clear()

    async def received(self) -> int:
        """Packets until now."""
        return sum(peer.packets for peer in self._peers)

    async def end(self) -> Mapping[str, Any]:
        """Losses, proofs, latencies, and how long the joins took."""
        for probe in self._probes:
            probe.timing = False
        await asyncio.sleep(LAST_PACKETS)
        delays = quantiles([delay for probe in self._probes for delay in probe.delays_ms] or [0.0, 0.0], n=100)
        walls = quantiles(self._walls_ms * 2, n=20)
        return {
            "join_wall_ms_p50": round(walls[9], 1),
            "join_wall_ms_p95": round(walls[18], 1),
            "lost": sum(peer.lost for peer in self._peers),
            "samples": sum(peer.sampled for peer in self._peers),
            "bad_samples": sum(peer.bad_samples for peer in self._peers),
            "added_latency_ms_p50": round(delays[49], 2),
            "added_latency_ms_p90": round(delays[89], 2),
            "added_latency_ms_p99": round(delays[98], 2),
            "cipher": self._peers[-1].peer.channel.cipher,
        }

    async def close(self) -> None:
        """Leaves without a word."""
        await self._reader.close()
        for peer in self._peers:
            await peer.close(silently=True)
