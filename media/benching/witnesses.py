"""The subscribers of the benchmark: most only count, some prove and time every packet."""

from __future__ import annotations

import asyncio
import select
import socket
import struct

from media.aiortc_bridge import Identity, Unauthentic
from media.benching.load import STAMP
from media.counting import CountOnlySubscriber
from media.peer import Peer

SAMPLE = 1000
"""A plain subscriber proves every thousandth packet."""
_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)  # Linux; the constant is missing before Python 3.14


class Probe(CountOnlySubscriber):
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
        self.delays_ms.append((arrived_ns - STAMP.unpack_from(packet, 13)[0]) / 1e6)

    async def close(self, *, silently: bool = False) -> None:
        """Ends the subscription."""
        if self.peer.socket is not None:
            asyncio.get_running_loop().remove_reader(self.peer.socket.fileno())
        await super().close(silently=silently)


class Reader:
    """Reads all plain subscribers' sockets through one epoll: cheaper than a thousand readers of the event loop."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._read)

    def add(self, peer: Peer) -> None:
        """Takes the reading of this peer over."""
        descriptor = peer.hand_over_reading()
        self._peers[descriptor] = peer
        self._epoll.register(descriptor, select.EPOLLIN)

    def _read(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            self._peers[descriptor].drain()

    def close(self) -> None:
        """Reads no more."""
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
