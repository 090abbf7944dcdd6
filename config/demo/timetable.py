"""Plausible weekly timetables for the made-up schools: lessons are placed one by one, and pushed aside where nothing else helps."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

Slot = tuple[int, int]
"""Weekday 1 to 5, period from 1."""
MAIN = frozenset({"chinese", "maths", "english", "physics", "chemistry"})


@dataclass(frozen=True)
class Unit:
    """One weekly lesson of a class."""

    group: str
    subject: str
    teacher: str


class Timetable:
    """The week of one school, while it is being filled."""

    def __init__(
        self, slots: Sequence[Slot], random: Random, away: dict[str, set[Slot]], free_afternoons: bool
    ) -> None:
        self.free_afternoons = free_afternoons
        self.slots, self.random, self.away = list(slots), random, away
        self.by_group: dict[tuple[str, Slot], Unit] = {}
        self.by_teacher: dict[tuple[str, Slot], Unit] = {}
        self.per_day: Counter[tuple[str, str, int]] = Counter()

    def fill(self, units: Iterable[Unit]) -> dict[tuple[str, Slot], Unit]:
        """(class, slot) → its lesson. Raises `RuntimeError` where the week is too small."""
        units = list(units)
        load = Counter(unit.teacher for unit in units)
        self.random.shuffle(units)
        units.sort(key=lambda unit: -load[unit.teacher])
        queue = deque(units)
        for _ in range(60 * len(units)):
            if not queue:
                return self.by_group
            unit = queue.popleft()
            slot = min(self.slots, key=lambda slot: self._cost(unit, slot))
            for pushed in dict.fromkeys(
                (self.by_group.get((unit.group, slot)), self.by_teacher.get((unit.teacher, slot)))
            ):
                if pushed is not None:
                    self._take_out(pushed, slot)
                    queue.append(pushed)
            self._put_in(unit, slot)
        raise RuntimeError("the week is too small for these lessons")

    def _cost(self, unit: Unit, slot: Slot) -> float:
        weekday, period = slot
        cost = self.random.random() * 2
        if slot in self.away.get(unit.teacher, ()):
            cost += 1000
        cost += 30 * ((unit.group, slot) in self.by_group) + 30 * ((unit.teacher, slot) in self.by_teacher)
        cost += 4 * self.per_day[unit.group, unit.subject, weekday]
        if unit.subject in MAIN and period > 4:
            cost += 1.5
        if self.free_afternoons and period >= 4:
            cost += 1.2
        return cost

    def _put_in(self, unit: Unit, slot: Slot) -> None:
        self.by_group[unit.group, slot] = unit
        self.by_teacher[unit.teacher, slot] = unit
        self.per_day[unit.group, unit.subject, slot[0]] += 1

    def _take_out(self, unit: Unit, slot: Slot) -> None:
        del self.by_group[unit.group, slot]
        del self.by_teacher[unit.teacher, slot]
        self.per_day[unit.group, unit.subject, slot[0]] -= 1
