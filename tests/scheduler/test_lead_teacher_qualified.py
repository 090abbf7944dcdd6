"""H1: who may lead."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import TeacherCode
from scheduler.rules.teachers import LeadTeacherQualified as Rule
from tests.scheduler.small import ART, LEAD, MUSIC, broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_a_qualified_teacher_of_a_lead_school_may_lead() -> None:
    assert broken(Rule, county(), meeting()) == []


def test_one_grade_of_a_combined_class_is_enough() -> None:
    problem = county()
    combined = replace(problem.classes["W3a"], grades=frozenset({6, 7}))
    problem = replace(problem, classes={**problem.classes, combined.code: combined})
    assert broken(Rule, problem, meeting()) == []


def test_a_school_that_does_not_lead_may_not() -> None:
    assert broken(Rule, county(), meeting(lead_teacher=TeacherCode("TW"))) == ["rule_h1_school"]


def test_another_subject_is_not_enough() -> None:
    assert broken(Rule, county(), meeting(subject=ART)) == ["rule_h1_subject"]


def test_another_grade_is_not_enough() -> None:
    problem = county()
    narrow = replace(problem.teachers["TL"], subjects={MUSIC: frozenset({1})})
    problem = replace(problem, teachers={**problem.teachers, narrow.code: narrow})
    assert problem.teachers[narrow.code].school == LEAD
    assert broken(Rule, problem, meeting()) == ["rule_h1_grade"]
