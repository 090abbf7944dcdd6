"""H13: courses of the famous school network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scheduler.problem import ClassCode, Meeting, NetworkCourse, Policy, Problem, TeacherCode
from scheduler.rules.courses import CourseIsWhole as Rule
from tests.scheduler.small import ART, MUSIC, broken, county, meeting


def with_course(halves: int = 4, length: int | None = None, **changes: Any) -> Problem:
    audience = (ClassCode("W3a"), ClassCode("V3"))
    return county(courses=(NetworkCourse("N", ART, TeacherCode("TA"), halves, audience, length),), **changes)


def lecture(day: int = 2, start: int = 480, end: int = 520, **changes: Any) -> Meeting:
    classes = changes.pop("classes", ["W3a", "V3"])
    told: dict[str, Any] = {"family": "network", "ref": "N", "subject": ART, "lead_teacher": TeacherCode("TA")}
    return meeting(day, start, end, classes=classes, **{**told, **changes})


def test_not_held_at_all_is_fine() -> None:
    assert broken(Rule, with_course()) == []


def test_all_meetings_on_different_days_are_fine() -> None:
    assert broken(Rule, with_course(), lecture(2), lecture(3)) == []


def test_half_a_course_is_not() -> None:
    assert broken(Rule, with_course(), lecture()) == ["rule_h13_number"]


def test_twice_a_day_is_not_while_days_are_left() -> None:
    assert broken(Rule, with_course(), lecture(), lecture(2, 530, 570)) == ["rule_h13_days"]


def test_who_is_free_attends() -> None:
    assert broken(Rule, with_course(2), lecture(classes=["V3"])) == ["rule_h13_left_out"]
    busy = meeting(classes=["W3a"])
    assert broken(Rule, with_course(2), busy, lecture(classes=["V3"])) == []
    lenient = with_course(2, policy=replace(Policy(), require_assistant=True))
    assert broken(Rule, lenient, lecture(classes=["V3"])) == []


def test_strangers_other_teachers_and_short_meetings_are_found() -> None:
    assert broken(Rule, with_course(2), lecture(classes=["W3a", "V3", "W4"])) == ["rule_h13_strangers"]
    assert broken(Rule, with_course(2), lecture(subject=MUSIC)) == ["rule_h13_lead"]
    assert broken(Rule, with_course(2), lecture(2, 600, 640)) == ["rule_h13_short"]
    assert broken(Rule, with_course(2, length=40), lecture(2, 600, 640)) == []


def test_an_unknown_course_is_reported() -> None:
    assert broken(Rule, county(), lecture()) == ["rule_h13_unknown"]
