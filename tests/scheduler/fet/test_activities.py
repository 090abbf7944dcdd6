"""What FET is given is solvable, and whatever it answers comes back as a legal plan."""

from __future__ import annotations

from random import Random
from xml.etree import ElementTree as Xml

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.assemble import bare, delivery_meetings, numbered
from scheduler.board import Board
from scheduler.check import check
from scheduler.fet.activities import Activities, bands, hours_placed, seated
from scheduler.fet.document import document
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import Problem
from scheduler.windows import Grid
from tests.scheduler.counties import counties
from tests.scheduler.small import county

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def legal(problem: Problem, board: Board) -> bool:
    plan = bare(problem, numbered(delivery_meetings(board), None), bound=10**9, seconds=0.0, seed=1)
    return check(problem, plan) == []


@quick
@given(counties, st.integers(0, 1 << 20))
def test_any_answer_is_seated_legally_and_what_does_not_fit_is_counted(problem: Problem, seed: int) -> None:
    """Even where two hours overlap in minutes, or nobody is free to assist: FET knows nothing of that."""
    offers, random = Offers(problem, Grid(problem)), Random(seed)
    found = Activities(plain_greedy(offers))
    activities = [*found.placed, *found.left_out]
    hours = {one.number: random.choice(sorted(one.spots)) for one in activities if one.spots}
    board, dropped = seated(offers, activities, hours)
    seats = sum(len(sitting.needs) for sitting in board.sittings.values())
    assert legal(problem, board)
    assert seats + dropped == sum(len(one.needs) for one in activities if one.number in hours)


def test_the_file_names_every_party_of_an_activity_and_its_hours() -> None:
    problem = county()
    offers = Offers(problem, Grid(problem))
    found = Activities(plain_greedy(offers))
    root = Xml.fromstring(document(offers, found.placed))
    first = found.placed[0]
    written = next(one for one in root.iter("Activity") if one.findtext("Id") == str(first.number))
    assert [one.text for one in written.iter("Teacher")] == [first.teacher, "room W1"]
    assert {one.text for one in written.iter("Students")} == {offers.wants[n].need.school_class for n in first.needs}
    times = next(
        one for one in root.iter("ConstraintActivityPreferredStartingTimes")
        if one.findtext("Activity_Id") == str(first.number)
    )  # fmt: skip
    assert len(list(times.iter("Preferred_Starting_Time"))) == len(first.spots)
    assert [one.text for one in root.find("Hours_List").iter("Name")] == ["1", "2", "3"]  # type: ignore[union-attr]


def test_periods_that_begin_at_about_the_same_time_are_one_hour() -> None:
    problem = county()
    assert bands(Offers(problem, Grid(problem))) == {480: 1, 530: 2, 600: 3}


def test_an_activity_that_was_not_placed_has_no_hour() -> None:
    text = (
        "<Activities_Timetable><Activity><Id>1</Id><Day>2</Day><Hour>3</Hour><Room/></Activity>"
        "<Activity><Id>2</Id><Day></Day><Hour></Hour><Room/></Activity></Activities_Timetable>"
    )
    assert hours_placed(text) == {1: (2, 3)}
