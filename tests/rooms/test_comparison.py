"""Two plans side by side: what stands, what moved, what came and went."""

from __future__ import annotations

from dataclasses import replace

from rooms.planning.comparison import compare
from scheduler.problem import (
    ODD,
    ClassCode,
    Meeting,
    Pair,
    Plan,
    PlannedPair,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)

MUSIC = Meeting(
    "D1",
    "delivery",
    Subject("music"),
    TeacherCode("t1"),
    RoomCode("r1"),
    Slot(1, 520, 560),
    (ClassCode("a"), ClassCode("b")),
)
PAIR = PlannedPair(Pair(SchoolCode("s1"), SchoolCode("s2")), frozenset({Subject("music")}))


def plan(*meetings: Meeting, pairs: tuple[PlannedPair, ...] = (PAIR,), served: int = 4) -> Plan:
    return Plan(meetings, pairs, (), 4, served, 20, served * 5, 20, 1.0, 1, "feasible")


def test_a_plan_is_as_it_is() -> None:
    found = compare(plan(MUSIC), plan(replace(MUSIC, code="another code")))
    assert found.shifts == ()
    assert (found.unchanged, found.pairs_kept) == (2, 1)


def test_one_class_moves_the_other_stays() -> None:
    stays, goes = replace(MUSIC, classes=(ClassCode("a"),)), replace(MUSIC, code="D2", classes=(ClassCode("b"),))
    found = compare(plan(MUSIC), plan(stays, replace(goes, slot=Slot(2, 520, 560, ODD))))
    (shift,) = found.shifts
    assert (shift.change, shift.who) == ("moved", "b")
    assert (shift.before, shift.after) == ((Slot(1, 520, 560),), (Slot(2, 520, 560, ODD),))
    assert found.unchanged == 1


def test_what_came_and_what_went_is_counted() -> None:
    other = PlannedPair(Pair(SchoolCode("s1"), SchoolCode("s3")), frozenset({Subject("music")}))
    went = compare(plan(MUSIC), plan(pairs=(), served=0))
    came = compare(plan(pairs=(), served=0), plan(MUSIC, pairs=(PAIR, other)))
    assert (went.changes["removed"], went.served_before, went.served_after) == (2, 4, 0)
    assert (came.changes["added"], len(came.pairs_added), came.pairs_removed) == (2, 2, ())


def test_another_teacher_in_the_same_window_is_a_change() -> None:
    found = compare(plan(MUSIC), plan(replace(MUSIC, lead_teacher=TeacherCode("t2"))))
    assert [(shift.who, shift.change, shift.lead_before, shift.lead_after) for shift in found.shifts] == [
        ("a", "moved", "t1", "t2"),
        ("b", "moved", "t1", "t2"),
    ]
    assert found.unchanged == 0
