"""One packet to many: a header for each form, SRTP in place for each receiver, one system call for thirty-two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from media.packets.rtp import HEADER
from media.packets.sequence import Kept
from media.packets.vp8 import renumber
from media.wire.aiortc_bridge import srtp_protect
from media.wire.stun import Address
from media.wire.trains import MOST_PACKETS, RECEIVERS, Group, runs
from media.wire.udp import UdpPort

HOLD = 0.001
"""Seconds for which the first packets of a picture wait for the last: a browser sends them within half a millisecond, and
together they cost half as much."""


class Form(NamedTuple):
    """How a layer's packets are written for a receiver: payload type and SSRC, and what is added to numbers, timestamps and
    the ids of VP8 pictures. Receivers that never changed layers share one form for each payload type."""

    payload_type: int
    ssrc: int
    number: int = 0
    timestamp: int = 0
    picture: int = 0
    base: int = 0

    def payload(self, kept: Kept) -> bytes:
        """The payload as it goes out."""
        return renumber(kept.payload, self.picture, self.base) if self.picture or self.base else kept.payload

    def packet(self, kept: Kept, *, padding: int = 0) -> bytes:
        """The packet as it goes out, with so many bytes of padding (RFC 3550 §5.1)."""
        number, timestamp = kept.number + self.number & 0xFFFF, kept.timestamp + self.timestamp & 0xFFFFFFFF
        first = 0xA0 if padding else 0x80
        header = HEADER.pack(first, kept.marker | self.payload_type, number, timestamp, self.ssrc)
        if padding:
            return header + self.payload(kept) + bytes(padding - 1) + bytes((padding,))
        return header + self.payload(kept)


class Receiver(Protocol):
    """What the fan-out needs of a subscriber's share in a layer."""

    @property
    def form(self) -> Form: ...

    @property
    def address(self) -> Address: ...

    @property
    def handle(self) -> Any: ...

    @property
    def begins(self) -> int:
        """The layer's number from which on packets are for this receiver."""

    def passed_over(self, packet: Kept) -> None:
        """A packet of the layer was sent to others and not to it."""


class _Members:
    """Up to `RECEIVERS` receivers, what libsrtp needs of each, and how their packets are written."""

    def __init__(self, port: UdpPort) -> None:
        self.group = Group(port)
        self.receivers: list[Receiver] = []
        self.handles: list[Any] = []
        self.forms: list[Form] = []
        self.common: Form | None = None
        """The form of all of them."""
        self._repeated: dict[int, list[Any]] = {}

    def put(self, index: int, receiver: Receiver) -> None:
        """Places a receiver, or its new address or form."""
        self.group.aim(index, receiver.address)
        self.receivers[index : index + 1] = [receiver]
        self.handles[index : index + 1] = [receiver.handle]
        self.forms[index : index + 1] = [receiver.form]
        self._changed()

    def pop(self) -> Receiver:
        """Takes the last one out."""
        self.handles.pop()
        self.forms.pop()
        self._changed()
        return self.receivers.pop()

    def _changed(self) -> None:
        self._repeated.clear()
        self.common = self.forms[0] if len(set(self.forms)) == 1 else None

    def repeated(self, packets: int) -> list[Any]:
        """Each one's handle as often as it gets packets."""
        found = self._repeated.get(packets)
        if found is None:
            found = self._repeated[packets] = [handle for handle in self.handles for _ in range(packets)]
        return found


