"""Packets of a layer in the order of their outgoing numbers; a gap waits for repair, for a bounded time."""

from __future__ import annotations

from typing import NamedTuple

from media.packets.sequence import Kept

PATIENCE = 1.4
"""Seconds a gap waits: a little more than `media.packets.sequence` goes on asking for what is missing."""
MOST_WAITING = 2048


class Ordered(NamedTuple):
    """A packet in its place; `after_loss` where something before it never came."""

    kept: Kept
    at: float
    """When it arrived, monotonic seconds."""
    after_loss: bool


class Reordering:
    """Holds packets behind a gap back until it is filled or given up."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, tuple[Kept, float]] = {}
        self._gap_since = 0.0
        self._lost = False

    def put(self, kept: Kept, at: float) -> list[Ordered]:
        """Takes a packet; the packets that are due now."""
        if self._next is None:
            self._next = kept.number
        if kept.number == self._next and not self._waiting:
            self._next += 1
            return [self._ordered(kept, at)]
        if kept.number < self._next or kept.number in self._waiting:
            return []
        if not self._waiting:
            self._gap_since = at
        self._waiting[kept.number] = (kept, at)
        return self.due(at)

    def due(self, now: float) -> list[Ordered]:
        """What follows without a gap, and what lies behind gaps that waited long enough."""
        found: list[Ordered] = []
        while self._waiting:
            assert self._next is not None
            following = self._waiting.pop(self._next, None)
            if following is not None:
                found.append(self._ordered(*following))
                self._next += 1
                continue
            if found:
                self._gap_since = now  # another gap than the one that was just closed
            if now - self._gap_since < PATIENCE and len(self._waiting) <= MOST_WAITING:
                break
            self._next, self._lost = min(self._waiting), True
        return found

    def _ordered(self, kept: Kept, at: float) -> Ordered:
        lost, self._lost = self._lost, False
        return Ordered(kept, at, lost)
