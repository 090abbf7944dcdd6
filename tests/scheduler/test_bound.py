"""The bound is a proof: no school gets more in any plan than is proved to be the most, and scarce partners and minutes are seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from scheduler.board import Board
from scheduler.bound import prove
from scheduler.check import check
from scheduler.explain import SchoolCeiling
from scheduler.model import SubModel, proved
from scheduler.offers import Offers
from scheduler.outcome import Limits, Solved
from scheduler.problem import (
    ClassCode,
    Need,
    Plan,
    Policy,
    Problem,
    Room,
    RoomCode,
    SchoolCode,
    Slot,
    Teacher,
    TeacherCode,
    Unavailability,
)
from scheduler.solve import solve
from scheduler.windows import Grid
from tests.scheduler.counties import random_county
from tests.scheduler.small import ART, LEAD, MUSIC, OTHER, WEAK, county

SCHOOLS = county().schools


def bound(problem: Problem) -> tuple[int, dict[SchoolCode, SchoolCeiling]]:
    ceilings: dict[SchoolCode, SchoolCeiling] = {}
    return prove(problem, lambda _, known: ceilings.update(known), lambda: True, seconds=10.0), ceilings


def served(problem: Problem, plan: Plan) -> Counter[SchoolCode]:
    found: Counter[SchoolCode] = Counter()
    for meeting in plan.meetings:
        for code in meeting.classes if meeting.family == "delivery" else ():
            need = problem.need_by_key[code, meeting.subject]
            found[problem.classes[code].school] += need.priority * meeting.slot.halves
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 30), st.sampled_from((None, 20, 15)))
def test_no_school_gets_more_than_its_ceiling(seed: int, minutes: int | None) -> None:
    problem = random_county(seed)
    if minutes is not None:  # so short that a period holds several meetings
        problem = replace(problem, policy=replace(problem.policy, min_common_minutes=minutes))
    total, ceilings = bound(problem)
    outcome = solve(problem, Limits(seed=seed % 7, deterministic=True, steps=30))
    assert isinstance(outcome, Solved)
    assert check(problem, outcome.plan) == []
    found = served(problem, outcome.plan)
    assert found.total() <= total
    for school, weighted in found.items():
        assert weighted <= ceilings[school].weighted


@pytest.mark.parametrize("seed", range(20))
def test_a_tiny_county_has_its_optimum_below_the_bound(seed: int) -> None:
    problem = random_county(seed, leads=2, receivers=1)
    offers = Offers(problem, Grid(problem))
    board = Board(offers, keep_locked=False)
    everyone = range(len(offers.wants))
    answer = SubModel(board, everyone, Random(0), plain=True).solve(10.0, 0)
    assert answer is not None
    best = sum(
        offers.wants[need].weight * sum(offers.halves[number] for number in numbers)
        for need, numbers in answer.seats.items()
    )
    assert best <= bound(problem)[0]


def test_a_school_has_no_more_partners_than_it_may_have() -> None:
    other = replace(SCHOOLS[OTHER], leads=True)
    rooms = dict(county().rooms)
    rooms[RoomCode("V1")] = Room(RoomCode("V1"), OTHER, True, None)
    problem = county(
        schools={**SCHOOLS, OTHER: other},
        rooms=rooms,
        teachers={
            TeacherCode("TL"): Teacher(TeacherCode("TL"), LEAD, {MUSIC: frozenset({4})}, 9, 9),
            TeacherCode("TV"): Teacher(TeacherCode("TV"), OTHER, {ART: frozenset({4})}, 9, 9),
        },
        needs=(Need(ClassCode("W4"), MUSIC, 4, 5), Need(ClassCode("W4"), ART, 4, 3)),
    )
    assert bound(problem)[1][WEAK].weighted == 4 * 5 + 4 * 3
    one = replace(problem, policy=replace(problem.policy, max_partners_per_receiver=1))
    assert bound(one)[1][WEAK].weighted == 4 * 5


@pytest.mark.parametrize("halves", [{"W3a": 4}, {"W3a": 2, "W4": 2}])
def test_a_long_period_holds_two_meetings_of_one_teacher(halves: dict[str, int]) -> None:
    policy, week = replace(Policy(), one_lesson_per_day=False), {1: ((480, 570),)}
    problem = county(
        policy=policy,
        schools={code: replace(school, periods=week) for code, school in SCHOOLS.items()},
        needs=tuple(Need(ClassCode(code), MUSIC, asked) for code, asked in halves.items()),
        lessons=(),
    )
    outcome = solve(problem, Limits(seed=1, deterministic=True, steps=10))
    assert isinstance(outcome, Solved)
    assert outcome.plan.served_weighted == 20
    assert bound(problem)[0] >= 20


def test_what_is_free_of_a_period_holds_the_minutes_it_must() -> None:
    """Two lead periods overlap by ten minutes: both can be used, each to its outer end; a class that comes three minutes late has one only."""
    early, late = {1: ((480, 525),)}, {1: ((515, 560),)}
    other = replace(SCHOOLS[OTHER], leads=True, periods=late)
    rooms = dict(county().rooms)
    rooms[RoomCode("V1")] = Room(RoomCode("V1"), OTHER, True, None)
    problem = county(
        schools={
            LEAD: replace(SCHOOLS[LEAD], periods=early),
            WEAK: replace(SCHOOLS[WEAK], periods={1: ((480, 560),)}),
            OTHER: other,
        },
        rooms=rooms,
        teachers={
            TeacherCode("TL"): Teacher(TeacherCode("TL"), LEAD, {MUSIC: frozenset({4})}, 9, 9),
            TeacherCode("TV"): Teacher(TeacherCode("TV"), OTHER, {ART: frozenset({4})}, 9, 9),
        },
        lessons=(),
        needs=(Need(ClassCode("W4"), MUSIC, 2, 5), Need(ClassCode("W4"), ART, 2, 3)),
    )
    assert bound(problem)[0] == 16
    away = Unavailability("class", "W4", Slot(1, 480, 483))
    assert bound(replace(problem, unavailabilities=(away,)))[0] == 10


def test_a_solver_that_ran_out_before_it_knew_anything_proves_nothing() -> None:
    model = cp_model.CpModel()
    model.maximize(sum(model.new_bool_var("") for _ in range(9)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 0.0
    assert proved(solver, solver.solve(model), 9) == 9
