"""The one UDP port: reading in bounded turns, sending one datagram, sending sixty-four with one system call."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
from collections.abc import Callable
from typing import Any

from media import trains
from media.aiortc_bridge import ffi
from media.kernel import NAME_BYTES, Entry, Vector, find_sendmmsg, pack_address, unpack_address
from media.stun import Address

BATCH = 64
"""Datagrams in one `sendmmsg`; their buffers (128 KiB) stay in the processor's cache."""
STRIDE = 2048
"""Bytes of one packet buffer: the longest packet and SRTP's trailer."""
TURN = 64
"""Datagrams read before other work gets its turn."""
BUFFER_BYTES = 8 << 20


class Buffers:
    """`BATCH` packet buffers, shared by everything that sends in batches."""

    def __init__(self) -> None:
        self._memory: Any = ffi.new("unsigned char[]", STRIDE * BATCH)
        whole = memoryview(ffi.buffer(self._memory))
        self.views = [whole[STRIDE * i : STRIDE * (i + 1)] for i in range(BATCH)]
        self.pointers: list[Any] = [self._memory + STRIDE * i for i in range(BATCH)]
        base = int(ffi.cast("uintptr_t", self._memory))
        self.addresses = [base + STRIDE * i for i in range(BATCH)]


class Batch:
    """Up to `BATCH` destinations of the same packet: their addresses and lengths, laid out for `sendmmsg`."""

    def __init__(self, port: UdpPort) -> None:
        self._port = port
        self._names = ctypes.create_string_buffer(NAME_BYTES * BATCH)
        self._vectors = (Vector * BATCH)()
        self._entries = (Entry * BATCH)()
        self.names = [ctypes.addressof(self._names) + NAME_BYTES * i for i in range(BATCH)]
        """Where in memory each destination's socket address is."""
        start = ctypes.addressof(self._vectors)
        for i in range(BATCH):
            self._vectors[i].base = port.buffers.addresses[i]
            message = self._entries[i].message
            message.name = self.names[i]
            message.name_length = port.name_bytes
            message.vectors = start + ctypes.sizeof(Vector) * i
            message.vector_count = 1
        self._first = ctypes.addressof(self._entries)
        words = memoryview(self._vectors).cast("B").cast("Q")
        self.lengths = words[1::2]
        """Length of the i-th datagram; libsrtp writes the protected length here through `length_pointers`."""
        memory: Any = ffi.cast("unsigned char *", start)
        self.length_pointers: list[Any] = [ffi.cast("int *", memory + 16 * i + 8) for i in range(BATCH)]

    def aim(self, index: int, address: Address) -> None:
        """Sets the destination of the i-th datagram."""
        raw = pack_address(address, self._port.family)
        ctypes.memmove(self.names[index], raw, len(raw))

    def send(self, count: int) -> None:
        """Sends the first `count` datagrams. Never blocks, never raises; what the socket does not take is counted."""
        if self._port.sendmmsg is None:
            self._send_plainly(count)
            return
        done = failed = 0
        while done < count:
            at = self._first + ctypes.sizeof(Entry) * done
            sent = self._port.sendmmsg(self._port.descriptor, at, count - done, 0)
            if sent > 0:
                done += sent
                continue
            if ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):  # the rest is lost; receivers ask for it again
                failed += count - done
                break
            done, failed = done + 1, failed + 1  # one bad destination must not silence those after it
        self._port.send_failures += failed
        self._port.datagrams_out += count - failed

    def _send_plainly(self, count: int) -> None:
        for index in range(count):
            data = bytes(self._port.buffers.views[index][: self.lengths[index]])
            self._port.send(data, self._port.address_at(self.names[index]))


class UdpPort:
    """A bound, non-blocking UDP socket on the running event loop."""

    def __init__(self, host: str, port: int, on_datagram: Callable[[bytes, Address], None]) -> None:
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
        self.buffers = Buffers()
        self.trains = trains.Trains(self) if self.sendmmsg is not None and trains.supported(self._socket) else None
        self.send_failures = self.datagrams_out = 0
        self._on_datagram = on_datagram
        self._in_turn = False
        self._at_turn_end: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.descriptor, self._readable)

    def _readable(self) -> None:
        self._in_turn = True
        try:
            self._read_turn()
        finally:
            self._in_turn = False
            waiting, self._at_turn_end = self._at_turn_end, []
            for work in waiting:
                work()

    def _read_turn(self) -> None:
        receive, handle = self._socket.recvfrom, self._on_datagram
        for _ in range(TURN):
            try:
                datagram, address = receive(STRIDE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP answer to something sent earlier; the next read is about the next datagram
                continue
            handle(datagram, address)

    def at_turn_end(self, work: Callable[[], None]) -> None:
        """Does the work when all that has arrived is read, or at once where nothing is being read."""
        if self._in_turn:
            self._at_turn_end.append(work)
        else:
            work()

    def address_at(self, name: int) -> Address:
        """The socket address at this place in memory (`Batch.names`)."""
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
