"""W2: the lessons of one need lie apart."""

from __future__ import annotations

from scheduler.problem import EVEN, ODD
from scheduler.wishes.days import DaysApart
from tests.scheduler.small import county, meeting, wished


def test_nothing_is_close() -> None:
    assert wished(DaysApart, county()) == []


def test_a_day_between_is_enough() -> None:
    assert wished(DaysApart, county(), meeting(1), meeting(3), meeting(5)) == []


def test_neighbouring_days_count_a_pair_each() -> None:
    (cause,) = wished(DaysApart, county(), meeting(2), meeting(3), meeting(4), meeting(1, classes=["W4"]))
    assert cause.count == 2
    assert cause.meetings == ("M2-480-3-W3a", "M3-480-3-W3a", "M4-480-3-W3a")


def test_one_day_is_as_close() -> None:
    assert [cause.count for cause in wished(DaysApart, county(), meeting(2), meeting(2, 530, 570))] == [1]


def test_odd_and_even_weeks_are_apart() -> None:
    assert wished(DaysApart, county(), meeting(2, weeks=ODD), meeting(3, weeks=EVEN)) == []


def test_two_needs_of_one_meeting_count_twice() -> None:
    both = [meeting(day, classes=["W3a", "W3b"]) for day in (2, 3)]
    assert [cause.count for cause in wished(DaysApart, county(), *both)] == [1, 1]
