"""The one UDP port: reading in bounded turns, sending one datagram; `media.wire.trains` sends many with one system call."""

from __future__ import annotations

import asyncio
import ctypes
import socket
from collections import deque
from collections.abc import Callable

from media.wire.kernel import NAME_BYTES, find_sendmmsg, unpack_address
from media.wire.stun import Address
from media.wire.trains import MOST_PACKETS, Yard, supported

LONGEST = 2048
"""Bytes of the longest datagram that is read."""
TURN = 64
"""Datagrams read before other work gets its turn."""
BUFFER_BYTES = 8 << 20
"""What the kernel may hold, each way, while this process does something else; it grants no more than `net.core.rmem_max`."""


class UdpPort:
    """A bound, non-blocking UDP socket on the running event loop."""

    def __init__(
        self,
        host: str,
        port: int,
        on_datagram: Callable[[bytes, Address], None],
        on_turn: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_turn` is called before what has arrived is read."""
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.name_bytes = 16 if self.family == socket.AF_INET else NAME_BYTES
        self._socket = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if self.family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.number: int = self._socket.getsockname()[1]
        self.descriptor = self._socket.fileno()
        self.sendmmsg = find_sendmmsg()
        self.yard = Yard()
        self.longest_train = MOST_PACKETS if self.sendmmsg is not None and supported(self._socket) else 1
        self.train_refusals = 0
        self.send_failures = self.datagrams_out = 0
        self._on_datagram, self._on_turn = on_datagram, on_turn
        self._in_turn = False
        self._at_turn_end: deque[Callable[[], None]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.descriptor, self._readable)

    def _readable(self) -> None:
        self._in_turn = True
        try:
            self._on_turn()
            self._read_turn()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        self._in_turn = False
        while self._at_turn_end:
            self._at_turn_end.popleft()()

    def _read_turn(self) -> None:
        receive, handle = self._socket.recvfrom, self._on_datagram
        for _ in range(TURN):
            try:
                datagram, address = receive(LONGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP answer to something sent earlier; the next read is about the next datagram
                continue
            handle(datagram, address)

    def at_turn_end(self, work: Callable[[], None], *, urgently: bool = False) -> None:
        """Does the work when all that has arrived is read, or at once where nothing is being read; the urgent first."""
        if not self._in_turn:
            work()
        elif urgently:
            self._at_turn_end.appendleft(work)
        else:
            self._at_turn_end.append(work)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Does the work after some time."""
        self._loop.call_later(seconds, work)

    def address_at(self, name: int) -> Address:
        """The socket address at this place in memory, where `media.wire.trains.Group` laid it."""
        return unpack_address(ctypes.string_at(name, self.name_bytes), self.family)

    def send(self, datagram: bytes, address: Address) -> bool:
        """Sends one datagram; False when the socket would not take it."""
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self.send_failures += 1
            return False
        self.datagrams_out += 1
        return True

    def close(self) -> None:
        """Stops reading and frees the port."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self.descriptor)
            self._socket.close()
