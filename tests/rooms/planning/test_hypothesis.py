"""A county supposed to be otherwise than it is: what changes, what does not fit, and that it can be kept as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.county import Room
from rooms.planning.circumstances import KINDS, Circumstance
from rooms.planning.hypothesis import (
    BellsShifted,
    Happens,
    Hypothesis,
    LeadRoomMore,
    PolicyIs,
    Supposition,
    first_misfit,
    from_json,
    misfit,
    suppose,
    to_json,
)
from rooms.planning.problem import problem_of
from scheduler.problem import Policy
from tests.rooms.planning.test_circumstances import FIRST, small

AWAY = Happens(Circumstance("teacher_away", "T1", FIRST))


def test_each_supposition_changes_what_it_says_and_nothing_else() -> None:
    before = problem_of(small())
    fewer = problem_of(suppose(small(), [PolicyIs("max_receivers", 1)]))
    assert (fewer.policy, fewer.rooms, fewer.lessons) == (Policy(max_receivers=1), before.rooms, before.lessons)
    roomier = problem_of(suppose(small(), [LeadRoomMore("A"), LeadRoomMore("A")]))
    assert [room.can_lead for room in roomier.rooms.values() if room.school == "A"] == [True] * 3
    later = problem_of(suppose(small(), [BellsShifted("S", 10)]))
    for school, was in before.schools.items():
        for weekday, periods in was.periods.items():
            assert later.schools[school].periods[weekday] == tuple((start + 10, end + 10) for start, end in periods)
    assert [lesson.slot.start for lesson in later.lessons] == [lesson.slot.start + 10 for lesson in before.lessons]
    assert len(problem_of(suppose(small(), [AWAY])).unavailabilities) == 7


def test_the_county_itself_stays() -> None:
    county = small()
    suppose(county, [AWAY, PolicyIs("max_receivers", 1), LeadRoomMore("A"), BellsShifted("S", -5)])
    assert county == small()


def test_a_room_of_the_supposed_code_that_is_there_already_is_left_alone() -> None:
    county = replace(small(), rooms=(*small().rooms, Room("A-new1", "A", "receiving", False)))
    assert not suppose(county, [LeadRoomMore("A")]).room_by_code["A-new1"].can_lead


@pytest.mark.parametrize(
    ("each", "why"),
    [
        (Happens(Circumstance("teacher_away", "T9", FIRST)), "circumstance_unknown"),
        (PolicyIs("no_such_key", 1), "what_if_policy"),
        (PolicyIs("allow_synchronous", 2), "what_if_policy"),
        (PolicyIs("max_receivers", -1), "what_if_policy"),
        (PolicyIs("max_receivers", 3), "what_if_same"),
        (PolicyIs("allow_synchronous", 1), "what_if_same"),
        (LeadRoomMore("nowhere"), "circumstance_unknown"),
        (LeadRoomMore("B"), "circumstance_unknown"),  # a school that does not lead
        (BellsShifted("N", 5), "bell_unknown"),
        (BellsShifted("S", 0), "what_if_bells"),
        (BellsShifted("S", -481), "what_if_bells"),
        (BellsShifted("S", 1440 - 569), "what_if_bells"),
    ],
)
def test_what_the_county_cannot_be_supposed_to_be_is_named(each: Supposition, why: str) -> None:
    assert misfit(small(), each) == why


def test_a_supposition_is_judged_after_those_before_it() -> None:
    twice: Hypothesis = (PolicyIs("max_receivers", 1), PolicyIs("max_receivers", 3))
    assert first_misfit(small(), twice) is None
    assert first_misfit(small(), twice[::-1]) == (twice[1], "what_if_same")


circumstances = st.builds(
    Circumstance,
    st.sampled_from(KINDS),
    st.text(),
    st.dates(),
    st.none() | st.dates(),
    st.frozensets(st.integers(1, 7)),
    st.text(),
    st.none() | st.integers(0, 1440),
)
suppositions = (
    st.builds(Happens, circumstances)
    | st.builds(PolicyIs, st.text(), st.integers())
    | st.builds(LeadRoomMore, st.text())
    | st.builds(BellsShifted, st.text(), st.integers())
)


@given(st.lists(suppositions).map(tuple))
def test_json_keeps_every_hypothesis(hypothesis: Hypothesis) -> None:
    assert from_json(json.loads(json.dumps(to_json(hypothesis)))) == hypothesis
