"""A stored plan carried into new county files: previewed, accepted as a legal draft, with classes as they were planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rooms.counties import save_county
from rooms.county import County, SchoolClass
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.outlook import version
from rooms.planning.problem import problem_of
from rooms.planning.rolling import accept_roll_over, preview_roll_over
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from scheduler.check import check
from tests.rooms.planning.test_circumstances import small
from tests.rooms.planning.test_what_if import CLOSED, greedy, keep


async def import_county(store: Store, actor: Actor, clock: Any, county: County) -> None:
    await save_county(store, actor, clock, county, file_name="small", sha256="0" * 64)


@pytest.fixture
async def county(store: Store, planner: Actor, clock: Any) -> str:
    """The small county with a plan of two meetings, version 1."""
    await import_county(store, planner, clock, small())
    async with store.write() as session:
        problem = problem_of(small())
        await save_plan(session, planner, problem, greedy(problem), revision=1, at=clock.now())
    return "X"


def next_year(code: str = "B1") -> County:
    """The files a school year later: the class is in grade 2, under this code."""
    hours = (*small().curriculum, replace(small().curriculum[0], grade=2))
    lessons = tuple(replace(lesson, class_codes=(code,)) for lesson in small().lessons)
    group = SchoolClass(code, "B", frozenset({2}), 9)
    return replace(
        small(), term_start=date(2027, 9, 1), term_end=date(2028, 1, 20), classes=(group,), lessons=lessons, curriculum=hours
    )  # fmt: skip


async def test_into_the_same_files_everything_is_kept(store: Store, county: str) -> None:
    async with store.read() as session:
        found = await preview_roll_over(session, county, 1)
    assert (found.up, found.rolled.misfits) == (False, ())
    assert found.rolled.plan.served_halves == found.old.served_halves == 4


@pytest.mark.parametrize("code", ["B1", "B2"])
async def test_a_class_is_followed_a_grade_up_and_its_plan_kept(
    store: Store, county: str, planner: Actor, clock: Any, code: str
) -> None:
    await import_county(store, planner, clock, next_year(code))
    async with store.read() as session:
        found = await preview_roll_over(session, county, 1)
    assert (found.up, found.followed) == (True, {"B1": code})
    made = await accept_roll_over(store, planner, clock, county, 1, up=True, corrections={})
    async with store.read() as session:
        kept = await version(session, county, made.number)
        assert kept is not None
        assert (kept.number, kept.state, kept.origin, kept.county_revision) == (2, "draft", "roll_over", 2)
        plan = await load_plan(session, kept.id)
        assert {meeting.classes for meeting in plan.meetings} == {(code,)}
        assert check(problem_of(await load_county_in_force(session, county)), plan) == []


async def test_a_planner_knows_better_than_the_codes(store: Store, county: str) -> None:
    async with store.read() as session:
        left = await preview_roll_over(session, county, 1, up=False, corrections={"B1": ""})
        assert {misfit.reason for misfit in left.rolled.misfits} == {"roll_class_gone"}
        with pytest.raises(Invalid, match="class_unknown"):
            await preview_roll_over(session, county, 1, up=False, corrections={"B1": "B9"})
        with pytest.raises(NotFound):
            await preview_roll_over(session, county, 7)


async def test_nothing_is_accepted_where_nothing_fits_and_a_what_if_is_no_plan_to_roll_over(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    with pytest.raises(Conflict, match="roll_over_empty"):
        await accept_roll_over(store, planner, clock, county, 1, up=False, corrections={"B1": ""})
    number = await keep(store, planner, clock, CLOSED)
    async with store.read() as session:
        with pytest.raises(Conflict, match="plan_supposed"):
            await preview_roll_over(session, county, number)
