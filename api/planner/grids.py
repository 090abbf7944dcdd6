"""Weeks as pages draw them: columns of days, blocks to the minute, blocks that overlap side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Generic, TypeVar

from rooms.planning.timetable import Period

E = TypeVar("E")
MOST_LANES = 8
FIRST, LAST = 6 * 60, 22 * 60 + 30
"""The minutes of the day that ``minutes.css`` has classes for."""


@dataclass(frozen=True, slots=True)
class Block(Generic[E]):
    """A window with what it shows; `lane` of `lanes` side by side, the first is 1."""

    start: int
    end: int
    entry: E
    lane: int = 1
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Column(Generic[E]):
    """A day. `day` is None in a week that has no dates."""

    weekday: int
    blocks: tuple[Block[E], ...]
    periods: tuple[Period, ...] = ()
    day: date | None = None
    note: str = ""
    off: bool = False
    today: bool = False


@dataclass(frozen=True, slots=True)
class Grid(Generic[E]):
    """A week between two times of day."""

    columns: tuple[Column[E], ...]
    start: int
    end: int

    @property
    def hours(self) -> range:
        """Full hours inside the grid."""
        return range(-(-(self.start + 15) // 60) * 60, self.end, 60)

    @property
    def empty(self) -> bool:
        return not any(column.blocks for column in self.columns)


def grid(columns: Sequence[Column[E]]) -> Grid[E]:
    """The grid of some days, cut to the half hours that are needed; 8:00 to 16:00 where there is nothing."""
    windows = [(block.start, block.end) for column in columns for block in column.blocks]
    windows += [(period.start, period.end) for column in columns for period in column.periods]
    start = min((start for start, _ in windows), default=8 * 60) // 30 * 30
    end = -(-max((end for _, end in windows), default=16 * 60) // 30) * 30
    return Grid(tuple(columns), max(FIRST, start), min(LAST, end))


def side_by_side(blocks: Iterable[Block[E]]) -> tuple[Block[E], ...]:
    """Gives overlapping blocks lanes of their own, and all of one overlapping group the same number of lanes."""
    placed: list[Block[E]] = []
    for _, group in groupby(_numbered(sorted(blocks, key=lambda b: (b.start, b.end))), key=lambda pair: pair[0]):
        some = _laned([block for _, block in group])
        width = max(block.lane for block in some)
        placed.extend(replace(block, lanes=width) for block in some)
    return tuple(placed)


def _numbered(blocks: Iterable[Block[E]]) -> Iterable[tuple[int, Block[E]]]:
    """Numbers groups: a block belongs to the group whose latest end it begins before."""
    number, until = 0, -1
    for block in blocks:
        if block.start >= until:
            number += 1
        until = max(until, block.end)
        yield number, block


def _laned(blocks: Sequence[Block[E]]) -> list[Block[E]]:
    ends: list[int] = []
    found = []
    for block in blocks:
        lane = next((i for i, end in enumerate(ends) if end <= block.start), len(ends))
        lane = min(lane, MOST_LANES - 1)
        ends[lane : lane + 1] = [block.end]
        found.append(replace(block, lane=lane + 1))
    return found