class FanOut:
    """The receivers of one layer. Adding, removing and moving cost the same however many there are."""

    def __init__(self, port: UdpPort, *, pictures: bool) -> None:
        """`pictures`: packets come in bursts that end with a marked one; else each stands alone and is urgent."""
        self._port, self._pictures = port, pictures
        self._members: list[_Members] = []
        self._places: dict[Receiver, tuple[_Members, int]] = {}
        self._forms: Counter[Form] = Counter()
        self._waiting: list[Kept] = []
        self._youngest = 0
        """No receiver begins after this number."""

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, receiver: Receiver) -> bool:
        return receiver in self._places

    def add(self, receiver: Receiver) -> None:
        """Sends to this receiver from the next packet on. Its DTLS must be done and its address proved."""
        self.flush()
        self._youngest = max(self._youngest, receiver.begins)
        if not self._members or len(self._members[-1].receivers) == RECEIVERS:
            self._members.append(_Members(self._port))
        self._put(receiver, self._members[-1], len(self._members[-1].receivers))

    def remove(self, receiver: Receiver) -> None:
        """Sends no more to this receiver; the last one takes its place."""
        self.flush()
        place = self._places.pop(receiver, None)
        if place is None:
            return
        members, index = place
        self._forget(members.forms[index])
        last = self._members[-1]
        moved = last.pop()
        if moved is not receiver:
            members.put(index, moved)
            self._places[moved] = place
        if not last.receivers:
            self._members.pop()

    def refresh(self, receiver: Receiver) -> None:
        """Takes over a receiver's new address or form."""
        self.flush()
        if (place := self._places.get(receiver)) is not None:
            self._forget(place[0].forms[place[1]])
            self._put(receiver, *place)

    def _put(self, receiver: Receiver, members: _Members, index: int) -> None:
        members.put(index, receiver)
        self._places[receiver] = (members, index)
        self._forms[receiver.form] += 1

    def _forget(self, form: Form) -> None:
        self._forms[form] -= 1
        if not self._forms[form]:
            del self._forms[form]

    def queue(self, packet: Kept) -> None:
        """Sends one RTP packet to every receiver, together with the rest of its picture."""
        self._waiting.append(packet)
        if packet.marker or not self._pictures:
            self._port.at_turn_end(self.flush, urgently=not self._pictures)
        elif len(self._waiting) >= MOST_PACKETS:
            self.flush()
        elif len(self._waiting) == 1:
            self._port.later(HOLD, self.flush)

    def queue_late(self, packet: Kept) -> None:
        """Sends a packet that was repaired. Who began after it does not get it: for them its number was another packet's, from before
        they came to the layer."""
        young = [each for each in self._places if each.begins > packet.number] if packet.number < self._youngest else []
        for receiver in young:
            self.remove(receiver)
        self.queue(packet)
        for receiver in young:
            self.add(receiver)
            receiver.passed_over(packet)

    def flush(self) -> None:
        """Sends what waits. Whoever is added or removed afterwards is not concerned."""
        waiting, self._waiting = self._waiting, []
        if not waiting or not self._members:
            return
        sizes = [len(kept.payload) for kept in waiting]
        for run, longest in runs(waiting, sizes, self._port.longest_train):
            written = {form: self._write(form, run, longest) for form in self._forms}
            for members in self._members:
                self._send(members, written, len(run))

    def _write(self, form: Form, run: Sequence[Kept], longest: int) -> list[bytes]:
        last = len(run) - 1
        return [
            form.packet(kept, padding=longest - len(kept.payload) if index < last else 0)
            for index, kept in enumerate(run)
        ]

    def _send(self, members: _Members, written: Mapping[Form, list[bytes]], packets: int) -> None:
        """A train to each member of a group."""
        yard, count = self._port.yard, len(members.receivers)
        common = members.common
        if common is not None:
            for which, packet in enumerate(written[common]):
                yard.fill(which, count, packet)
        else:
            for index, form in enumerate(members.forms):
                for which, packet in enumerate(written[form]):
                    yard.lay(which, index, packet)
        failed = list(
            map(srtp_protect, members.repeated(packets), yard.pointers[packets], yard.length_pointers[packets])
        )
        if any(failed):
            for at in range(count * packets):
                if failed[at]:  # never in clear: an empty datagram says nothing
                    yard.empty(at // packets, packets)
        if self._port.sendmmsg is None:
            members.group.send_plainly(count, packets)
        else:
            members.group.send(count, packets)
