"""What would help most: every promise can be had, and the best comes first."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from scheduler.advice import Trial, advise, chances, changed
from scheduler.check import check
from scheduler.explain import Explainer
from scheduler.problem import (
    ClassCode,
    Lesson,
    LessonRow,
    Need,
    Policy,
    Problem,
    Slot,
    Subject,
    TeacherCode,
    Unavailability,
)
from tests.scheduler.counties import counties
from tests.scheduler.small import LEAD, MUSIC, OTHER, county, plan
from tests.scheduler.test_relax import planned


def asked(problem: Problem) -> Explainer:
    return Explainer(problem, planned(problem).meetings, {})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(counties)
def test_what_is_promised_can_be_had_and_nothing_else_moves(problem: Problem) -> None:
    explainer = asked(problem)
    missing = dict(explainer.lacking())
    for change, chance in list(chances(explainer).items())[:12]:
        trial = Trial(explainer, change)
        advice = trial.advice(chance, missing)
        if advice is None:
            continue
        after = tuple(trial.ledger.meetings.values())
        assert check(trial.problem, plan(trial.problem, *after)) == [], change
        before, standing = changed(problem, explainer.meetings, change.fact, change.minutes)
        assert before == trial.problem
        there = {(m.code, m.lead_teacher, m.slot): set(m.classes) for m in after}
        assert all(set(m.classes) <= there[m.code, m.lead_teacher, m.slot] for m in standing)
        gained = plan(before, *after).served_halves - plan(before, *standing).served_halves
        assert (gained, advice.weighted <= chance.most(missing)) == (advice.halves, True)


def test_the_same_plan_gets_the_same_advice() -> None:
    full = county(policy=replace(Policy(), max_receivers=1))
    assert advise(asked(full)) == advise(asked(full)) != ()


def busy_all_week(but: tuple[int, int]) -> tuple[Unavailability, ...]:
    """V3 is away all week but on Monday in one window."""
    days = [Unavailability("class", "V3", Slot(day, 0, 1439)) for day in range(2, 6)]
    return (
        *days,
        Unavailability("class", "V3", Slot(1, 0, but[0])),
        Unavailability("class", "V3", Slot(1, but[1], 1439)),
    )


def test_a_teacher_who_is_needed_elsewhere_is_named() -> None:
    problem = county(
        needs=(Need(ClassCode("V3"), MUSIC, 2),),
        unavailabilities=(*busy_all_week((480, 520)),),
        lessons=(
            Lesson(
                LessonRow(1), LEAD, (ClassCode("L3"),), Subject("chinese"), Slot(1, 480, 520), TeacherCode("TL"), None
            ),
        ),
    )
    found = [(a.fact.kind, a.fact.who, a.lessons) for a in advise(asked(problem))]
    assert ("teacher_lesson", "TL", (("V3", "music", 2),)) in found


def test_a_bell_that_rings_ten_minutes_too_early_is_named() -> None:
    """V has its first lesson until 8:50, so the second period of L, at 8:50, is free; the third is not, by ten minutes."""
    problem = county(
        needs=(Need(ClassCode("V3"), MUSIC, 2),),
        unavailabilities=busy_all_week((480, 575)),
        lessons=(Lesson(LessonRow(1), OTHER, (ClassCode("V3"),), Subject("chinese"), Slot(1, 500, 540), None, None),),
    )
    schools = {**problem.schools}
    schools[OTHER] = replace(schools[OTHER], periods=dict.fromkeys(range(1, 6), ((500, 540), (550, 575))))
    advice = advise(asked(replace(problem, schools=schools)))
    bells = [(a.minutes, a.fact.slot, a.halves) for a in advice if a.fact.kind == "bells"]
    assert bells == [(-10, Slot(0, 500, 540), 2)]


def test_one_more_partner_brings_all_that_a_school_lacks() -> None:
    needs = (Need(ClassCode("W4"), MUSIC, 4, 9), Need(ClassCode("V3"), MUSIC, 4, 1))
    advice = advise(asked(county(policy=replace(Policy(), max_partners_per_lead=1), needs=needs)))
    assert [(a.fact.kind, a.fact.who, a.halves, a.weighted) for a in advice] == [("partners_lead", LEAD, 4, 4)]
