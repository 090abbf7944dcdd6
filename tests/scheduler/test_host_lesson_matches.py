"""H4: synchronous meetings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.problem import LessonRow, Meeting, Policy
from scheduler.rules.places import OnePlaceAtATime
from scheduler.rules.synchronous import HostLessonMatches as Rule
from tests.scheduler.small import ART, broken, county, meeting

HOST = LessonRow(1)


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_a_lesson_may_carry_receivers_of_its_grade() -> None:
    synchronous = meeting(1, host_lesson=HOST)
    assert broken(Rule, county(), synchronous) == []
    assert broken(OnePlaceAtATime, county(), synchronous) == []


@pytest.mark.parametrize(
    ("faulty", "why"),
    [
        (meeting(1, host_lesson=LessonRow(7)), "host_unknown"),
        (meeting(1, host_lesson=HOST, classes=["W4"]), "host_other_grade"),
        (meeting(1, 481, 520, host_lesson=HOST), "host_other_window"),
        (meeting(2, host_lesson=HOST), "host_other_window"),
        (meeting(1, host_lesson=HOST, subject=ART), "host_other_subject"),
        (meeting(1, host_lesson=HOST, lead_teacher="TA"), "host_other_teacher"),
        (meeting(1, host_lesson=HOST, family="network"), "host_not_delivery"),
    ],
)
def test_a_lesson_that_does_not_match_may_not(faulty: Meeting, why: str) -> None:
    assert broken(Rule, county(), faulty) == [f"rule_h4_{why}"]


def test_the_policy_may_forbid_it() -> None:
    problem = county(policy=replace(Policy(), allow_synchronous=False))
    assert broken(Rule, problem, meeting(1, host_lesson=HOST)) == ["rule_h4_host_not_allowed"]
