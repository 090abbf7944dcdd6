"""Common minutes across bell tables, to the minute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.offers import Offers
from scheduler.problem import EVEN, ODD, Policy, Slot, Unavailability
from scheduler.windows import Grid, periods_touched, windows_in
from tests.scheduler.small import OTHER, county


def test_a_period_of_least_length_has_one_window() -> None:
    assert windows_in((480, 520), Policy(), [500, 530]) == ((480, 520),)


def test_a_longer_period_has_windows_where_something_begins_or_ends() -> None:
    assert windows_in((600, 645), Policy(), [603, 641]) == ((600, 640), (601, 641), (603, 643), (605, 645))


def test_a_short_period_is_its_own_window() -> None:
    assert windows_in((600, 630), Policy(), [610]) == ((600, 630),)


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        (Slot(2, 480, 520), Slot(2, 519, 530), True),
        (Slot(2, 480, 520), Slot(2, 520, 530), False),
        (Slot(2, 480, 520), Slot(3, 480, 520), False),
        (Slot(2, 480, 520, ODD), Slot(2, 480, 520, EVEN), False),
        (Slot(2, 480, 520, ODD), Slot(2, 480, 520), True),
    ],
)
def test_masks_meet_exactly_where_slots_clash(one: Slot, two: Slot, meet: bool) -> None:
    problem = county(
        unavailabilities=(Unavailability("teacher", "TW", one), Unavailability("teacher", "TV", two)),
    )
    grid = Grid(problem)
    assert bool(grid.mask(one) & grid.mask(two)) == one.clashes(two) == meet


def test_a_window_may_cover_parts_of_two_periods() -> None:
    school = replace(county().schools[OTHER], periods={2: ((460, 500), (510, 550), (560, 600))})
    assert periods_touched(school, Slot(2, 480, 520)) == 2
    assert periods_touched(school, Slot(2, 500, 510)) == 0


def test_a_receiver_loses_parts_of_two_periods_only_where_both_are_free() -> None:
    problem = county()
    shifted = replace(problem.schools[OTHER], periods=dict.fromkeys(range(1, 6), ((460, 500), (510, 550))))
    problem = replace(problem, schools={**problem.schools, OTHER: shifted})

    def windows(busy: Slot | None) -> set[tuple[int, int, int]]:
        gone = (Unavailability("class", "V3", busy),) if busy else ()
        offers = Offers(replace(problem, unavailabilities=gone), Grid(replace(problem, unavailabilities=gone)))
        number = next(n for n, want in enumerate(offers.wants) if want.school == OTHER)
        slots = [offers.spots[spot].slot for spots in offers.seats[number].values() for spot in spots]
        return {(slot.weekday, slot.start, slot.end) for slot in slots}

    assert (2, 480, 520) in windows(None)
    assert (2, 480, 520) not in windows(Slot(2, 510, 550))
    assert (3, 480, 520) in windows(Slot(2, 510, 550))
