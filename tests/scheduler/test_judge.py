"""The judge names what is broken: every rule H1–H13, alone where it breaks alone, on plans of random counties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.check import check
from scheduler.problem import Plan, Problem
from tests.scheduler.changed import CHANGED
from tests.scheduler.counties import counties, random_county
from tests.scheduler.legal import Case, Mutation, legal_plan
from tests.scheduler.stricter import STRICTER

COUNTIES = 60
ENOUGH = 40
"""Cases after which a mutation need not be tried further."""
EACH = 4
"""Cases taken from one county."""
ALONE = [(rule, mutation) for rule, some in STRICTER.items() for mutation in some]
BROADER = 400
"""Counties looked through for what seldom binds."""


@pytest.fixture(scope="module")
def plans() -> list[tuple[Problem, Plan]]:
    problems = [random_county(seed) for seed in range(COUNTIES)]
    return [(problem, legal_plan(problem)) for problem in problems]


def broken(case: Case) -> set[str]:
    return {violation.rule for violation in check(*case)}


def cases(plans: list[tuple[Problem, Plan]], mutation: Mutation) -> Iterator[Case]:
    found = (case for problem, plan in plans for case in islice(mutation(problem, plan), EACH))
    return islice(found, ENOUGH)


def test_the_plans_are_legal_and_none_is_trivial(plans: list[tuple[Problem, Plan]]) -> None:
    assert all(check(problem, plan) == [] for problem, plan in plans)
    families = {meeting.family for _, plan in plans for meeting in plan.meetings}
    assert families == {"delivery", "master", "network"}
    assert any(meeting.host_lesson is not None for _, plan in plans for meeting in plan.meetings)
    assert any(meeting.slot.halves == 1 for _, plan in plans for meeting in plan.meetings)


@pytest.mark.parametrize(("rule", "mutation"), ALONE)
def test_a_stricter_county_breaks_this_rule_and_no_other(
    plans: list[tuple[Problem, Plan]], rule: str, mutation: Mutation
) -> None:
    found = [broken(case) for case in cases(plans, mutation)]
    assert len(found) >= 5
    assert all(rules == {rule} for rules in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(counties, st.sampled_from(ALONE))
def test_whatever_the_county_only_the_rule_that_got_stricter_is_named(
    problem: Problem, stricter: tuple[str, Mutation]
) -> None:
    rule, mutation = stricter
    for case in islice(mutation(problem, legal_plan(problem)), EACH):
        assert broken(case) == {rule}


@pytest.mark.parametrize("rule", CHANGED)
def test_a_changed_plan_breaks_this_rule_and_somewhere_only_this(plans: list[tuple[Problem, Plan]], rule: str) -> None:
    found = (broken(case) for problem, plan in plans for case in islice(CHANGED[rule](problem, plan), 3 * EACH))
    alone = 0
    for number, rules in enumerate(found):
        assert rule in rules
        alone += rules == {rule}
        if alone and number >= ENOUGH:
            break
    assert alone


@pytest.mark.parametrize(
    ("rule", "stricter"),
    [
        ("H4", {"allow_synchronous": False}),
        ("H5", {"min_common_minutes": 45}),
        ("H7", {"max_receivers": 1}),
        ("H7", {"match_edition": True}),
        ("H8", {"one_lesson_per_day": True}),
        ("H10", {"max_partners_per_lead": 1}),
        ("H10", {"max_partners_per_receiver": 1}),
        ("H11", {"require_assistant": True}),
    ],
)
def test_every_switch_of_the_policy_binds_somewhere(rule: str, stricter: dict[str, int]) -> None:
    for seed in range(BROADER):
        problem = random_county(seed)
        if any(getattr(problem.policy, key) != value for key, value in stricter.items()):
            plan = legal_plan(problem)
            strict = replace(problem, policy=replace(problem.policy, **stricter))  # type: ignore[arg-type]
            if broken((strict, plan)) == {rule}:
                return
    pytest.fail("no county was bound by it")


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("SUMMARY", lambda plan: replace(plan, served_weighted=plan.served_weighted + 1)),
        ("SUMMARY", lambda plan: replace(plan, bound_weighted=plan.served_weighted - 1)),
        ("UNMET", lambda plan: replace(plan, unmet=plan.unmet[1:])),
        ("PAIRINGS", lambda plan: replace(plan, pairings=())),
        ("CODES", lambda plan: replace(plan, meetings=(plan.meetings[0], *plan.meetings))),
        ("CODES", lambda plan: replace(plan, meetings=(replace(plan.meetings[0], lead_room="nowhere"),))),
    ],
)  # fmt: skip
def test_wrong_lists_and_figures_are_named(plans: list[tuple[Problem, Plan]], rule: str, wrong: object) -> None:
    assert callable(wrong)
    tried = [(problem, wrong(plan)) for problem, plan in plans if plan.unmet and plan.meetings and not _locked(problem)]
    assert len(tried) > 5
    assert all(broken(case) == {rule} for case in tried)


def _locked(problem: Problem) -> bool:
    return any(standing.locked for standing in problem.pairings)
