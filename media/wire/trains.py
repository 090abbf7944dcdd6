"""Trains: several packets to one receiver as one datagram, which the kernel cuts up again (UDP_SEGMENT, Linux 4.18).

A picture comes as a burst of packets of about the same size, the last one perhaps smaller. Sent as a train, it costs one way
through the kernel for each receiver instead of one for each packet. `RECEIVERS` trains leave with one `sendmmsg`.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from media.wire.aiortc_bridge import ffi
from media.wire.kernel import NAME_BYTES, Entry, Vector, pack_address
from media.wire.stun import Address

if TYPE_CHECKING:
    from media.wire.udp import UdpPort

MOST_PACKETS = 12
"""Packets in one train: most pictures have fewer, and the kernel takes 64 KiB."""
RECEIVERS = 32
"""Trains in one `sendmmsg`; the packets of a picture for so many stay in the processor's cache."""
STRIDE = 27 * 64
"""Bytes of one packet buffer: the longest packet and SRTP's trailer, and no power of two, which would crowd the cache."""
PADDING = 8
"""Bytes of RTP padding that may make a packet as long as its neighbours: libwebrtc's pieces of a picture differ by one."""
_SOL_UDP, _UDP_SEGMENT = 17, 103
"""Of linux/udp.h; Python 3.11 has no names for them."""
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


def runs(packets: Sequence[P], sizes: Sequence[int], most: int) -> Iterator[tuple[Sequence[P], int]]:
    """Cuts a burst into trains of at most so many packets, with the length to which all but the last are to be padded: they
    differ by no more than `PADDING` bytes, and the last may be any shorter."""
    start = 0
    while start < len(packets):
        low = high = sizes[start]
        end = start + 1
        while end < len(packets) and end - start < most:
            size = sizes[end]
            if max(high, size) - min(low, size) > PADDING:
                end += size < low
                break
            low, high, end = min(low, size), max(high, size), end + 1
        yield packets[start:end], high
        start = end


