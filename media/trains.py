"""Trains: several packets to one receiver as one datagram, which the kernel cuts up again (UDP_SEGMENT, Linux 4.18).

A picture comes as a burst of packets of the same size, the last one smaller. Sent as a train, it costs one way through the
kernel for each receiver instead of one for each packet.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from media.aiortc_bridge import ffi
from media.kernel import Entry, Vector

if TYPE_CHECKING:
    from media.udp import UdpPort

MOST_PACKETS = 12
RECEIVERS = 16
"""Trains in one `sendmmsg`."""
_BYTES = 24 * 1024
"""A train's buffer: `MOST_PACKETS` of the longest packets."""
_SOL_UDP, _UDP_SEGMENT = 17, 103
_CONTROL = struct.Struct("@NiiH6x")
"""A control message with one 16-bit number: its length (without padding), level, type, value."""
_TOO_MANY_REFUSALS = 200
"""Trains the network card or route did not take, after which none are sent."""
P = TypeVar("P")


def supported(udp: socket.socket) -> bool:
    """Whether this kernel cuts up trains."""
    try:
        udp.setsockopt(_SOL_UDP, _UDP_SEGMENT, 0)
    except OSError:
        return False
    return True


def runs(packets: Sequence[P], sizes: Sequence[int]) -> Iterator[Sequence[P]]:
    """Cuts a burst into trains: packets of one size, of which the last may be smaller."""
    start = 0
    for at in range(1, len(packets) + 1):
        if at < len(packets) and at - start < MOST_PACKETS and sizes[at] <= sizes[start] == sizes[at - 1]:
            continue
        yield packets[start:at]
        start = at


class Trains:
    """Buffers and system call structures for `RECEIVERS` trains; one of these serves a port."""

    def __init__(self, port: UdpPort) -> None:
        self._port = port
        self._memory: Any = ffi.new("unsigned char[]", _BYTES * RECEIVERS)
        whole = memoryview(ffi.buffer(self._memory))
        self.views = [whole[_BYTES * i : _BYTES * (i + 1)] for i in range(RECEIVERS)]
        self.pointers: list[Any] = [self._memory + _BYTES * i for i in range(RECEIVERS)]
        self.length: Any = ffi.new("int *")
        self._vectors = (Vector * RECEIVERS)()
        self._entries = (Entry * RECEIVERS)()
        self._control = ctypes.create_string_buffer(_CONTROL.size * RECEIVERS)
        self._refusals = 0
        base = int(ffi.cast("uintptr_t", self._memory))
        for i in range(RECEIVERS):
            self._vectors[i].base = base + _BYTES * i
            _CONTROL.pack_into(self._control, _CONTROL.size * i, 18, _SOL_UDP, _UDP_SEGMENT, 0)
            message = self._entries[i].message
            message.name_length = port.name_bytes
            message.vectors = ctypes.addressof(self._vectors) + ctypes.sizeof(Vector) * i
            message.vector_count = 1
            message.control = ctypes.addressof(self._control) + _CONTROL.size * i
            message.control_length = _CONTROL.size
        self._lengths = memoryview(self._vectors).cast("B").cast("Q")[1::2]
        self._names = memoryview(self._entries).cast("B").cast("Q")[:: ctypes.sizeof(Entry) // 8]
        self._segments = memoryview(self._control).cast("B").cast("H")[8 :: _CONTROL.size // 2]

    def couple(self, index: int, *, name: int, length: int, segment: int) -> None:
        """Readies the i-th train: the address of its destination's socket address, its length, its packets' length."""
        self._names[index] = name
        self._lengths[index] = length
        self._segments[index] = segment if length > segment else 0

    def send(self, count: int, packets: int) -> None:
        """Sends the first `count` trains of `packets` packets each; a train that is not taken goes packet by packet."""
        done = failed = 0
        size = ctypes.sizeof(Entry)
        first = ctypes.addressof(self._entries)
        while done < count:
            sent = self._port.sendmmsg(self._port.descriptor, first + size * done, count - done, 0)
            if sent > 0:
                done += sent
                continue
            if ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                failed += count - done
                break
            self._uncouple(done)
            done, failed = done + 1, failed + 1
        self._port.send_failures += failed * packets
        self._port.datagrams_out += (count - failed) * packets

    def _uncouple(self, index: int) -> None:
        """Sends the packets of a train one by one: the route's packets are smaller, or the card computes no checksums."""
        self._refusals += 1
        if self._refusals > _TOO_MANY_REFUSALS:
            self._port.trains = None
        address = self._port.address_at(int(self._names[index]))
        length, segment = int(self._lengths[index]), int(self._segments[index]) or int(self._lengths[index])
        for at in range(0, length, segment or 1):
            self._port.send(bytes(self.views[index][at : min(at + segment, length)]), address)
