"""One packet to many: a header for each form, SRTP in place for each receiver, one system call for sixty-four."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from media.aiortc_bridge import srtp_protect
from media.rtp import HEADER
from media.sequence import Kept
from media.stun import Address
from media.trains import MOST_PACKETS, RECEIVERS, Trains, runs
from media.udp import BATCH, Batch, UdpPort


class Form(NamedTuple):
    """How a layer's packets are written for a receiver: its payload type, and what is added to numbers and timestamps.
    Receivers that never changed layers share one form for each payload type."""

    payload_type: int
    number: int
    timestamp: int

    def packet(self, kept: Kept, ssrc: int) -> bytes:
        """The packet as it goes out."""
        number, timestamp = kept.number + self.number & 0xFFFF, kept.timestamp + self.timestamp & 0xFFFFFFFF
        return HEADER.pack(0x80, kept.marker | self.payload_type, number, timestamp, ssrc) + kept.payload


class Receiver(Protocol):
    """What the fan-out needs of a subscriber's share in a layer."""

    @property
    def form(self) -> Form: ...

    @property
    def address(self) -> Address: ...

    @property
    def handle(self) -> Any: ...


class _Wire:
    """A form in use, how many use it, and the packets (with their sizes) that are being sent in it."""

    __slots__ = ("form", "packets", "receivers")

    def __init__(self, form: Form) -> None:
        self.form = form
        self.receivers = 0
        self.packets: list[tuple[bytes, int]] = []


_Slot = tuple[Any, memoryview, Any, Any, int, _Wire]
"""libsrtp handle, packet buffer, its pointer, pointer to its length, index, form."""


class _Block:
    """Up to `BATCH` receivers."""

    def __init__(self, port: UdpPort) -> None:
        self.batch = Batch(port)
        self.receivers: list[Receiver] = []
        self.slots: list[_Slot] = []


class FanOut:
    """The receivers of one layer. Adding, removing and moving cost the same however many there are."""

    def __init__(self, port: UdpPort, ssrc: int) -> None:
        self._port, self._ssrc = port, ssrc
        self._blocks: list[_Block] = []
        self._places: dict[Receiver, tuple[_Block, int]] = {}
        self._wires: dict[Form, _Wire] = {}
        self._waiting: list[Kept] = []

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

    def remove(self, receiver: Receiver) -> None:
        """Sends no more to this receiver; the last one takes its place."""
        self.flush()
        place = self._places.pop(receiver, None)
        if place is None:
            return
        block, index = place
        self._release(block.slots[index])
        last = self._blocks[-1]
        moved, slot = last.receivers.pop(), last.slots.pop()
        if moved is not receiver:
            self._release(slot)
            block.receivers[index] = moved
            block.slots[index] = self._slot(block, index, moved)
            self._places[moved] = (block, index)
        if not last.receivers:
            self._blocks.pop()

    def refresh(self, receiver: Receiver) -> None:
        """Takes over a receiver's new address or form."""
        self.flush()
        if receiver in self._places:
            block, index = self._places[receiver]
            self._release(block.slots[index])
            block.slots[index] = self._slot(block, index, receiver)

    def _slot(self, block: _Block, index: int, receiver: Receiver) -> _Slot:
        block.batch.aim(index, receiver.address)
        buffers = self._port.buffers
        length = block.batch.length_pointers[index]
        wire = self._wires.setdefault(receiver.form, _Wire(receiver.form))
        wire.receivers += 1
        return receiver.handle, buffers.views[index], buffers.pointers[index], length, index, wire

    def _release(self, slot: _Slot) -> None:
        wire = slot[5]
        wire.receivers -= 1
        if not wire.receivers:
            del self._wires[wire.form]

    def queue(self, packet: Kept) -> None:
        """Sends one RTP packet to every receiver, together with those that arrived in the same turn."""
        self._waiting.append(packet)
        if len(self._waiting) == 1:
            self._port.at_turn_end(self.flush)
        elif len(self._waiting) >= MOST_PACKETS:
            self.flush()

    def flush(self) -> None:
        """Sends what waits. Whoever is added or removed afterwards is not concerned."""
        waiting, self._waiting = self._waiting, []
        if not waiting or not self._blocks:
            return
        ssrc, wires = self._ssrc, self._wires.values()
        for run in runs(waiting, [len(kept.payload) for kept in waiting]):
            for wire in wires:
                write = wire.form.packet
                wire.packets = [(packet, len(packet)) for packet in [write(kept, ssrc) for kept in run]]
            if len(run) > 1 and self._port.trains is not None:
                self._send_train(len(run), self._port.trains)
            else:
                for index in range(len(run)):
                    self._send(index, len(run[index].payload) + HEADER.size)

    def _send(self, which: int, size: int) -> None:
        """One packet of those written in each form to every receiver."""
        cut, protect = slice(0, size), srtp_protect
        for block in self._blocks:
            lengths = block.batch.lengths
            for handle, view, pointer, length, index, wire in block.slots:
                view[cut] = wire.packets[which][0]
                lengths[index] = size
                if protect(handle, pointer, length):
                    lengths[index] = 0  # never in clear: an empty datagram says nothing
            block.batch.send(len(block.slots))

    def _send_train(self, count: int, trains: Trains) -> None:
        """The packets written in each form to every receiver, which also keeps each one's keys in the cache."""
        protect, views, pointers, length = srtp_protect, trains.views, trains.pointers, trains.length
        for block in self._blocks:
            names = block.batch.names
            for first in range(0, len(block.slots), RECEIVERS):
                group = block.slots[first : first + RECEIVERS]
                for place, (handle, _, _, _, index, wire) in enumerate(group):
                    view, pointer, at, segment = views[place], pointers[place], 0, 0
                    for packet, size in wire.packets:
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
