"""One packet to many: a header for each payload type, SRTP in place for each receiver, one system call for sixty-four."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from media.aiortc_bridge import srtp_protect
from media.rtp import HEADER
from media.stun import Address
from media.udp import BATCH, Batch, UdpPort


class Receiver(Protocol):
    """What the fan-out needs of a subscriber's share in a layer."""

    payload_type: int

    @property
    def address(self) -> Address: ...

    @property
    def handle(self) -> Any: ...


_Slot = tuple[Any, memoryview, Any, Any, int, int]
"""libsrtp handle, packet buffer, its pointer, pointer to its length, index, payload type."""


class _Block:
    """Up to `BATCH` receivers."""

    def __init__(self, port: UdpPort) -> None:
        self.batch = Batch(port)
        self.receivers: list[Receiver] = []
        self.slots: list[_Slot] = []


class FanOut:
    """The receivers of one layer. Adding, removing and moving cost the same however many there are."""

    def __init__(self, port: UdpPort) -> None:
        self._port = port
        self._blocks: list[_Block] = []
        self._places: dict[Receiver, tuple[_Block, int]] = {}
        self._payload_types: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, receiver: Receiver) -> bool:
        return receiver in self._places

    def add(self, receiver: Receiver) -> None:
        """Sends to this receiver from the next packet on. Its DTLS must be done and its address proved."""
        if not self._blocks or len(self._blocks[-1].receivers) == BATCH:
            self._blocks.append(_Block(self._port))
        block = self._blocks[-1]
        block.receivers.append(receiver)
        block.slots.append(self._slot(block, len(block.slots), receiver))
        self._places[receiver] = (block, len(block.slots) - 1)
        self._payload_types[receiver.payload_type] += 1

    def remove(self, receiver: Receiver) -> None:
        """Sends no more to this receiver; the last one takes its place."""
        place = self._places.pop(receiver, None)
        if place is None:
            return
        block, index = place
        self._forget_type(block.slots[index][5])
        last = self._blocks[-1]
        moved = last.receivers.pop()
        last.slots.pop()
        if moved is not receiver:
            block.receivers[index] = moved
            block.slots[index] = self._slot(block, index, moved)
            self._places[moved] = (block, index)
        if not last.receivers:
            self._blocks.pop()

    def refresh(self, receiver: Receiver) -> None:
        """Takes over a receiver's new address or payload type."""
        if receiver in self._places:
            block, index = self._places[receiver]
            self._forget_type(block.slots[index][5])
            block.slots[index] = self._slot(block, index, receiver)
            self._payload_types[receiver.payload_type] += 1

    def _slot(self, block: _Block, index: int, receiver: Receiver) -> _Slot:
        block.batch.aim(index, receiver.address)
        buffers = self._port.buffers
        length = block.batch.length_pointers[index]
        return receiver.handle, buffers.views[index], buffers.pointers[index], length, index, receiver.payload_type

    def _forget_type(self, payload_type: int) -> None:
        self._payload_types[payload_type] -= 1
        if not self._payload_types[payload_type]:
            del self._payload_types[payload_type]

    def send(self, *, marker: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> int:
        """Sends one RTP packet to every receiver; returns how many datagrams the socket took."""
        packets = {
            kind: HEADER.pack(0x80, marker | kind, sequence & 0xFFFF, timestamp, ssrc) + payload
            for kind in self._payload_types
        }
        size = 12 + len(payload)
        cut, protect, sent = slice(0, size), srtp_protect, 0
        for block in self._blocks:
            lengths = block.batch.lengths
            for handle, view, pointer, length, index, kind in block.slots:
                view[cut] = packets[kind]
                lengths[index] = size
                if protect(handle, pointer, length):
                    lengths[index] = 0  # never in clear: an empty datagram says nothing
            sent += block.batch.send(len(block.slots))
        return sent
