"""A bad line between a peer and the relay: a UDP proxy in the place of a school's router, where no kernel netem is needed.

Each peer gets an address of its own at the relay's side, as behind a NAT, and may lose it. What happens to a datagram is drawn
from seeded generators, one for each direction.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a line does to datagrams in one direction. Shares are between 0 and 1, times in seconds."""

    loss: float = 0.0
    """Share lost, each by itself."""
    bursts: tuple[float, float] | None = None
    """Gilbert-Elliott: the chance at each datagram that a bad spell begins, and that it ends. In it everything is lost."""
    delay: float = 0.0
    jitter: float = 0.0
    """Standard deviation of the delay. Order is kept but for `reorder`."""
    reorder: float = 0.0
    """Share that overtakes all that is under way."""
    duplicate: float = 0.0
    rate: float = 0.0
    """Bits a second; 0: no limit."""
    queue: float = 1.0
    """Seconds of traffic that wait at the rate limit; the rest is dropped."""


class Direction:
    """Decides when a datagram arrives. Knows no clock and no socket."""

    def __init__(self, impairment: Impairment, seed: int) -> None:
        self.impairment = impairment
        self.tally: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._bad = False
        self._free = self._last = 0.0

    def arrivals(self, size: int, now: float) -> list[float]:
        """When each copy of a datagram of so many bytes, sent now, arrives; none where it is lost."""
        self.tally["sent"] += 1
        if self._is_lost():
            self.tally["lost"] += 1
            return []
        copies = 2 if self._chance.random() < self.impairment.duplicate else 1
        times = [at for _ in range(copies) if (at := self._passes(size, now)) is not None]
        self.tally["arrived"] += len(times)
        return times

    def backlog(self, now: float) -> float:
        """Seconds of traffic that wait at the rate limit."""
        return max(0.0, self._free - now)

    def _is_lost(self) -> bool:
        if self.impairment.bursts is not None:
            begins, ends = self.impairment.bursts
            self._bad = self._chance.random() >= ends if self._bad else self._chance.random() < begins
            if self._bad:
                return True
        return self._chance.random() < self.impairment.loss

    def _passes(self, size: int, now: float) -> float | None:
        how, start = self.impairment, now
        if how.rate:
            start = max(now, self._free)
            if start - now > how.queue:
                self.tally["queue full"] += 1
                return None
            self._free = start = start + size * 8 / how.rate
        at = start + max(0.0, self._chance.gauss(how.delay, how.jitter) if how.jitter else how.delay)
        if self._chance.random() < how.reorder:
            return start
        self._last = at = max(at, self._last + 1e-6)  # timers of the same moment keep no order
        return at


class BadLine:
    """The proxy. `there` and `back` are towards the relay and from it; `loss` and `delay` set both alike."""

    def __init__(
        self,
        relay: Address,
        there: Impairment | None = None,
        back: Impairment | None = None,
        *,
        loss: float = 0.0,
        delay: float = 0.0,
        seed: int = 1,
    ) -> None:
        both = Impairment(loss=loss, delay=delay)
        self.there = Direction(there or both, 2 * seed)
        self.back = Direction(back or there or both, 2 * seed + 1)
        self.cut = False
        """Nothing passes while this is so."""
        self._relay = relay
        self._inside: asyncio.DatagramTransport | None = None
        self._outside: dict[Address, _Outside] = {}
        self._under_way: set[asyncio.TimerHandle] = set()
        self.port = 0
        self.gaps: list[float] = []
        """Seconds from each `rebind` until the relay's media came to a new mapping."""
        self._rebound_at: float | None = None

    async def start(self) -> None:
        """Opens the port that peers use in place of the relay's."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Inside(self._from_peer), local_addr=("127.0.0.1", 0)
        )
        self._inside = transport
        self.port = transport.get_extra_info("sockname")[1]

    def through(self, sdp: str) -> str:
        """The relay's answer with this line's port in its candidates."""
        return sdp.replace(f" {self._relay[1]} typ host", f" {self.port} typ host")

    def become(self, **changes: Any) -> None:
        """Changes the impairment of both directions."""
        for direction in (self.there, self.back):
            direction.impairment = replace(direction.impairment, **changes)

    def _from_peer(self, data: bytes, peer: Address) -> None:
        self._send(self.there, data, lambda: self._carry_out(data, peer))

    def _from_relay(self, data: bytes, peer: Address) -> None:
        if self._rebound_at is not None and 128 <= data[0] < 192 and not 192 <= data[1] <= 223:
            self.gaps.append(asyncio.get_running_loop().time() - self._rebound_at)
            self._rebound_at = None
        self._send(self.back, data, lambda: self._carry_in(data, peer))

    def _send(self, direction: Direction, data: bytes, deliver: Callable[[], None]) -> None:
        if self.cut:
            return
        loop = asyncio.get_running_loop()
        for at in direction.arrivals(len(data), loop.time()):
            self._deliver_at(at, deliver)

    def _deliver_at(self, at: float, deliver: Callable[[], None]) -> None:
        def arrive() -> None:
            self._under_way.discard(timer)
            deliver()

        timer = asyncio.get_running_loop().call_at(at, arrive)
        self._under_way.add(timer)

    def _carry_out(self, data: bytes, peer: Address) -> None:
        if self._inside is None:
            return
        if peer not in self._outside:
            self._outside[peer] = _Outside(self._relay, lambda back: self._from_relay(back, peer))
        self._outside[peer].send(data)

    def _carry_in(self, data: bytes, peer: Address) -> None:
        if self._inside is not None:
            self._inside.sendto(data, peer)

    def rebind(self) -> None:
        """The NAT forgets its mappings: every peer gets a new address with its next packet."""
        self._rebound_at = asyncio.get_running_loop().time()
        for mapping in self._outside.values():
            mapping.close()
        self._outside.clear()

    def close(self) -> None:
        """Frees the ports; what is under way is lost."""
        self.rebind()
        for timer in self._under_way:
            timer.cancel()
        self._under_way.clear()
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
        for _ in range(64):
            try:
                self._on_data(self._socket.recv(2048))
            except OSError:
                return

    def send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError:  # nobody listens at the relay's port
            return

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


class _Inside(asyncio.DatagramProtocol):
    def __init__(self, on_data: Callable[[bytes, Address], None]) -> None:
        self._on_data = on_data

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._on_data(data, (str(addr[0]), addr[1]))
