"""H7: who may sit together."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Policy, RoomCode
from scheduler.rules.receivers import ReceiversFitTogether as Rule
from tests.scheduler.small import ART, broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_one_grade_and_an_unknown_edition_fit() -> None:
    assert broken(Rule, county(), meeting(classes=["W3a", "W3b"])) == []


def test_the_room_bounds_the_receivers() -> None:
    problem = county(policy=replace(Policy(), match_edition=False))
    three = ["W3a", "W3b", "V3"]
    assert broken(Rule, problem, meeting(classes=three)) == ["rule_h7_seats"]
    assert broken(Rule, problem, meeting(classes=three, lead_room=RoomCode("L2"))) == []


def test_a_meeting_needs_a_receiver() -> None:
    assert broken(Rule, county(), meeting(classes=[])) == ["rule_h7_seats"]


def test_two_grades_do_not_fit() -> None:
    assert broken(Rule, county(), meeting(classes=["W3a", "W4"])) == ["rule_h7_grade"]


def test_two_editions_do_not_fit_unless_the_policy_says_so() -> None:
    pair = meeting(classes=["W3a", "V3"])
    assert broken(Rule, county(), pair) == ["rule_h7_edition"]
    assert broken(Rule, county(policy=replace(Policy(), match_edition=False)), pair) == []


def test_nobody_gets_what_they_did_not_ask_for() -> None:
    assert broken(Rule, county(), meeting(subject=ART)) == ["rule_h7_unasked"]
