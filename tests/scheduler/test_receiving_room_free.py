"""H6: receiving rooms."""

from __future__ import annotations

from scheduler.problem import RoomCode, Slot, TeacherCode, Unavailability
from scheduler.rules.places import ReceivingRoomFree as Rule
from tests.scheduler.small import broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_the_classes_of_one_meeting_share_a_room() -> None:
    assert broken(Rule, county(), meeting(classes=["W3a", "W3b"])) == []


def test_two_meetings_do_not() -> None:
    other = meeting(classes=["W4"], lead_teacher=TeacherCode("TA"), lead_room=RoomCode("L2"))
    assert broken(Rule, county(), meeting(), other) == ["rule_h6_room"]


def test_a_room_that_is_closed_receives_nobody() -> None:
    gone = Unavailability("room", "W1", Slot(2, 480, 485))
    assert broken(Rule, county(unavailabilities=(gone,)), meeting()) == ["rule_h6_room"]
