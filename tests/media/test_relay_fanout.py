"""One packet to many, bursts as trains, and what happens when the kernel will not take them."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media.forwarding.fanout import HOLD, FanOut, Form
from media.packets import rtp
from media.packets.sequence import Kept
from media.wire.aiortc_bridge import Identity, SecureChannel
from media.wire.kernel import pack_address, unpack_address
from media.wire.stun import Address
from media.wire.trains import _TOO_MANY_REFUSALS, RECEIVERS, runs
from media.wire.udp import UdpPort


class FromTheFirst:
    """A receiver that is there from the layer's beginning."""

    begins = 0

    def passed_over(self, packet: Kept) -> None:
        raise AssertionError(packet)


class Ear(FromTheFirst):
    """A receiver with a socket and the keys to read what comes."""

    def __init__(self, payload_type: int) -> None:
        self.payload_type, self.form = payload_type, Form(payload_type, 7)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        ours, theirs = Identity(), Identity()
        self.sender = SecureChannel(ours, server=True, send=lambda d: self.reader.feed(d), on_closed=lambda: None)
        self.reader = SecureChannel(theirs, server=False, send=lambda d: self.sender.feed(d), on_closed=lambda: None)
        self._prints = ours.fingerprint, theirs.fingerprint

    async def agree(self) -> None:
        ours, theirs = self._prints
        await asyncio.gather(self.sender.handshake([theirs]), self.reader.handshake([ours]))

    @property
    def address(self) -> Address:
        host, port = self.socket.getsockname()
        return host, port

    @property
    def handle(self) -> Any:
        return self.sender.handle

    def hear(self) -> list[tuple[int, int, bytes]]:
        """(payload type, sequence number, payload) of all that came."""
        found = []
        while True:
            try:
                packet = rtp.parse(self.reader.unprotect(self.socket.recv(2048)))
            except BlockingIOError:
                return found
            assert packet is not None
            found.append((packet.payload_type, packet.sequence, packet.payload))

    async def close(self) -> None:
        self.socket.close()
        await self.sender.close()
        await self.reader.close()


class Nowhere(FromTheFirst):
    """A receiver at an address that the kernel does not send to."""

    def __init__(self, ear: Ear) -> None:
        self.form, self.handle = ear.form, ear.handle
        self.address: Address = ("255.255.255.255", 9)


class Other(FromTheFirst):
    """A receiver that listens with another's socket."""

    def __init__(self, ear: Ear, form: Form) -> None:
        self.form, self.address, self.handle = form, ear.address, ear.handle


@pytest.fixture
async def ears() -> AsyncIterator[list[Ear]]:
    ears = [Ear(payload_type) for payload_type in (102, 108, 102)]
    for ear in ears:
        await ear.agree()
    yield ears
    for ear in ears:
        await ear.close()


@pytest.fixture
async def port() -> AsyncIterator[UdpPort]:
    port = UdpPort("127.0.0.1", 0, lambda datagram, address: None)
    yield port
    port.close()


def burst(first: int, sizes: list[int]) -> list[Kept]:
    return [Kept(first + n, 0x80 if n == len(sizes) - 1 else 0, 90, bytes([n]) * size) for n, size in enumerate(sizes)]


def send_in_one_turn(port: UdpPort, fan: FanOut, packets: list[Kept]) -> None:
    port._in_turn = True
    for packet in packets:
        fan.queue(packet)
    port._end_turn()


def test_bursts_are_cut_into_trains() -> None:
    sizes = [9, 9, 4, 90, 92, 91, 12, 3, 30, 8]
    assert [(list(run), longest) for run, longest in runs(sizes, sizes, 12)] == [
        ([9, 9, 4], 9),
        ([90, 92, 91, 12], 92),
        ([3], 3),
        ([30, 8], 30),
    ]
    assert [len(run) for run, _ in runs([5] * 30, [5] * 30, 12)] == [12, 12, 6]
    assert [len(run) for run, _ in runs([5] * 3, [5] * 3, 1)] == [1, 1, 1]
    assert list(runs([], [], 12)) == []


@pytest.mark.parametrize("way", ["trains", "batches", "plain"])
async def test_everybody_gets_every_packet_in_order(port: UdpPort, ears: list[Ear], way: str) -> None:
    assert port.longest_train > 1, "Linux has had UDP_SEGMENT since 4.18"
    if way != "trains":
        port.longest_train = 1
    if way == "plain":
        port.sendmmsg = None
    fan = FanOut(port, pictures=True)
    for ear in ears:
        fan.add(ear)
    packets = burst(65530, [1150, 1149, 1150, 1151] + [300, 700, 700, 20] + [1150] * 20)
    send_in_one_turn(port, fan, packets)
    for ear in ears:
        assert ear.hear() == [(ear.payload_type, p.number & 0xFFFF, p.payload) for p in packets]
    assert (port.datagrams_out, port.send_failures) == (3 * len(packets), 0)


