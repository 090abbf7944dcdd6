"""Two plans side by side: service, pairings, load, activities, and what stands, moved, came and went."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.planning.comparison import Comparison, Homes, compare, of_school, spread
from rooms.planning.shifts import Place
from scheduler.assemble import delivery_meetings, missing_of, numbered, plan_of
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import (
    ODD,
    ClassCode,
    Meeting,
    Pair,
    Plan,
    PlannedPair,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
    Unmet,
)
from scheduler.windows import Grid
from tests.scheduler.counties import random_county

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
HOMES = Homes({"a": "s2", "b": "s3"}, {"t1": "s1", "t2": "s4"})


def plan(*meetings: Meeting, pairs: tuple[PlannedPair, ...] = (PAIR,), unmet: tuple[Unmet, ...] = ()) -> Plan:
    served = sum(meeting.slot.halves * len(meeting.classes) for meeting in meetings if meeting.family == "delivery")
    needed = served + sum(lack.missing_halves for lack in unmet)
    return Plan(meetings, pairs, unmet, needed, served, needed * 5, served * 5, needed * 5, 1.0, 1, "feasible")


def test_a_plan_is_as_it_is() -> None:
    found = compare(plan(MUSIC), plan(replace(MUSIC, code="another code")), HOMES)
    assert found.same
    assert (found.unchanged, found.pairs_kept) == (2, (PAIR.pair,))


def test_one_class_moves_the_other_stays() -> None:
    stays, goes = replace(MUSIC, classes=(ClassCode("a"),)), replace(MUSIC, code="D2", classes=(ClassCode("b"),))
    found = compare(plan(MUSIC), plan(stays, replace(goes, slot=Slot(2, 520, 560, ODD))), HOMES)
    (shift,) = found.shifts
    assert (shift.change, shift.who) == ("moved", "b")
    assert (shift.before, shift.after) == (
        Place(Slot(1, 520, 560), "t1", "r1"),
        Place(Slot(2, 520, 560, ODD), "t1", "r1"),
    )
    assert found.unchanged == 1


def test_another_teacher_or_room_in_the_same_window_is_told_apart() -> None:
    for change, other in (
        ("teacher", replace(MUSIC, lead_teacher=TeacherCode("t2"))),
        ("room", replace(MUSIC, lead_room=RoomCode("r2"))),
    ):
        found = compare(plan(MUSIC), plan(other), HOMES)
        assert [(shift.who, shift.change) for shift in found.shifts] == [("a", change), ("b", change)]
        assert (found.unchanged, found.same) == (0, False)


def test_lessons_of_one_need_are_set_against_each_other_by_time() -> None:
    """Two lessons stay on their days and a third is dropped: nobody is told that Monday became Wednesday."""
    days = [replace(MUSIC, code=f"D{day}", slot=Slot(day, 520, 560)) for day in (1, 2, 3)]
    later = [replace(meeting, slot=meeting.slot._replace(start=600, end=640)) for meeting in days[1:]]
    found = compare(plan(*days), plan(*later), HOMES)
    pairs = [(s.before and s.before.slot.weekday, s.after and s.after.slot.weekday) for s in found.shifts[:3]]
    assert pairs == [(2, 2), (3, 3), (1, None)]


def test_what_came_and_what_went_is_counted() -> None:
    other = PlannedPair(Pair(SchoolCode("s1"), SchoolCode("s3")), frozenset({Subject("music")}))
    lacks = tuple(Unmet(ClassCode(code), Subject("music"), 2, "run_ended") for code in "ab")
    went = compare(plan(MUSIC), plan(pairs=(), unmet=lacks), HOMES)
    came = compare(plan(pairs=(), unmet=lacks), plan(MUSIC, pairs=(PAIR, other)), HOMES)
    assert (went.changes["removed"], went.lost, went.gained) == (2, 4, 0)
    assert (came.changes["added"], len(came.pairs_added), came.pairs_removed) == (2, 2, ())
    assert [(row.code, row.needed_after, row.gained) for row in came.schools] == [("s2", 2, 2), ("s3", 2, 2)]


def test_one_school_sees_what_touches_it() -> None:
    found = compare(plan(MUSIC), plan(replace(MUSIC, lead_teacher=TeacherCode("t2"))), HOMES)
    for school, who in (("s2", "a"), ("s3", "b")):
        part = of_school(found, school, HOMES)
        assert [shift.who for shift in part.shifts] == [who]
    lead = of_school(found, "s4", HOMES)
    assert len(lead.shifts) == 2
    assert [(load.code, load.before, load.after) for load in lead.teachers] == [("t2", 0, 2)]


def test_an_activity_says_when_and_how_many() -> None:
    course = replace(MUSIC, family="network", ref="N1")
    found = compare(plan(MUSIC), plan(MUSIC, course), HOMES)
    (activity,) = found.activities
    assert (activity.ref, activity.before.places, activity.after.attend) == ("N1", (), 2)
    assert found.lost == found.gained == 0, "a course is no delivery"


def test_the_spread_of_equal_loads_is_even() -> None:
    assert spread([4, 4, 0]).deviation == 0
    uneven = spread([2, 6])
    assert (uneven.leading, uneven.busiest, uneven.average, uneven.deviation) == (2, 3, 2, 1)


def two_plans(seed: int) -> tuple[Problem, Plan, Plan]:
    """A county's greedy plan, and the same with some of its meetings gone."""
    problem = random_county(seed)
    meetings = numbered(delivery_meetings(plain_greedy(Offers(problem, Grid(problem)))), None)
    some = [meeting for meeting in meetings if Random(f"{seed}{meeting.code}").random() < 0.6]
    return problem, _whole(problem, meetings), _whole(problem, some)


def _whole(problem: Problem, meetings: list[Meeting]) -> Plan:
    reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=1, status="feasible")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 30))
def test_the_way_back_is_the_way_there_turned_round(seed: int) -> None:
    problem, whole, part = two_plans(seed)
    homes = Homes(
        {code: str(group.school) for code, group in problem.classes.items()},
        {code: str(teacher.school) for code, teacher in problem.teachers.items()},
    )
    there, back = compare(whole, part, homes), compare(part, whole, homes)
    assert there.same == (whole.meetings == part.meetings)
    assert there.gained == back.lost == 0
    assert there.lost == back.gained == whole.served_halves - part.served_halves
    assert there.changes["removed"] == back.changes["added"] == len(there.shifts)
    assert (there.pairs_removed, there.pairs_kept) == (back.pairs_added, back.pairs_kept)
    for found, plan_after in ((there, part), (back, whole)):
        assert sum(row.served_after for row in found.schools) == plan_after.served_halves
        assert sum(row.needed_after for row in found.subjects) == plan_after.needed_halves
        assert _of_schools(found, problem, homes) == sum(row.served_after for row in found.schools)


def _of_schools(found: Comparison, problem: Problem, homes: Homes) -> int:
    """The parts of all schools make the whole."""
    return sum(row.served_after for school in problem.schools for row in of_school(found, school, homes).schools)
