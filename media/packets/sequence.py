"""One sequence space for all subscribers: numbering anew, what is missing upstream, and the ring of what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from media.packets.rtp import unwrap

LARGEST_GAP = 512
"""A jump beyond this is a new beginning, not a loss."""
MOST_MISSING = 1024
"""Gaps kept open at once; the oldest beyond them is given up."""
FIRST_NACK = 0.02
"""Seconds a packet may be late by reordering before it is asked for again."""
NEXT_NACK = 0.1
"""Seconds until it is asked for once more, where nothing is known of the publisher's line; else a round trip and a quarter."""
LONGEST_NACK = 0.5
"""But never more than so many seconds: the question itself may be lost."""
GIVE_UP = 1.2
"""Seconds after which a missing packet is of no use any more: receivers have gone on without it."""
MOST_ASKED = 256
"""Packets asked for in one NACK, which so takes a kilobyte at most."""


@dataclass(slots=True)
class _Missing:
    out: int
    since: float
    due: float
    asked: float | None = None
    """When it was first asked for."""


class Renumbering:
    """Gives packets their outgoing numbers. A gap keeps its numbers for the packets that may still come; a packet that
    only pads takes none, so that receivers see no loss where a publisher probes its bandwidth."""

    def __init__(self, next_out: int) -> None:
        self.next_out = next_out
        self.highest: int | None = None
        """Extended highest number from the publisher."""
        self.lost = 0
        """Packets given up."""
        self._missing: dict[int, _Missing] = {}
        self._next_nack = NEXT_NACK

    def place(self, sequence: int, *, padding: bool, now: float) -> int | None:
        """The outgoing extended number for an incoming 16-bit one; None for a duplicate, a stray or padding."""
        if self.highest is None:
            self.highest = sequence
            return None if padding else self._take()
        number = unwrap(sequence, self.highest)
        if number <= self.highest:
            late = self._missing.pop(number, None)
            if late is None:
                return None
            if late.asked is not None:
                self._answered(now - late.asked)
            return late.out
        gap = number - self.highest - 1
        if gap <= LARGEST_GAP:
            for missing in range(self.highest + 1, number):
                self._missing[missing] = _Missing(self._take(), now, now + FIRST_NACK)
            while len(self._missing) > MOST_MISSING:
                self._missing.pop(next(iter(self._missing)))
                self.lost += 1
        self.highest = number
        return None if padding else self._take()

    def _answered(self, seconds: float) -> None:
        """A publisher far away is not asked three times before its first answer can be here."""
        wanted = min(LONGEST_NACK, max(NEXT_NACK / 2, 1.25 * seconds))
        self._next_nack += (wanted - self._next_nack) / 4

    def _take(self) -> int:
        out = self.next_out
        self.next_out += 1
        return out

    def due(self, now: float) -> list[int]:
        """The 16-bit incoming numbers to ask the publisher for again now; forgets what is too late to be of use."""
        if not self._missing:
            return []
        wanted: list[int] = []
        for number, missing in list(self._missing.items()):
            if now - missing.since > GIVE_UP:
                del self._missing[number]
                self.lost += 1
            elif missing.due <= now and len(wanted) < MOST_ASKED:
                missing.due = now + self._next_nack
                missing.asked = missing.asked or now
                wanted.append(number & 0xFFFF)
        return wanted


class Kept(NamedTuple):
    """A packet as it was sent."""

    number: int
    marker: int
    timestamp: int
    payload: bytes


class Ring:
    """The last packets sent, by outgoing number; `size` is a power of two. It keeps plain tuples: those of numbers and octets
    are no burden on collections of garbage, and thirty classes have forty thousand of them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._mask = size - 1
        self._kept: list[tuple[int, int, int, bytes] | None] = [None] * size

    def put(self, kept: Kept) -> None:
        """Keeps a packet in place of the one `size` numbers before it."""
        self._kept[kept[0] & self._mask] = (*kept,)

    def clear(self) -> None:
        """Keeps nothing any more."""
        self._kept = [None] * self.size

    def get(self, number: int) -> Kept | None:
        """The packet with this extended number, where it is still kept."""
        kept = self._kept[number & self._mask]
        return Kept._make(kept) if kept is not None and kept[0] == number else None
