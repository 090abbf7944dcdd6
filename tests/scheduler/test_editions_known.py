"""W4: nobody sits beside others with a textbook that nobody has named."""

from __future__ import annotations

from scheduler.problem import Policy
from scheduler.wishes.editions import EditionsKnown
from tests.scheduler.small import county, meeting, wished


def test_nothing_is_unknown() -> None:
    assert wished(EditionsKnown, county()) == []


def test_a_class_alone_may_have_any_edition() -> None:
    assert wished(EditionsKnown, county(), meeting(2, classes=["W3b"])) == []


def test_a_class_without_an_edition_beside_another_counts() -> None:
    (cause,) = wished(EditionsKnown, county(), meeting(2, classes=["W3a", "W3b"]))
    assert (cause.count, cause.facts["classes"], cause.meetings) == (1, ("W3b",), ("M2-480-3-W3a+W3b",))


def test_where_editions_need_not_agree_nobody_asks() -> None:
    problem = county(policy=Policy(match_edition=False))
    assert wished(EditionsKnown, problem, meeting(2, classes=["W3a", "W3b"])) == []