async def test_more_receivers_than_one_system_call_takes(port: UdpPort, ears: list[Ear]) -> None:
    """All in one form, then one that has changed layers."""
    fan, other = FanOut(port, pictures=True), ears[0]
    crowd = [Other(ears[2], Form(102, 7)) for _ in range(RECEIVERS)]
    for receiver in crowd:
        fan.add(receiver)
    fan.add(other)
    send_in_one_turn(port, fan, burst(1, [500, 500]))
    other.form = Form(108, 7, 7)
    fan.refresh(other)
    for receiver in crowd[:-1]:
        fan.remove(receiver)
    send_in_one_turn(port, fan, burst(3, [500, 500]))
    assert [(kind, number) for kind, number, _ in other.hear()] == [(102, 1), (102, 2), (108, 10), (108, 11)]
    assert len(fan) == 2
    assert port.datagrams_out == 2 * (RECEIVERS + 1) + 2 * 2


async def test_a_picture_waits_a_moment_for_its_last_packet_and_sound_for_nothing(
    port: UdpPort, ears: list[Ear]
) -> None:
    pictures, sound = FanOut(port, pictures=True), FanOut(port, pictures=False)
    ear, *_ = ears
    pictures.add(ear)
    sound.add(ear)
    first, second, last = burst(1, [500, 500, 500])
    send_in_one_turn(port, pictures, [first])
    assert ear.hear() == []
    port._in_turn = True
    pictures.queue(second)
    pictures.queue(last)
    sound.queue(Kept(50, 0, 0, b"la"))
    port._end_turn()
    assert [number for _, number, _ in ear.hear()] == [50, 1, 2, 3]
    send_in_one_turn(port, pictures, burst(4, [500, 500])[:1])
    await asyncio.sleep(10 * HOLD)
    assert [number for _, number, _ in ear.hear()] == [4], "its last packet may be lost"


async def test_who_comes_or_goes_in_a_turn_gets_only_its_own(port: UdpPort, ears: list[Ear]) -> None:
    fan = FanOut(port, pictures=True)
    early, late, leaver = ears
    fan.add(early)
    fan.add(leaver)
    first, second = burst(10, [100, 100]), burst(12, [100, 100])
    port._in_turn = True
    for packet in first:
        fan.queue(packet)
    fan.add(late)
    fan.remove(leaver)
    for packet in second:
        fan.queue(packet)
    port._in_turn = False
    fan.flush()
    assert [number for _, number, _ in early.hear()] == [10, 11, 12, 13]
    assert [number for _, number, _ in late.hear()] == [12, 13]
    assert [number for _, number, _ in leaver.hear()] == [10, 11]
    assert (len(fan), early in fan, leaver in fan) == (2, True, False)


async def test_a_train_that_is_refused_goes_packet_by_packet(port: UdpPort, ears: list[Ear]) -> None:
    """As on a route with smaller packets, or a card that computes no checksums."""
    fan = FanOut(port, pictures=True)
    for ear in ears:
        fan.add(ear)

    def refuse(*_: object) -> int:
        ctypes.set_errno(errno.EINVAL)
        return -1

    port.sendmmsg = refuse
    packets = burst(1, [600, 600, 600, 10])
    send_in_one_turn(port, fan, packets)
    for ear in ears:
        assert [payload for _, _, payload in ear.hear()] == [p.payload for p in packets]
    assert (port.datagrams_out, port.send_failures) == (12, 0)
    for number in range(100):
        send_in_one_turn(port, fan, burst(10 + 4 * number, [50, 50]))
    assert port.longest_train == 1, "after so many refusals no more are tried"


async def test_a_destination_that_is_refused_costs_the_others_nothing(port: UdpPort, ears: list[Ear]) -> None:
    """A school's route is gone, or a firewall of ours is in the way: no reason to send everybody packet by packet."""
    fan = FanOut(port, pictures=True)
    for receiver in (ears[0], Nowhere(ears[1]), ears[2]):
        fan.add(receiver)
    for number in range(_TOO_MANY_REFUSALS + 50):
        send_in_one_turn(port, fan, burst(1 + 2 * number, [50, 50]))
        assert [len(ear.hear()) for ear in ears] == [2, 0, 2]
    assert port.send_failures == 2 * (_TOO_MANY_REFUSALS + 50)
    assert port.longest_train > 1


async def test_a_full_socket_loses_packets_and_counts_them(port: UdpPort, ears: list[Ear]) -> None:
    fan = FanOut(port, pictures=True)
    for ear in ears:
        fan.add(ear)

    def full(*_: object) -> int:
        ctypes.set_errno(errno.EAGAIN)
        return -1

    port.sendmmsg = full
    send_in_one_turn(port, fan, burst(1, [600, 600, 600]))
    send_in_one_turn(port, fan, burst(4, [600]))
    assert [ear.hear() for ear in ears] == [[], [], []]
    assert port.send_failures == 12


@pytest.mark.parametrize("address", [("192.0.2.7", 5004), ("2001:db8::7", 5004, 0, 3), ("::ffff:192.0.2.7", 9, 0, 0)])
def test_socket_addresses_survive_the_round_trip(address: Address) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    back = unpack_address(pack_address(address, family), family)
    assert back[1:] == address[1:]
    assert socket.inet_pton(family, back[0]) == socket.inet_pton(family, address[0])
