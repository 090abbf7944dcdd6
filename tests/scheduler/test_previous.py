"""A plan that stood before: a new one begins from it, keeps what can stay, and keeps its codes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings

from scheduler.activities import worth
from scheduler.assemble import delivery_meetings, numbered
from scheduler.check import check
from scheduler.offers import Offers
from scheduler.outcome import Limits, Solved
from scheduler.problem import Plan, Problem
from scheduler.search import Search
from scheduler.solve import solve
from scheduler.windows import Grid
from scheduler.wishes.moves import moved
from tests.scheduler.counties import counties
from tests.scheduler.small import county, meeting, plan

QUICK = Limits(deterministic=True, steps=10)


HEAVIEST = 100


def won(plan: Plan) -> tuple[int, tuple[int, int]]:
    """The first and the second wish."""
    return plan.served_weighted, worth(meeting for meeting in plan.meetings if meeting.ref)


def solved(problem: Problem, previous: Plan | None = None) -> Plan:
    outcome = solve(problem, QUICK, previous=previous)
    assert isinstance(outcome, Solved)
    return outcome.plan


@given(counties)
@settings(max_examples=30, deadline=None)
def test_a_search_begins_with_every_meeting_that_stood(problem: Problem) -> None:
    first = Search(Offers(problem, Grid(problem)), Random(1))
    first.construct()
    stood = plan(problem, *numbered(delivery_meetings(first.board), None))
    again = Search(Offers(problem, Grid(problem)), Random(2))
    again.construct(stood)
    assert list(moved(stood.meetings, delivery_meetings(again.board))) == []
    assert again.board.weighted >= first.board.weighted


@given(counties)
@settings(max_examples=10, deadline=None)
def test_a_second_run_moves_a_lesson_only_where_more_is_won(problem: Problem) -> None:
    problem = replace(problem, policy=replace(problem.policy, wish_few_moves=HEAVIEST))
    stood = solved(problem)
    after = solved(problem, stood)
    assert check(problem, after) == []
    assert won(after) >= won(stood)
    if won(after) == won(stood):
        assert [old.code for old, _ in moved(stood.meetings, after.meetings) if old.family == "delivery"] == []


def test_a_delivery_meeting_never_takes_the_code_of_an_activity() -> None:
    lecture = meeting(2, family="network", ref="N1", code="N1-1")
    stood = replace(plan(county(), meeting(3, code="D0001")), meetings=(meeting(3, code="D0001"), lecture))
    codes = [each.code for each in numbered([meeting(2), meeting(3)], stood)]
    assert codes == ["D0002", "D0001"]
