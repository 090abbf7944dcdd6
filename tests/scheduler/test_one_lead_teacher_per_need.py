"""H8: what one need may get."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import EVEN, ODD, Policy, TeacherCode
from scheduler.rules.needs import OneLeadTeacherPerNeed as Rule
from tests.scheduler.small import broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_two_days_of_one_teacher_are_fine() -> None:
    assert broken(Rule, county(), meeting(2), meeting(3)) == []


def test_two_teachers_are_not() -> None:
    assert broken(Rule, county(), meeting(2), meeting(3, lead_teacher=TeacherCode("TA"))) == ["rule_h8_teachers"]


def test_three_lessons_are_too_many_for_two() -> None:
    assert broken(Rule, county(), meeting(2), meeting(3), meeting(4)) == ["rule_h8_many"]


def test_one_a_day_unless_the_policy_says_otherwise() -> None:
    twice = meeting(2), meeting(2, 530, 570)
    assert broken(Rule, county(), *twice) == ["rule_h8_day"]
    assert broken(Rule, county(policy=replace(Policy(), one_lesson_per_day=False)), *twice) == []


def test_odd_and_even_weeks_are_different_days() -> None:
    assert broken(Rule, county(), meeting(2, weeks=ODD), meeting(2, 530, 570, weeks=EVEN)) == []
