"""H10: who is paired with whom."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Pair, Policy, Problem, StandingPairing, TeacherCode
from scheduler.rules import Case
from scheduler.rules.partners import PartnersWithinLimits as Rule
from tests.scheduler.small import LEAD, MUSIC, OTHER, WEAK, broken, county, meeting, plan


def limited(lead: int, receiver: int) -> Problem:
    return county(policy=replace(Policy(), max_partners_per_lead=lead, max_partners_per_receiver=receiver))


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, limited(0, 0)) == []


def test_the_limit_itself_is_allowed() -> None:
    assert broken(Rule, limited(2, 1), meeting(2), meeting(3, classes=["V3"])) == []


def test_one_more_partner_of_a_lead_school_is_not() -> None:
    assert broken(Rule, limited(1, 1), meeting(2), meeting(3, classes=["V3"])) == ["rule_h10_lead"]


def test_one_more_partner_of_a_receiver_is_not() -> None:
    assert broken(Rule, limited(1, 0), meeting()) == ["rule_h10_receive"]


def test_nobody_is_served_by_the_own_school() -> None:
    assert broken(Rule, county(), meeting(lead_teacher=TeacherCode("TW"))) == ["rule_h10_own"]


def test_a_locked_pairing_stands_in_every_plan() -> None:
    problem = county(pairings=(StandingPairing(Pair(LEAD, OTHER), frozenset({MUSIC}), True),))
    assert broken(Rule, problem, meeting()) == []
    forgotten = replace(plan(problem, meeting()), pairings=())
    assert [v.code for v in Rule().violations(Case(problem, forgotten))] == ["rule_h10_locked"]
    assert {planned.pair for planned in plan(problem, meeting()).pairings} == {Pair(LEAD, OTHER), Pair(LEAD, WEAK)}
