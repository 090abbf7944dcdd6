"""H3: a teacher, a room, a class and a community member are in one place at a time."""

from __future__ import annotations

from scheduler.problem import EVEN, ODD, RoomCode, Slot, TeacherCode, Unavailability
from scheduler.rules.places import OnePlaceAtATime as Rule
from tests.scheduler.small import broken, county, meeting


def test_nothing_is_broken_by_nothing() -> None:
    assert broken(Rule, county()) == []


def test_meetings_one_after_another_are_fine() -> None:
    assert broken(Rule, county(), meeting(), meeting(2, 530, 570)) == []


def test_odd_and_even_weeks_do_not_meet() -> None:
    assert broken(Rule, county(), meeting(weeks=ODD), meeting(weeks=EVEN)) == []


def test_a_teacher_cannot_lead_two_meetings_at_once() -> None:
    other = meeting(classes=["V3"], lead_room=RoomCode("L2"))
    assert broken(Rule, county(), meeting(), other) == ["rule_h3_teacher"]


def test_a_lead_room_cannot_hold_two_meetings_that_share_a_minute() -> None:
    other = meeting(2, 519, 559, classes=["V3"], lead_teacher=TeacherCode("TA"))
    assert broken(Rule, county(), meeting(), other) == ["rule_h3_room"]


def test_a_local_lesson_holds_its_teacher() -> None:
    assert broken(Rule, county(), meeting(1)) == ["rule_h3_teacher"]


def test_the_absence_of_a_school_holds_its_classes() -> None:
    gone = Unavailability("school", "V", Slot(2, 500, 501))
    assert broken(Rule, county(unavailabilities=(gone,)), meeting(classes=["V3"])) == ["rule_h3_class"]


def test_a_member_cannot_attend_and_teach() -> None:
    gone = Unavailability("teacher", "TW", Slot(2, 480, 520))
    community = meeting(family="master", classes=[], members=(TeacherCode("TW"),))
    assert broken(Rule, county(unavailabilities=(gone,)), community) == ["rule_h3_teacher"]
