"""H2: where a meeting may be led from."""

from __future__ import annotations

from scheduler.problem import RoomCode
from scheduler.rules.rooms import LeadRoomCanLead as Rule
from tests.scheduler.small import broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_a_lead_room_of_the_own_school_will_do() -> None:
    assert broken(Rule, county(), meeting(), meeting(3, lead_room=RoomCode("L2"))) == []


def test_a_room_that_cannot_lead_will_not() -> None:
    assert broken(Rule, county(), meeting(lead_room=RoomCode("L9"))) == ["rule_h2_kind"]


def test_another_schools_room_will_not() -> None:
    assert broken(Rule, county(), meeting(lead_room=RoomCode("W1"))) == ["rule_h2_school"]
