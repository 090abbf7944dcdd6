"""The bad line itself: what it is told to do is what it does, and the same seed does the same."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from media_line import Direction, Impairment

MANY = 20_000


def times(impairment: Impairment, *, seed: int = 1, every: float = 0.001, size: int = 1000) -> list[list[float]]:
    direction = Direction(impairment, seed)
    return [direction.arrivals(size, number * every) for number in range(MANY)]


def test_a_good_line_does_nothing() -> None:
    assert times(Impairment()) == [[pytest.approx(number * 0.001, abs=1e-5)] for number in range(MANY)]


def test_a_seed_is_a_line() -> None:
    bad = Impairment(loss=0.1, bursts=(0.01, 0.3), delay=0.1, jitter=0.02, reorder=0.05, duplicate=0.05)
    assert times(bad, seed=4) == times(bad, seed=4)
    assert times(bad, seed=4) != times(bad, seed=5)


def test_it_loses_doubles_and_delays_as_told() -> None:
    found = times(Impairment(loss=0.2, duplicate=0.1, delay=0.15))
    assert sum(not each for each in found) / MANY == pytest.approx(0.2, abs=0.01)
    assert sum(len(each) == 2 for each in found) / MANY == pytest.approx(0.08, abs=0.01)
    assert all(at == pytest.approx(number * 0.001 + 0.15, abs=1e-4) for number, each in enumerate(found) for at in each)


def test_bursts_lose_several_at_a_time() -> None:
    found = times(Impairment(bursts=(0.02, 0.25)))
    spells = [len(list(run)) for lost, run in groupby(found, key=lambda each: not each) if lost]
    assert sum(spells) / len(spells) == pytest.approx(4, abs=0.4)
    assert sum(spells) / MANY == pytest.approx(0.02 / (0.02 + 0.25), abs=0.015)


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    steady = [each[0] for each in times(Impairment(delay=0.1, jitter=0.03))]
    assert steady == sorted(steady)
    overtaking = [each[0] for each in times(Impairment(delay=0.1, reorder=0.05))]
    assert sum(a > b for a, b in pairwise(overtaking)) / MANY == pytest.approx(0.0475, abs=0.01)


def test_a_narrow_line_queues_and_then_drops() -> None:
    found = times(Impairment(rate=4_000_000, queue=0.5))  # offered twice as much
    came = [each[0] for each in found if each]
    assert len(came) / MANY == pytest.approx(0.5, abs=0.03)
    assert max(at - number * 0.001 for number, each in enumerate(found) for at in each) == pytest.approx(0.5, abs=0.01)
