"""One packet to many: a header for each payload type, SRTP in place for each receiver, one system call for sixty-four."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from media.aiortc_bridge import srtp_protect
from media.rtp import HEADER
from media.sequence import Kept
from media.stun import Address
from media.trains import MOST_PACKETS, RECEIVERS, Trains, runs
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
        self._waiting: list[tuple[Kept, int]] = []

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, receiver: Receiver) -> bool:
        return receiver in self._places

    def add(self, receiver: Receiver) -> None:
        """Sends to this receiver from the next packet on. Its DTLS must be done and its address proved."""
        self.flush()
        if not self._blocks or len(self._blocks[-1].receivers) == BATCH:
            self._blocks.append(_Block(self._port))
        block = self._blocks[-1]
        block.receivers.append(receiver)
        block.slots.append(self._slot(block, len(block.slots), receiver))
        self._places[receiver] = (block, len(block.slots) - 1)
        self._payload_types[receiver.payload_type] += 1

    def remove(self, receiver: Receiver) -> None:
        """Sends no more to this receiver; the last one takes its place."""
        self.flush()
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
        self.flush()
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

    def queue(self, packet: Kept, ssrc: int) -> None:
        """Sends one RTP packet to every receiver, together with those that arrived in the same turn."""
        self._waiting.append((packet, ssrc))
        if len(self._waiting) == 1:
            self._port.at_turn_end(self.flush)
        elif len(self._waiting) >= MOST_PACKETS:
            self.flush()

    def flush(self) -> None:
        """Sends what waits. Whoever is added or removed afterwards is not concerned."""
        waiting, self._waiting = self._waiting, []
        if not waiting or not self._blocks:
            return
        bodies = [
            (packet, HEADER.pack(0x80, packet.marker, packet.number & 0xFFFF, packet.timestamp, ssrc) + packet.payload)
            for packet, ssrc in waiting
        ]
        for run in runs(bodies, [len(body) for _, body in bodies]):
            train = {
                kind: [b"\x80" + bytes((packet.marker | kind,)) + body[2:] for packet, body in run]
                for kind in self._payload_types
            }
            if len(run) > 1 and self._port.trains is not None:
                sized = {kind: [(packet, len(packet)) for packet in packets] for kind, packets in train.items()}
                self._send_train(sized, self._port.trains)
            else:
                for index in range(len(run)):
                    self._send({kind: packets[index] for kind, packets in train.items()})

    def _send(self, packets: Mapping[int, bytes]) -> None:
        """One packet (by payload type) to every receiver."""
        size = len(next(iter(packets.values())))
        cut, protect = slice(0, size), srtp_protect
        for block in self._blocks:
            lengths = block.batch.lengths
            for handle, view, pointer, length, index, kind in block.slots:
                view[cut] = packets[kind]
                lengths[index] = size
                if protect(handle, pointer, length):
                    lengths[index] = 0  # never in clear: an empty datagram says nothing
            block.batch.send(len(block.slots))

    def _send_train(self, packets: Mapping[int, list[tuple[bytes, int]]], trains: Trains) -> None:
        """Several packets (by payload type) to every receiver, which also keeps each one's keys in the cache."""
        protect, views, pointers, length = srtp_protect, trains.views, trains.pointers, trains.length
        count = len(next(iter(packets.values())))
        for block in self._blocks:
            names = block.batch.names
            for first in range(0, len(block.slots), RECEIVERS):
                group = block.slots[first : first + RECEIVERS]
                for place, (handle, _, _, _, index, kind) in enumerate(group):
                    view, pointer, at, segment = views[place], pointers[place], 0, 0
                    for packet, size in packets[kind]:
                        view[at : at + size] = packet
                        length[0] = size
                        if protect(handle, pointer + at, length):
                            at = segment = 0  # never in clear
                            break
                        if not segment:
                            segment = length[0]
                        at += length[0]
                    trains.couple(place, name=names[index], length=at, segment=segment)
                trains.send(len(group), count)
