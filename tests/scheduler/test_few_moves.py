"""W5: what stood stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.problem import Meeting, RoomCode, TeacherCode
from scheduler.wishes.moves import FewMoves
from tests.scheduler.small import county, meeting, plan, wished

STOOD = meeting(2, classes=["W3a", "W3b"], code="D0001")


def test_where_no_plan_stood_nothing_moves() -> None:
    assert wished(FewMoves, county(), STOOD) == []


@pytest.mark.parametrize("after", [STOOD, replace(STOOD, code="D0009"), replace(STOOD, classes=(*STOOD.classes, "V3"))])
def test_who_stays_or_is_joined_does_not_move(after: Meeting) -> None:
    assert wished(FewMoves, county(), after, before=plan(county(), STOOD)) == []


@pytest.mark.parametrize(
    "after",
    [
        replace(STOOD, slot=STOOD.slot._replace(weekday=3)),
        replace(STOOD, lead_room=RoomCode("L2")),
        replace(STOOD, lead_teacher=TeacherCode("TA")),
        replace(STOOD, classes=STOOD.classes[:1]),
    ],
)
def test_another_time_room_or_teacher_is_a_move_and_so_is_losing_somebody(after: Meeting) -> None:
    (cause,) = wished(FewMoves, county(), after, before=plan(county(), STOOD))
    assert (cause.count, cause.facts["meeting"], cause.meetings) == (1, "D0001", ("D0001",))


def test_what_is_gone_counts_though_there_is_nothing_to_open() -> None:
    (cause,) = wished(FewMoves, county(), before=plan(county(), STOOD))
    assert (cause.count, cause.meetings) == (1, ())
