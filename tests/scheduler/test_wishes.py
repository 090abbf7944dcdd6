"""All wishes of a plan together: weights, switches, and plans of a county that has changed."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import ClassCode, Policy
from scheduler.wishes import WISHES, cost_of, wishes_of
from tests.scheduler.small import county, meeting, plan


def test_every_wish_has_its_code_and_its_weight_in_the_policy() -> None:
    assert [wish.code for wish in WISHES] == [f"W{number}" for number in range(1, len(WISHES) + 1)]
    assert {wish.key for wish in WISHES} == {name for name in Policy.__slots__ if name.startswith("wish_")}


def test_the_cost_of_a_plan_is_the_weighted_sum_and_0_switches_a_wish_off() -> None:
    close = meeting(2), meeting(3)
    problem = county(policy=Policy(wish_days_apart=7, wish_few_pairings=0))
    figures = {figure.code: figure for figure in wishes_of(problem, plan(problem, *close))}
    assert (figures["W2"].value, figures["W2"].cost) == (1, 7)
    assert (figures["W3"].value, figures["W3"].cost) == (1, 0)
    assert cost_of(figures.values()) == 7
    assert figures["W2"].meetings == tuple(each.code for each in close)


def test_a_plan_that_names_what_is_gone_is_measured_without_it() -> None:
    gone = replace(meeting(2), classes=(ClassCode("gone"),))
    figures = wishes_of(county(), plan(county(), meeting(4)), None)
    stale = replace(plan(county(), meeting(4)), meetings=(meeting(4), gone))
    assert wishes_of(county(), stale) == figures
