"""H9: what a teacher can bear."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import EVEN, ODD, Problem, TeacherCode
from scheduler.rules.staff import RemoteLimits as Rule
from tests.scheduler.small import broken, county, meeting


def limited(week: int, day: int) -> Problem:
    problem = county()
    teacher = replace(problem.teachers[TeacherCode("TL")], week_limit=week, day_limit=day)
    return replace(problem, teachers={**problem.teachers, teacher.code: teacher})


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_the_limit_itself_is_allowed() -> None:
    assert broken(Rule, limited(2, 1), meeting(2), meeting(3)) == []


def test_one_more_a_week_is_not() -> None:
    assert broken(Rule, limited(1, 1), meeting(2), meeting(3)) == ["rule_h9_week"]


def test_one_more_a_day_is_not() -> None:
    assert broken(Rule, limited(9, 1), meeting(2), meeting(2, 530, 570)) == ["rule_h9_day"]


def test_only_the_busier_week_counts() -> None:
    assert broken(Rule, limited(1, 1), meeting(2, weeks=ODD), meeting(2, weeks=EVEN)) == []


def test_attending_counts_as_well() -> None:
    community = meeting(3, family="master", classes=[], lead_teacher=TeacherCode("TA"), members=(TeacherCode("TL"),))
    assert broken(Rule, limited(1, 1), meeting(2), community) == ["rule_h9_week"]
