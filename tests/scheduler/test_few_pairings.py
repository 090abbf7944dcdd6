"""W3: few schools for each school to know."""

from __future__ import annotations

from scheduler.problem import Pair, StandingPairing
from scheduler.wishes.pairings import FewPairings
from tests.scheduler.small import LEAD, MUSIC, WEAK, county, meeting, wished


def test_nothing_pairs_nobody() -> None:
    assert wished(FewPairings, county()) == []


def test_an_agreement_that_is_not_used_does_not_count() -> None:
    standing = (StandingPairing(Pair(LEAD, WEAK), frozenset({MUSIC}), locked=True),)
    assert wished(FewPairings, county(pairings=standing)) == []


def test_a_pair_counts_once_however_much_it_carries() -> None:
    (cause,) = wished(FewPairings, county(), meeting(2), meeting(4), meeting(3, classes=["W4"]))
    assert (cause.count, len(cause.meetings)) == (1, 3)


def test_the_pair_that_carries_least_is_named_first() -> None:
    causes = wished(FewPairings, county(), meeting(2), meeting(4), meeting(3, classes=["V3"]))
    assert [(cause.facts["school"], cause.facts["meetings"]) for cause in causes] == [("V", 1), ("W", 2)]