class Yard:
    """Packet buffers for `RECEIVERS` trains and what the system call needs to know of them; one of these serves a port.

    Buffer k of train i is followed by buffer k + 1 of the same train. libsrtp writes the protected length where the kernel
    reads it.
    """

    def __init__(self) -> None:
        count = RECEIVERS * MOST_PACKETS
        self._memory: Any = ffi.new("unsigned char[]", STRIDE * count)
        whole = memoryview(ffi.buffer(self._memory))
        views = [whole[STRIDE * i : STRIDE * (i + 1)] for i in range(count)]
        self.views = [views[k::MOST_PACKETS] for k in range(MOST_PACKETS)]
        """By packet, then by train."""
        self._vectors = (Vector * count)()
        base = int(ffi.cast("uintptr_t", self._memory))
        for i in range(count):
            self._vectors[i].base = base + STRIDE * i
        self.first_vector = ctypes.addressof(self._vectors)
        words = memoryview(self._vectors).cast("B").cast("Q")
        self.lengths = [words[2 * k + 1 :: 2 * MOST_PACKETS] for k in range(MOST_PACKETS)]
        """By packet, then by train."""
        vectors: Any = ffi.cast("unsigned char *", self.first_vector)
        places = [[i * MOST_PACKETS + k for i in range(RECEIVERS) for k in range(n)] for n in range(MOST_PACKETS + 1)]
        self.pointers = [[self._memory + STRIDE * at for at in row] for row in places]
        """For trains of n packets: where each packet of each train lies."""
        self.length_pointers = [[ffi.cast("int *", vectors + 16 * at + 8) for at in row] for row in places]
        self._control = ctypes.create_string_buffer(_CONTROL.size * RECEIVERS)
        for i in range(RECEIVERS):
            _CONTROL.pack_into(self._control, _CONTROL.size * i, 18, _SOL_UDP, _UDP_SEGMENT, 0)
        self.first_control = ctypes.addressof(self._control)
        self.segments = memoryview(self._control).cast("B").cast("H")[8 :: _CONTROL.size // 2]
        """The length of a train's packets, by train; 0 where there is nothing to cut up."""

    def fill(self, which: int, trains: int, packet: bytes) -> None:
        """Lays the same packet into each of the first trains."""
        size = len(packet)
        cut = slice(0, size)
        for view in self.views[which][:trains]:
            view[cut] = packet
        self.lengths[which][:trains] = memoryview(array("Q", (size,)) * trains)

    def lay(self, which: int, train: int, packet: bytes) -> None:
        """Lays a packet into one train."""
        self.views[which][train][: len(packet)] = packet
        self.lengths[which][train] = len(packet)

    def empty(self, train: int, packets: int) -> None:
        """Takes everything out of a train: a datagram without a byte remains."""
        for which in range(packets):
            self.lengths[which][train] = 0


class Group:
    """Up to `RECEIVERS` destinations, laid out for `sendmmsg`."""

    def __init__(self, port: UdpPort) -> None:
        self._port, self._yard = port, port.yard
        self._names = ctypes.create_string_buffer(NAME_BYTES * RECEIVERS)
        self._entries = (Entry * RECEIVERS)()
        for i in range(RECEIVERS):
            message = self._entries[i].message
            message.name = ctypes.addressof(self._names) + NAME_BYTES * i
            message.name_length = port.name_bytes
            message.vectors = self._yard.first_vector + ctypes.sizeof(Vector) * MOST_PACKETS * i
            message.control = self._yard.first_control + _CONTROL.size * i
            message.control_length = _CONTROL.size
        words = memoryview(self._entries).cast("B").cast("Q")
        self._vector_counts = words[3 :: ctypes.sizeof(Entry) // 8]
        self._packets = 0

    def aim(self, index: int, address: Address) -> None:
        """Sets the i-th destination."""
        raw = pack_address(address, self._port.family)
        ctypes.memmove(self._entries[index].message.name, raw, len(raw))

    def send(self, count: int, packets: int) -> None:
        """Sends the first `count` trains of the yard, of so many packets each. Never blocks, never raises; what the socket
        does not take is counted, a train that it refuses goes packet by packet."""
        if packets != self._packets:
            self._vector_counts[:] = memoryview(array("Q", (packets,)) * RECEIVERS)
            self._packets = packets
        firsts = self._yard.lengths[0][:count].tolist()
        for index, size in enumerate(firsts if packets > 1 else [0] * count):
            self._yard.segments[index] = size
        done = failed = apart = 0
        first, size = ctypes.addressof(self._entries), ctypes.sizeof(Entry)
        while done < count:
            sent = self._port.sendmmsg(self._port.descriptor, first + size * done, count - done, 0)
            if sent > 0:
                done += sent
                continue
            if ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):  # the rest is lost; receivers ask for it again
                failed += count - done
                break
            if packets > 1:
                self._refused(done, packets)
                apart += 1
            else:
                failed += 1
            done += 1  # one bad destination must not silence those after it
        self._port.send_failures += failed * packets
        self._port.datagrams_out += (count - failed - apart) * packets

    def send_plainly(self, count: int, packets: int) -> None:
        """The same without `sendmmsg`."""
        for index in range(count):
            self._send_apart(index, packets)

    def _refused(self, index: int, packets: int) -> None:
        """The route's packets are smaller than the train's, or the card computes no checksums. Where its packets are refused
        as well the destination is bad, which says nothing of trains."""
        if not self._send_apart(index, packets):
            return
        self._port.train_refusals += 1
        if self._port.train_refusals > _TOO_MANY_REFUSALS:
            self._port.longest_train = 1

    def _send_apart(self, index: int, packets: int) -> bool:
        """Packet by packet; whether any was taken."""
        address = self._port.address_at(int(self._entries[index].message.name))
        parts = ((self._yard.views[which][index], self._yard.lengths[which][index]) for which in range(packets))
        taken = [self._port.send(bytes(view[:length]), address) for view, length in parts if length]
        return any(taken)
