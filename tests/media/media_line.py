"""A bad line between a peer and the relay: loses, delays, and may change the address under which a peer is seen."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any

Address = tuple[str, int]


class BadLine:
    """A UDP proxy with an address of its own for each peer, as a NAT has. `loss` is a share, `delay` in seconds one way."""

    def __init__(self, relay_port: int, *, loss: float = 0.0, delay: float = 0.0, seed: int = 1) -> None:
        self._relay = ("127.0.0.1", relay_port)
        self.loss, self.delay = loss, delay
        self._chance = random.Random(seed)
        self._inside: asyncio.DatagramTransport | None = None
        self._outside: dict[Address, _Outside] = {}
        self.port = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Inside(self._from_peer), local_addr=("127.0.0.1", 0)
        )
        self._inside = transport
        self.port = transport.get_extra_info("sockname")[1]

    def _from_peer(self, data: bytes, peer: Address) -> None:
        if self._passes():
            asyncio.get_running_loop().call_later(self.delay, self._carry_out, data, peer)

    def _carry_out(self, data: bytes, peer: Address) -> None:
        if self._inside is None:
            return
        if peer not in self._outside:
            self._outside[peer] = _Outside(self._relay, lambda back: self._from_relay(back, peer))
        self._outside[peer].send(data)

    def _from_relay(self, data: bytes, peer: Address) -> None:
        if self._passes():
            asyncio.get_running_loop().call_later(self.delay, self._carry_in, data, peer)

    def _carry_in(self, data: bytes, peer: Address) -> None:
        if self._inside is not None:
            self._inside.sendto(data, peer)

    def _passes(self) -> bool:
        return self._chance.random() >= self.loss

    def rebind(self) -> None:
        """The NAT forgets its mappings: every peer gets a new address with its next packet."""
        for transport in self._outside.values():
            transport.close()
        self._outside.clear()

    def close(self) -> None:
        self.rebind()
        if self._inside is not None:
            self._inside.close()
            self._inside = None


class _Outside:
    """One mapping of the NAT."""

    def __init__(self, relay: Address, on_data: Callable[[bytes], None]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(relay)
        self._on_data = on_data
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        for _ in range(32):
            try:
                self._on_data(self._socket.recv(2048))
            except OSError:
                return

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


class _Inside(asyncio.DatagramProtocol):
    def __init__(self, on_data: Callable[[bytes, Address], None]) -> None:
        self._on_data = on_data

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._on_data(data, (str(addr[0]), addr[1]))
