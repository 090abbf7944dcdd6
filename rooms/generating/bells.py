"""Bell tables that differ between schools: by the start of the day, the long break, the noon rest, the periods, and on Fridays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rooms.county import Bell


@dataclass(frozen=True, slots=True)
class Family:
    """How the schools of one valley ring: minutes since midnight, lengths in minutes."""

    code: str
    first: int
    noon: int
    periods: tuple[int, ...]
    """Lengths of the first, second … period of each half day."""
    long_break: int
    """After the second period."""
    earlier_on_friday: int = 0
    """Minutes that the afternoon begins earlier on Fridays."""


FAMILIES = {
    "primary": (
        Family("PA", 495, 840, (40, 40, 40, 40), 20),
        Family("PB", 510, 865, (40, 40, 45, 40), 30, 30),
        Family("PC", 480, 835, (40, 40, 40, 40), 25),
        Family("PD", 520, 785, (40, 40, 45, 40), 25),
    ),
    "junior": (
        Family("JA", 480, 840, (45, 45, 45, 45), 20),
        Family("JB", 490, 870, (45, 45, 45, 45), 25),
        Family("JC", 505, 845, (45, 45, 45, 45), 30, 30),
    ),
}
LIKELY = {"primary": (5, 3, 2, 1), "junior": (4, 2, 1)}
SHORT_BREAK = 10
FRIDAY = 5


def bell_code(family: Family, halves: tuple[int, int]) -> str:
    """``PA-4+3``: the family, and the periods before and after noon."""
    return f"{family.code}-{halves[0]}+{halves[1]}"


def table(family: Family, halves: tuple[int, int]) -> Iterator[Bell]:
    """Every teaching period from Monday to Friday."""
    code = bell_code(family, halves)
    for weekday in range(1, 6):
        afternoon = family.noon - (family.earlier_on_friday if weekday == FRIDAY else 0)
        windows = [("上午", *w) for w in _half_day(family, family.first, halves[0])]
        windows += [("下午", *w) for w in _half_day(family, afternoon, halves[1])]
        for number, (half, place, start, end) in enumerate(windows, 1):
            yield Bell(code, weekday, str(number), start, end, f"{half}第{place}节")


def _half_day(family: Family, start: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each period; the long break is that of the morning."""
    for place in range(count):
        end = start + family.periods[place]
        yield place + 1, start, end
        long = place == 1 and start < 720
        start = end + (family.long_break if long else SHORT_BREAK)
