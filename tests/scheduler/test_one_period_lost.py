"""W6: a lesson costs its receivers one period, not two."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Problem, School
from scheduler.wishes.periods import OnePeriodLost
from tests.scheduler.small import OTHER, county, meeting, wished


def late_bell() -> Problem:
    """The other school's periods begin twenty minutes later: the lead school's first lies across nothing, its second across two."""
    plain = county()
    periods = dict.fromkeys(range(1, 6), ((500, 540), (550, 590)))
    return replace(plain, schools={**plain.schools, OTHER: School(OTHER, False, True, periods)})


def test_nothing_costs_nothing() -> None:
    assert wished(OnePeriodLost, county()) == []


def test_one_period_is_what_a_lesson_costs() -> None:
    assert wished(OnePeriodLost, late_bell(), meeting(2), meeting(2, classes=["V3"])) == []


def test_each_class_that_loses_two_counts() -> None:
    (cause,) = wished(OnePeriodLost, late_bell(), meeting(2, 530, 570, classes=["V3", "W3a"], code="M1"))
    assert (cause.count, cause.facts["classes"], cause.meetings) == (1, ("V3",), ("M1",))
