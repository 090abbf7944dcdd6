"""One sequence space for all subscribers: numbering anew, what is missing upstream, and the ring of what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from media.rtp import unwrap

LARGEST_GAP = 512
"""A jump beyond this is a new beginning, not a loss."""
MOST_MISSING = 1024
FIRST_NACK = 0.02
"""Seconds a packet may be late by reordering before it is asked for again."""
NEXT_NACK = 0.1
GIVE_UP = 1.2


@dataclass(slots=True)
class _Missing:
    out: int
    since: float
    due: float


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

    def place(self, sequence: int, *, padding: bool, now: float) -> int | None:
        """The outgoing extended number for an incoming 16-bit one; None for a duplicate, a stray or padding."""
        if self.highest is None:
            self.highest = sequence
            return None if padding else self._take()
        number = unwrap(sequence, self.highest)
        if number <= self.highest:
            late = self._missing.pop(number, None)
            return late.out if late is not None else None
        gap = number - self.highest - 1
        if gap <= LARGEST_GAP:
            for missing in range(self.highest + 1, number):
                self._missing[missing] = _Missing(self._take(), now, now + FIRST_NACK)
            while len(self._missing) > MOST_MISSING:
                self._missing.pop(next(iter(self._missing)))
                self.lost += 1
        self.highest = number
        return None if padding else self._take()

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
            elif missing.due <= now:
                missing.due = now + NEXT_NACK
                wanted.append(number & 0xFFFF)
        return wanted[:256]


class Kept(NamedTuple):
    """A packet as it was sent."""

    number: int
    marker: int
    timestamp: int
    payload: bytes


class Ring:
    """The last packets sent, by outgoing number; `size` is a power of two."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._mask = size - 1
        self._kept: list[Kept | None] = [None] * size

    def put(self, kept: Kept) -> None:
        """Keeps a packet in place of the one `size` numbers before it."""
        self._kept[kept.number & self._mask] = kept

    def get(self, number: int) -> Kept | None:
        """The packet with this extended number, where it is still kept."""
        kept = self._kept[number & self._mask]
        return kept if kept is not None and kept.number == number else None
