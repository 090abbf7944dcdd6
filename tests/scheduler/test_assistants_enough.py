"""H11: teachers left at the receiving schools."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Policy, Problem, Slot, TeacherCode, Unavailability
from scheduler.rules.staff import AssistantsEnough as Rule
from tests.scheduler.small import broken, county, meeting


def strict(problem: Problem) -> Problem:
    return replace(problem, policy=replace(Policy(), require_assistant=True))


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, strict(county())) == []


def test_one_free_teacher_assists_one_class() -> None:
    assert broken(Rule, strict(county()), meeting()) == []


def test_but_not_two() -> None:
    assert (
        broken(Rule, strict(county()), meeting(classes=["W3a", "W3b"])) == ["rule_h11"] * 2
    )  # in odd and in even weeks
    assert broken(Rule, county(), meeting(classes=["W3a", "W3b"])) == []


def test_one_minute_of_absence_is_too_much() -> None:
    gone = Unavailability("teacher", "TW", Slot(2, 519, 530))
    assert (
        broken(Rule, strict(county(unavailabilities=(gone,))), meeting()) == ["rule_h11"] * 2
    )  # in odd and in even weeks


def test_a_school_without_teachers_is_exempt() -> None:
    problem = county()
    rest = {code: teacher for code, teacher in problem.teachers.items() if code != TeacherCode("TW")}
    assert broken(Rule, strict(replace(problem, teachers=rest)), meeting()) == []
