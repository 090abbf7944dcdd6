"""The windows of lead schools that ring alike, as bits: who is free in which of them is one ``and`` a window."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.problem import ALL_WEEKS, EVEN, ODD, School, SchoolCode, Slot
from scheduler.windows import Grid, Mask, Window, periods_touched

Bits = int
"""A set of windows of one bell, a bit a window."""


def bits_of(bits: Bits) -> Iterator[int]:
    """The positions of the ones."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


class Bell:
    """The windows of all lead schools that share one bell table.

    A *relaxed* bell has one window a period in place of all that lie in it: it is open where any of them is, and it holds
    only the minutes that all of them have in common. What cannot be done with it cannot be done at all.
    """

    def __init__(self, grid: Grid, school: SchoolCode, relaxed: bool = False) -> None:
        problem = grid.problem
        self.slots: list[Slot] = []
        self.masks: list[Mask] = []
        self.inside: list[tuple[Slot, ...]] = []
        """The windows that a window stands for: itself, or all of its period."""
        self.full: Bits = 0
        """Windows as long as their period, where a synchronous meeting may stand."""
        self.short: Bits = 0
        """Windows of least length, for meetings of the teacher's free time."""
        self.alike: list[list[int]] = []
        """Windows of one period and one kind of weeks."""
        for weekday, periods in sorted(problem.schools[school].periods.items()):
            for period in periods:
                for weeks in (ALL_WEEKS, ODD, EVEN):
                    add = self._add_core if relaxed else self._add
                    add(grid, Slot(weekday, *period, weeks), grid.windows[school, weekday, period])
        self._exact = not relaxed
        self._variants = [tuple(grid.mask(slot) for slot in inside) for inside in self.inside]
        self.index = {slot: number for number, slot in enumerate(self.slots)}
        self.all_weeks: Bits = sum(1 << number for number, slot in enumerate(self.slots) if slot.weeks == ALL_WEEKS)
        self.half: dict[int, tuple[int, ...]] = {}
        for number, slot in enumerate(self.slots):
            if slot.weeks == ALL_WEEKS:
                self.half[number] = tuple(self.index[slot._replace(weeks=weeks)] for weeks in (ODD, EVEN))

    def _add(self, grid: Grid, period: Slot, windows: tuple[Window, ...]) -> None:
        alike = []
        slots = [period._replace(start=start, end=end) for start, end in windows]
        for slot in slots:
            self.short |= 1 << len(self.slots)
            alike.append(len(self.slots))
            if slot == period:
                self.full |= 1 << len(self.slots)
            self.slots.append(slot)
        if period not in slots:
            self.full |= 1 << len(self.slots)
            slots.append(period)
            self.slots.append(period)
        self.masks.extend(grid.mask(slot) for slot in slots)
        self.inside.extend((slot,) for slot in slots)
        self.alike.append(alike)

    def _add_core(self, grid: Grid, period: Slot, windows: tuple[Window, ...]) -> None:
        slots = [period._replace(start=start, end=end) for start, end in windows]
        core = grid.mask(period)
        for slot in slots:
            core &= grid.mask(slot)
        self.alike.append([len(self.slots)])
        self.full |= 1 << len(self.slots)
        self.short |= 1 << len(self.slots)
        self.slots.append(period)
        self.masks.append(core)
        self.inside.append((*slots, period))

    def open_to(self, busy: Mask) -> Bits:
        """The windows in which nothing of `busy` lies."""
        opened: Bits = 0
        for number, mask in enumerate(self.masks):
            if not mask & busy and (self._exact or any(not one & busy for one in self._variants[number])):
                opened |= 1 << number
        return opened

    def core(self, number: int, busy: Mask) -> Mask | None:
        """The minutes that all windows free of `busy`, of those that a window stands for, have in common; None where none is free.

        The outermost windows of a gap between two busy times are among them, so longer ones and those between hold these minutes too.
        """
        variants = self._variants[number]
        if not variants[-1] & busy:  # the whole period
            return self.masks[number]
        common: Mask | None = None
        for one in variants:
            if not one & busy:
                common = one if common is None else common & one
        return common

    def touching(self, receiver: School) -> tuple[Bits, Bits]:
        """H5: the windows that cover parts of one or two periods of a receiving school, and those of them that may cover two."""
        fits: Bits = 0
        two: Bits = 0
        for number, inside in enumerate(self.inside):
            touched = [periods_touched(receiver, slot) for slot in inside]
            if min(touched) <= 2 and max(touched) >= 1:
                fits |= 1 << number
                two |= (max(touched) >= 2) << number
        return fits, two
