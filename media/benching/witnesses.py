"""The subscribers of the benchmark: most only count, some prove and time every packet."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Callable

from media import rtp
from media.aiortc_bridge import Identity, Unauthentic
from media.benching.load import STAMP
from media.counting import CountOnlySubscriber

SAMPLE = 1000
"""A plain subscriber proves every thousandth packet."""
TURN = 0.004
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
