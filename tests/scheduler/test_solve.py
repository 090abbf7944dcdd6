"""Whatever the county: the plan is legal, the bound holds, every reason has words, and the same seed gives the same plan."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from scheduler.bound import prove
from scheduler.check import check
from scheduler.finish import finished, stages
from scheduler.greedy import plain_greedy
from scheduler.improve import snapshot, try_anew
from scheduler.offers import Offers
from scheduler.outcome import Ended, Limits, Progress, Solved
from scheduler.problem import ClassCode, NetworkCourse, Plan, Problem, TeacherCode
from scheduler.search import Search
from scheduler.solve import solve
from scheduler.windows import Grid
from tests.scheduler.counties import counties, random_county
from tests.scheduler.small import MUSIC, county

STEPS = Limits(seed=3, deterministic=True, steps=25)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(problem: Problem, limits: Limits = STEPS) -> Plan:
    outcome = solve(problem, limits)
    assert isinstance(outcome, Solved)
    return outcome.plan


@quick
@given(counties)
def test_every_plan_is_legal_and_below_its_bound(problem: Problem) -> None:
    plan = planned(problem)
    assert check(problem, plan) == []
    for unmet in plan.unmet:
        assert unmet.reason not in ("run_ended", "not_verified")


@quick
@given(counties)
def test_the_plain_greedy_is_legal_and_not_above_the_bound(problem: Problem) -> None:
    offers = Offers(problem, Grid(problem))
    board = plain_greedy(offers)
    state = snapshot(board, range(len(offers.wants)))
    bound = prove(problem, lambda *_: None, lambda: True, seconds=10.0)
    plan = finished(stages(offers, state, None, {}, bound=bound, seconds=0.0, seed=0, status="feasible"))
    assert check(problem, plan) == []


@quick
@given(counties)
def test_a_board_that_is_solved_anew_is_never_worse_and_stays_legal(problem: Problem) -> None:
    offers = Offers(problem, Grid(problem))
    search = Search(offers, Random(5))  # a seeded example
    search.construct()
    for round_ in range(3):
        before = search.board.weighted
        free = {need for need in range(len(offers.wants)) if (need + round_) % 2}
        try_anew(search.board, free, search.random, 5.0)
        assert search.board.weighted >= before
    plan = finished(stages(offers, search.best(), None, {}, bound=10**9, seconds=0.0, seed=0, status="feasible"))
    assert check(problem, plan) == []


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = random_county(11, leads=3, receivers=5)
    assert planned(problem) == planned(problem)


def test_a_small_county_is_solved_to_its_bound_by_a_crew() -> None:
    told: list[Progress] = []
    outcome = solve(county(), Limits(seconds=10.0, workers=2), report=told.append)
    assert isinstance(outcome, Solved)
    assert check(county(), outcome.plan) == []
    assert outcome.plan.status == "optimal"
    assert (
        outcome.plan.served_halves == 12
    )  # four meetings of the only teacher: two for W3a and W3b, two for one more class
    assert told


def test_a_county_that_asks_for_nothing_gets_an_empty_plan() -> None:
    plan = planned(county(needs=()))
    assert (plan.meetings, plan.unmet, plan.gap) == ((), (), 0.0)
    crew = solve(county(needs=()), Limits(seconds=4.0, workers=1))
    assert isinstance(crew, Solved)


def test_a_course_that_is_longer_than_every_period_is_not_held() -> None:
    course = NetworkCourse("N1", MUSIC, TeacherCode("TL"), 2, (ClassCode("V3"),), length=45)
    held = planned(county(courses=(course,), needs=()))
    assert {meeting.slot.end - meeting.slot.start for meeting in held.meetings if meeting.ref == "N1"} == {45}
    problem = county(courses=(replace(course, length=46),), needs=())
    plan = planned(problem)
    assert check(problem, plan) == []
    assert not any(meeting.ref for meeting in plan.meetings)


def test_stopping_at_once_gives_the_best_so_far_or_says_so() -> None:
    began = time.monotonic()
    outcome = solve(random_county(5, 3, 6), Limits(seconds=60.0, workers=1), stop=lambda: True)
    assert time.monotonic() - began < 20
    assert isinstance(outcome, Ended) or check(random_county(5, 3, 6), outcome.plan) == []


def test_too_little_memory_ends_the_run_and_keeps_the_plan() -> None:
    problem = random_county(5, 3, 6)
    outcome = solve(replace(problem, code="large"), Limits(seconds=30.0, workers=1, memory_mb=1))
    match outcome:
        case Ended(reason):
            assert reason == "memory"
        case Solved(plan):
            assert plan.status in ("stopped", "optimal")


@pytest.mark.parametrize("seed", range(8))
def test_a_locked_pairing_is_used_where_it_can_be(seed: int) -> None:
    problem = random_county(seed, leads=3, receivers=4)
    standing = replace(problem.pairings[0], locked=True)
    problem = replace(problem, pairings=(standing,))
    plan = planned(problem)
    offers = Offers(problem, Grid(problem))
    lead, school = standing.pair
    could = any(want.school == school and lead in offers.by_lead[n] for n, want in enumerate(offers.wants))
    used = any(
        problem.teachers[m.lead_teacher].school == lead and problem.classes[code].school == school
        for m in plan.meetings
        if m.family == "delivery"
        for code in m.classes
    )
    assert check(problem, plan) == []
    assert used == could


def test_meetings_that_stay_keep_their_codes() -> None:
    problem = random_county(11, leads=3, receivers=5)
    first = planned(problem)
    renamed = replace(first, meetings=tuple(replace(m, code=f"OLD-{m.code}") for m in first.meetings))
    again = solve(problem, STEPS, previous=renamed)
    assert isinstance(again, Solved)
    delivery = [meeting for meeting in again.plan.meetings if meeting.family == "delivery"]
    stood = {(m.lead_teacher, m.subject, m.slot): m.code for m in renamed.meetings if m.family == "delivery"}
    kept = [meeting for meeting in delivery if (meeting.lead_teacher, meeting.subject, meeting.slot) in stood]
    assert len(kept) > len(stood) / 2
    assert all(meeting.code == stood[meeting.lead_teacher, meeting.subject, meeting.slot] for meeting in kept)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_of_a_tiny_county_is_met_or_above_every_plan_found(seed: int) -> None:
    problem = random_county(seed, leads=1, receivers=1)
    bound = prove(problem, lambda *_: None, lambda: True, seconds=10.0)
    for trial in range(4):
        assert planned(problem, replace(STEPS, seed=trial)).served_weighted <= bound
