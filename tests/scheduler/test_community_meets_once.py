"""H12: online research communities."""

from __future__ import annotations

from typing import Any

from scheduler.problem import EVEN, ODD, Community, Meeting, Problem, TeacherCode
from scheduler.rules.communities import CommunityMeetsOnce as Rule
from tests.scheduler.small import ART, MUSIC, broken, county, meeting

MEMBERS = (TeacherCode("TW"), TeacherCode("TV"))


def with_community(weeks: int = 3, percent: float = 50) -> Problem:
    community = Community("C", MUSIC, TeacherCode("TL"), MEMBERS, weeks, 60, percent)
    return county(communities=(community,))


def gathering(day: int = 2, weeks: int = 3, members: tuple[str, ...] = ("TW",), **changes: Any) -> Meeting:
    ours = tuple(map(TeacherCode, members))
    return meeting(day, 700, 760, classes=[], family="master", ref="C", weeks=weeks, members=ours, **changes)


def test_not_held_at_all_is_fine() -> None:
    assert broken(Rule, with_community()) == []


def test_once_a_week_with_half_of_the_members_is_fine() -> None:
    assert broken(Rule, with_community(), gathering()) == []
    assert broken(Rule, with_community(), gathering(weeks=ODD), gathering(3, weeks=EVEN)) == []


def test_twice_or_in_the_wrong_weeks_is_not() -> None:
    assert broken(Rule, with_community(), gathering(), gathering(3)) == ["rule_h12_weeks"] * 2
    assert broken(Rule, with_community(weeks=ODD), gathering()) == ["rule_h12_weeks"]


def test_too_few_are_not_enough() -> None:
    assert broken(Rule, with_community(percent=51), gathering()) == ["rule_h12_few"]


def test_strangers_and_other_hosts_are_found() -> None:
    assert broken(Rule, with_community(), gathering(members=("TW", "TA"))) == ["rule_h12_strangers"]
    assert broken(Rule, with_community(), gathering(subject=ART)) == ["rule_h12_host"]
    assert broken(Rule, with_community(), gathering(lead_teacher=TeacherCode("TA"))) == ["rule_h12_host"]


def test_an_unknown_community_is_reported() -> None:
    assert broken(Rule, county(), gathering()) == ["rule_h12_unknown"]
