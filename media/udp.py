"""The one UDP port: reading in bounded turns, sending one datagram, sending sixty-four with one system call."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from media.aiortc_bridge import ffi
from media.stun import Address

BATCH = 64
"""Datagrams in one `sendmmsg`; their buffers (128 KiB) stay in the processor's cache."""
STRIDE = 2048
"""Bytes of one packet buffer: the longest packet and SRTP's trailer."""
TURN = 64
"""Datagrams read before other work gets its turn."""
BUFFER_BYTES = 8 << 20
_ADDRESS_BYTES = 28  # sockaddr_in6; sockaddr_in needs 16 of them

if sys.byteorder != "little":  # the int that libsrtp writes is the low half of the size_t that sendmmsg reads
    raise ImportError("media.udp needs a little-endian machine")


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Entry(ctypes.Structure):
    _fields_ = (("message", _Message), ("sent", ctypes.c_uint))


def _find_sendmmsg() -> Any:
    """libc's sendmmsg, or None on systems without it (or whose structures differ from Linux's)."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "sendmmsg", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return function


def _socket_address(address: Address, family: int) -> bytes:
    if family == socket.AF_INET:
        return struct.pack("=H", family) + struct.pack("!H", address[1]) + socket.inet_aton(address[0]) + bytes(8)
    host, port, flow, scope = (*address, 0, 0)[:4]
    packed = ipaddress.IPv6Address(str(host).partition("%")[0]).packed
    return struct.pack("=H", family) + struct.pack("!HI", port, flow) + packed + struct.pack("=I", scope)


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
        self._names = ctypes.create_string_buffer(_ADDRESS_BYTES * BATCH)
        self._vectors = (_Vector * BATCH)()
        self._entries = (_Entry * BATCH)()
        self._where: list[Address | None] = [None] * BATCH
        start = ctypes.addressof(self._vectors)
        for i in range(BATCH):
            self._vectors[i].base = port.buffers.addresses[i]
            message = self._entries[i].message
            message.name = ctypes.addressof(self._names) + _ADDRESS_BYTES * i
            message.name_length = 16 if port.family == socket.AF_INET else _ADDRESS_BYTES
            message.vectors = start + ctypes.sizeof(_Vector) * i
            message.vector_count = 1
        self._first = ctypes.addressof(self._entries)
        words = memoryview(self._vectors).cast("B").cast("Q")
        self.lengths = words[1::2]
        """Length of the i-th datagram; libsrtp writes the protected length here through `length_pointers`."""
        memory: Any = ffi.cast("unsigned char *", start)
        self.length_pointers: list[Any] = [ffi.cast("int *", memory + 16 * i + 8) for i in range(BATCH)]

    def aim(self, index: int, address: Address) -> None:
        """Sets the destination of the i-th datagram."""
        self._where[index] = address
        raw = _socket_address(address, self._port.family)
        ctypes.memmove(ctypes.addressof(self._names) + _ADDRESS_BYTES * index, raw, len(raw))

    def send(self, count: int) -> int:
        """Sends the first `count` datagrams; returns how many the socket took. Never blocks, never raises."""
        if self._port.sendmmsg is None:
            return self._send_plainly(count)
        done = failed = 0
        while done < count:
            at = self._first + ctypes.sizeof(_Entry) * done
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
        return count - failed

    def _send_plainly(self, count: int) -> int:
        sent = 0
        for index in range(count):
            address = self._where[index]
            if address is not None:
                sent += self._port.send(bytes(self._port.buffers.views[index][: self.lengths[index]]), address)
        return sent


class UdpPort:
    """A bound, non-blocking UDP socket on the running event loop."""

    def __init__(self, host: str, port: int, on_datagram: Callable[[bytes, Address], None]) -> None:
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
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
        self.sendmmsg = _find_sendmmsg()
        self.buffers = Buffers()
        self.send_failures = self.datagrams_out = 0
        self._on_datagram = on_datagram
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.descriptor, self._readable)

    def _readable(self) -> None:
        receive, handle = self._socket.recvfrom, self._on_datagram
        for _ in range(TURN):
            try:
                datagram, address = receive(STRIDE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP answer to something sent earlier; the next read is about the next datagram
                continue
            handle(datagram, address)

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
