"""ICE-lite (RFC 8445 §2.5) for every session of the relay on one port.

An address belongs to a session only after a connectivity check from it that was signed with the session's password.
Everything else from an unproved address is counted and dropped: it reaches neither DTLS nor SRTP.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass

from media.wire import stun
from media.wire.strays import Strays
from media.wire.stun import Address

MOST_ADDRESSES = 8
"""Proved addresses of one session; the oldest makes room."""
QUIET = 3.0
"""Seconds without a check on the selected address after which a check elsewhere moves the session, nominated or not."""


MOST_REMEMBERED = 2000
"""Checks that fill a filter of `Transactions`: of an hour and a half, as a browser makes them."""
_FILTER_OCTETS = 4096
_WORDS = struct.Struct("!4H4x")
"""Four of a transaction id's random words, 15 bits of which name a bit of the filter each."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the peer must show: the user fragment names the session, the password signs."""

    fragment: str
    password: str

    @classmethod
    def fresh(cls) -> Credentials:
        """New ones: 64 and 144 random bits."""
        return cls(secrets.token_hex(8), secrets.token_hex(18))


class Transactions:
    """Which checks came before: whoever sends a copy of one from elsewhere has not proved that it is the peer.

    Two Bloom filters; the older is forgotten when the younger is full. None of the last `MOST_REMEMBERED` passes for new, and at
    most one new one in two hundred for old: the next check, some seconds later, does what it would have done.
    """

    def __init__(self) -> None:
        self._young, self._old = bytearray(_FILTER_OCTETS), b""
        self._noted = 0

    def fresh(self, transaction: bytes) -> bool:
        """Notes the transaction (12 octets, RFC 8489 §5); False where it was noted before."""
        bits = [(word >> 3 & _FILTER_OCTETS - 1, 1 << (word & 7)) for word in _WORDS.unpack(transaction)]
        if any(kept and all(kept[at] & bit for at, bit in bits) for kept in (self._young, self._old)):
            return False
        if self._noted == MOST_REMEMBERED:
            self._old, self._young, self._noted = bytes(self._young), bytearray(_FILTER_OCTETS), 0
        for at, bit in bits:
            self._young[at] |= bit
        self._noted += 1
        return True


class Agent:
    """ICE of one session: its credentials, the addresses it has proved, and the one in use."""

    def __init__(
        self,
        *,
        on_dtls: Callable[[bytes], None],
        on_media: Callable[[bytes], None],
        on_moved: Callable[[], None],
        now: float,
    ) -> None:
        self.on_dtls, self.on_media, self._on_moved = on_dtls, on_media, on_moved
        self.credentials = Credentials.fresh()
        self.previous: Credentials | None = None
        """Valid during an ICE restart, until the new ones are used."""
        self.selected: Address | None = None
        self.addresses: list[Address] = []
        self.ready = asyncio.Event()
        self.heard_at = now
        """When an authentic packet last came."""
        self._checked_at = now
        self.transactions = Transactions()

    def restart(self) -> None:
        """New credentials; the ones that the peer proved stay good until it proves the new."""
        self.previous, self.credentials = self.previous or self.credentials, Credentials.fresh()

    def proved(self, address: Address, *, nominated: bool, now: float) -> Address | None:
        """Notes an authentic check from the address; returns the address that made room, if any."""
        self.heard_at = now
        dropped = None
        if address not in self.addresses:
            self.addresses.append(address)
            if len(self.addresses) > MOST_ADDRESSES:
                dropped = next(a for a in self.addresses if a != self.selected)
                self.addresses.remove(dropped)
        if address == self.selected:
            self._checked_at = now
        elif self.selected is None or nominated or now - self._checked_at > QUIET:
            self.selected, self._checked_at = address, now
            self.ready.set()
            self._on_moved()
        return dropped


class Switchboard:
    """Hands each datagram of the port to the session it belongs to."""

    def __init__(self, send: Callable[[bytes, Address], bool], monotonic: Callable[[], float]) -> None:
        self._send, self._monotonic = send, monotonic
        self._by_fragment: dict[str, Agent] = {}
        self._by_address: dict[Address, Agent] = {}
        self.stray = 0
        self.refused_checks = 0
        self.strays = Strays()

    def add(self, agent: Agent) -> None:
        """From now on checks with the agent's credentials are answered."""
        self._by_fragment[agent.credentials.fragment] = agent

    def remove(self, agent: Agent) -> None:
        """Forgets the agent's credentials and addresses; another session's are not touched."""
        for credentials in (agent.credentials, agent.previous):
            if credentials is not None:
                self._by_fragment.pop(credentials.fragment, None)
        for address in agent.addresses:
            if self._by_address.get(address) is agent:
                del self._by_address[address]

    def replace_credentials(self, agent: Agent) -> None:
        """ICE restart: announces new credentials, and drops those of an earlier, unfinished restart."""
        if agent.previous is not None:
            self._by_fragment.pop(agent.credentials.fragment, None)
        agent.restart()
        self.add(agent)

    def datagram(self, data: bytes, address: Address) -> None:
        """Takes any datagram from anywhere. First bytes as in RFC 7983."""
        if not data:
            self._stray(address)
            return
        first = data[0]
        if first < 4:
            self._check(data, address)
            return
        agent = self._by_address.get(address)
        if agent is None:
            self._stray(address)
        elif 128 <= first < 192:
            agent.on_media(data)
        elif 20 <= first < 64:
            agent.on_dtls(data)
        else:
            self._stray(address)

    def _stray(self, address: Address) -> None:
        self.stray += 1
        self.strays.note(address)

    def _refuse(self, address: Address) -> None:
        self.refused_checks += 1
        self.strays.note(address)

    def _check(self, data: bytes, address: Address) -> None:
        binding = stun.parse(data)
        agent = self._by_fragment.get(binding.addressee) if binding is not None else None
        if binding is None or agent is None or binding.kind != stun.REQUEST:
            self._refuse(address)
            return
        credentials = agent.credentials
        if agent.previous is not None and binding.addressee == agent.previous.fragment:
            credentials = agent.previous
        if not binding.authentic(credentials.password):
            self._refuse(address)
            return
        now = self._monotonic()
        owner = self._by_address.get(address)
        if owner is not None and owner is not agent and now - owner.heard_at < QUIET:
            self._refuse(address)  # a source address can be forged: a live session keeps its own
            return
        fresh = agent.transactions.fresh(binding.transaction)
        if not fresh and address not in agent.addresses:
            self._refuse(address)  # a copy of what was read on the way
            return
        self._send(stun.response(binding.transaction, address, credentials.password), address)
        if not fresh:
            return  # its answer was lost
        self._by_address[address] = agent
        if credentials is agent.credentials and agent.previous is not None:
            self._by_fragment.pop(agent.previous.fragment, None)
            agent.previous = None
        dropped = agent.proved(address, nominated=binding.use_candidate, now=now)
        if dropped is not None and self._by_address.get(dropped) is agent:
            del self._by_address[dropped]
