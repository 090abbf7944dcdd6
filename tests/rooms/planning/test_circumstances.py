"""What happened to a county, put into the county that the planner sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from rooms.county import Bell, County, CurriculumHours, LocalLesson, Room, School, SchoolClass, Teacher
from rooms.planning.circumstance_rows import load_county_in_force, record, recorded
from rooms.planning.circumstances import Circumstance, CircumstanceKind, misfit, with_circumstances
from rooms.planning.problem import problem_of
from rooms.refusals import Invalid
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf
from scheduler.problem import ODD, Need, Slot, Unavailability

FIRST = date(2026, 11, 2)
FIRST_OF_TERM = date(2026, 9, 1)
PERIODS = (("1", 480, 520), ("2", 530, 570))


def small() -> County:
    """A lead school and a point with one class, which lacks two lessons of music; W is the winter table, X has one period alone."""
    return County(
        code="X",
        name="虚构县",
        term_start=date(2026, 9, 1),
        term_end=date(2027, 1, 20),
        schools=(
            School("A", "实验小学", "strong", "lead", "S", stages=("primary",)),
            School("B", "北坡教学点", "teaching_point", "receive", "S", stages=("primary",)),
        ),
        bells=(
            *(Bell("S", day, *period) for day in (1, 2) for period in PERIODS),
            *(Bell("W", day, name, start + 30, end + 30) for day in (1, 2) for name, start, end in PERIODS),
            Bell("X", 1, *PERIODS[0]),
        ),
        rooms=(Room("A-R", "A", "recording", True),),
        teachers=(Teacher("T1", "A", "甲", {"music": frozenset()}),),
        classes=(SchoolClass("B1", "B", frozenset({1}), 9),),
        lessons=(LocalLesson(1, "B", ("B1",), "chinese", 2, "2"),),
        curriculum=(CurriculumHours("P", "music", 1, 4),),
    )


def happened(kind: CircumstanceKind, code: str, **more: object) -> Circumstance:
    return replace(Circumstance(kind, code, FIRST), **more)  # type: ignore[arg-type] # columns as each test names them


def unavailable(county: County) -> set[Unavailability]:
    return set(problem_of(county).unavailabilities)


def test_whoever_is_away_for_good_is_away_all_day_on_every_day() -> None:
    seen = unavailable(with_circumstances(small(), [happened("teacher_away", "T1")]))
    assert seen == {Unavailability("teacher", "T1", Slot(day, 0, 1440)) for day in range(1, 8)}


def test_a_window_may_be_a_period_of_the_schools_bell_or_minutes_in_some_weeks() -> None:
    closed = happened("room_closed", "A-R", weekdays=frozenset({1}), period="2", weeks=ODD)
    shut = happened("school_closed", "B", weekdays=frozenset({2}), start=500, end=560)
    seen = unavailable(with_circumstances(small(), [closed, shut]))
    assert seen == {
        Unavailability("room", "A-R", Slot(1, 530, 570, ODD)),
        Unavailability("school", "B", Slot(2, 500, 560)),
    }


def test_what_ends_on_a_day_leaves_the_week_alone() -> None:
    assert with_circumstances(small(), [happened("teacher_away", "T1", until_date=date(2026, 11, 6))]) == small()


def test_winter_bells_move_every_school_of_the_table_with_its_local_lessons() -> None:
    problem = problem_of(with_circumstances(small(), [happened("bell_changed", "S", bell_code="W")]))
    assert {school.periods[1] for school in problem.schools.values()} == {((510, 550), (560, 600))}
    assert problem.lessons[0].slot == Slot(2, 560, 600)


def test_a_need_is_added_to_the_computed_ones_or_to_one_that_is_there() -> None:
    more = [happened("need_added", "B1", subject="music", halves=1, priority=8)]
    more.append(happened("need_added", "B1", subject="art", halves=2))
    needs = set(problem_of(with_circumstances(small(), more)).needs)
    assert needs == {Need("B1", "music", 5, 8), Need("B1", "art", 2, 5)}  # type: ignore[arg-type] # plain codes


@pytest.mark.parametrize(
    ("circumstance", "why"),
    [
        (happened("teacher_away", "T9"), "circumstance_unknown"),
        (happened("bell_changed", "W", bell_code="S"), "circumstance_unknown"),  # no school follows W
        (happened("room_closed", "A-R", weekdays=frozenset({1}), period="9"), "circumstance_window"),
        (happened("school_closed", "B", start=560, end=560), "circumstance_window"),
        (happened("need_added", "B1", subject="music"), "circumstance_subject"),
        (happened("bell_changed", "S", bell_code="W", until_date=FIRST), "circumstance_always_standing"),
        (happened("bell_changed", "S", bell_code="N"), "bell_unknown"),
        (happened("bell_changed", "S", bell_code="S"), "bell_same"),
        (happened("bell_changed", "S", bell_code="X"), "bell_lacks_periods"),
    ],
)
def test_what_the_county_does_not_fit_is_named_and_passed_over(circumstance: Circumstance, why: str) -> None:
    assert misfit(small(), circumstance) == why
    assert with_circumstances(small(), [circumstance]) == small()


async def test_what_was_told_is_kept_and_in_force_until_lifted(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    away = Circumstance("teacher_away", "T1", FIRST_OF_TERM, reason="产假")
    async with store.write() as session:
        before = await load_county_in_force(session, county)
        await record(session, planner, before, away, at=clock.now())
        ill = replace(away, code="T2", until_date=FIRST_OF_TERM)
        row = await record(session, planner, before, ill, at=clock.now(), effects=[{"cancelled": "x"}])
    async with store.read() as session:
        after = await load_county_in_force(session, county)
        assert [(gone.code, gone.reason) for gone in after.unavailabilities] == [("T1", "产假")]
        told = await recorded(session, county)
        assert [each.what for each in told] == [ill, away]
        assert (told[0].effects, told[0].by, told[0].at) == (({"cancelled": "x"},), planner.name, clock.now())
        assert [each.over(FIRST_OF_TERM + timedelta(days=1)) for each in told] == [True, False]
        entries = await session.scalars(select(AuditLeaf.object).where(AuditLeaf.action == "circumstance.record"))
        assert f"circumstance:{row.id}" in set(entries)
    with pytest.raises(Invalid, match="circumstance_dates"):
        async with store.write() as session:
            late = replace(away, from_date=before.term_end + timedelta(days=1))
            await record(session, planner, before, late, at=clock.now())
