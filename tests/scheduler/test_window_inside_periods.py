"""H5: the minutes of a meeting."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Community, Policy, TeacherCode
from scheduler.rules.window import WindowInsidePeriods as Rule
from tests.scheduler.small import MUSIC, WEAK, broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_a_period_and_forty_minutes_of_a_longer_one_are_fine() -> None:
    assert broken(Rule, county(), meeting(), meeting(2, 603, 643)) == []


def test_a_window_across_two_lead_periods_is_not() -> None:
    assert broken(Rule, county(), meeting(2, 500, 540)) == ["rule_h5_outside"]


def test_a_short_window_is_not() -> None:
    assert broken(Rule, county(), meeting(2, 480, 519)) == ["rule_h5_short"]


def test_a_short_period_is_long_enough_for_itself() -> None:
    problem = county(policy=replace(Policy(), min_common_minutes=60))
    assert broken(Rule, problem, meeting()) == []


def test_three_periods_of_a_receiver_are_too_many_and_none_too_few() -> None:
    problem = county()
    for periods in (((470, 490), (495, 505), (510, 525)), ((600, 640),)):
        odd = replace(problem.schools[WEAK], periods={2: periods})
        assert broken(Rule, replace(problem, schools={**problem.schools, WEAK: odd}), meeting()) == ["rule_h5_touches"]


def test_a_community_lasts_as_long_as_it_says() -> None:
    community = Community("C", MUSIC, TeacherCode("TL"), (TeacherCode("TW"),), length=60)
    problem = county(communities=(community,))
    held = meeting(2, 700, 760, classes=[], family="master", ref="C", members=(TeacherCode("TW"),))
    assert broken(Rule, problem, held) == []
    assert broken(Rule, problem, replace(held, slot=held.slot._replace(end=759))) == ["rule_h5_community"]
