"""The installed FET, on a real file."""

from __future__ import annotations

import pytest

from rooms.benching.fet import by_fet, fet_version, place
from rooms.generating import generated
from rooms.planning.problem import problem_of
from scheduler.fet.activities import Activities
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.windows import Grid

pytestmark = pytest.mark.skipif(fet_version() is None, reason="fet-cl is not installed")


@pytest.fixture(scope="module")
def offers() -> Offers:
    problem = problem_of(generated(1, "small"))
    return Offers(problem, Grid(problem))


def test_fet_places_what_the_greedy_placed(offers: Offers) -> None:
    base = Activities(plain_greedy(offers)).placed
    placed = place(offers, base, 10.0, 1)
    assert placed.whole
    assert placed.hours.keys() == {activity.number for activity in base}
    assert all(placed.hours[activity.number] in activity.spots for activity in base)


def test_better_boards_are_told_on_the_way(offers: Offers) -> None:
    told: list[int] = []
    found = by_fet(offers, 2.0, 1, told.append)
    assert told == sorted(told)
    assert told[-1] == found.board.weighted > 0.8 * plain_greedy(offers).weighted
    assert found.offered >= found.placed > 0
