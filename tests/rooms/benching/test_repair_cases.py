"""The repairs that are measured are those of a county without the teacher, and what is said of them is counted from them."""

from __future__ import annotations

from dataclasses import replace

from rooms.benching.repairs import Case, cases, drawn, ill, p95, targets_of
from scheduler.check import check
from scheduler.problem import TeacherCode
from tests.scheduler.counties import random_county
from tests.scheduler.legal import legal_plan
from tests.scheduler.small import county, meeting, plan

PROBLEM = random_county(3, leads=3, receivers=5)
PLAN = legal_plan(PROBLEM)
SAMPLE = Case(TeacherCode("T"), 1, 1, 1, True, 0.2, 10, 1, 0)


def test_every_leading_teacher_falls_ill_before_one_does_twice() -> None:
    leading = {meeting.lead_teacher for meeting in PLAN.meetings}
    teachers = drawn(PLAN, len(leading) + 1, 4)
    assert set(teachers[:-1]) == leading
    assert teachers[-1] == teachers[0]
    assert drawn(PLAN, 3, 4) == teachers[:3]


def test_an_ill_teacher_cannot_lead_and_the_mended_plan_is_legal() -> None:
    found = list(cases(PROBLEM, PLAN, drawn(PLAN, 4, 1)))
    for case in found:
        assert check(ill(PROBLEM, case.teacher), PLAN)
        assert case.violations == 0
        assert case.moved >= case.forced >= case.led > 0 or not case.proved


def test_the_meetings_of_an_ill_teacher_are_the_only_ones_that_must_move() -> None:
    problem = county()
    standing = plan(problem, meeting(code="A"), meeting(3, code="B"))
    (case,) = cases(problem, standing, [TeacherCode("TL")])
    assert (case.led, case.forced, case.moved, case.proved) == (2, 2, 2, True)
    assert case.lost_weighted == 10


def test_targets_are_counted_over_all_cases() -> None:
    slow = replace(SAMPLE, seconds=3.0, proved=False)
    assert [target.met for target in targets_of([SAMPLE] * 20)] == [True, True, True]
    assert [target.measured for target in targets_of([SAMPLE] * 3 + [slow])] == [0.2, 75.0, 0]
    assert [target.met for target in targets_of([SAMPLE, slow, slow])] == [False, False, True]
    assert [target.met for target in targets_of([])] == [None, None, None]
    assert p95([SAMPLE] * 19 + [slow]) == 0.34
