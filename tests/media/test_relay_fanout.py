"""One packet to many, bursts as trains, and what happens when the kernel will not take them."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media import rtp
from media.aiortc_bridge import Identity, SecureChannel
from media.fanout import FanOut, Form
from media.kernel import pack_address, unpack_address
from media.sequence import Kept
from media.stun import Address
from media.trains import MOST_PACKETS, runs
from media.udp import UdpPort


class Ear:
    """A receiver with a socket and the keys to read what comes."""

    def __init__(self, payload_type: int) -> None:
        self.payload_type, self.form = payload_type, Form(payload_type, 0, 0)
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
    port._in_turn = False
    waiting, port._at_turn_end = port._at_turn_end, []
    for work in waiting:
        work()


def test_bursts_are_cut_into_trains() -> None:
    sizes = [9, 9, 4, 9, 9, 9, 12, 3, 3, 3]
    assert [list(run) for run in runs(sizes, sizes)] == [[9, 9, 4], [9, 9, 9], [12, 3], [3, 3]]
    assert [len(run) for run in runs([5] * 30, [5] * 30)] == [MOST_PACKETS, MOST_PACKETS, 30 - 2 * MOST_PACKETS]
    assert list(runs([], [])) == []


@pytest.mark.parametrize("way", ["trains", "batches", "plain"])
async def test_everybody_gets_every_packet_in_order(port: UdpPort, ears: list[Ear], way: str) -> None:
    assert port.trains is not None, "Linux has had UDP_SEGMENT since 4.18"
    if way != "trains":
        port.trains = None
    if way == "plain":
        port.sendmmsg = None
    fan = FanOut(port, 7)
    for ear in ears:
        fan.add(ear)
    packets = burst(65530, [1150] * 5 + [300, 700, 700, 20] + [1150] * 20)
    send_in_one_turn(port, fan, packets)
    for ear in ears:
        assert ear.hear() == [(ear.payload_type, p.number & 0xFFFF, p.payload) for p in packets]
    assert (port.datagrams_out, port.send_failures) == (3 * len(packets), 0)


async def test_who_comes_or_goes_in_a_turn_gets_only_its_own(port: UdpPort, ears: list[Ear]) -> None:
    fan = FanOut(port, 7)
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
    fan = FanOut(port, 7)
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
    for number in range(100):
        send_in_one_turn(port, fan, burst(10 + 4 * number, [50, 50]))
    assert port.trains is None, "after so many refusals no more are tried"


async def test_a_full_socket_loses_packets_and_counts_them(port: UdpPort, ears: list[Ear]) -> None:
    fan = FanOut(port, 7)
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
