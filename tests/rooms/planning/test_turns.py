"""Two planners at once, on the database where transactions run side by side."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from planned import MONDAY, TUESDAY, plan, stored
from sqlalchemy import func, select

from rooms.planning.changes import NewLesson, add_lesson
from rooms.planning.meeting_locks import load_problem
from rooms.planning.publish import publish_plan
from rooms.planning.versions import save_plan
from rooms.refusals import Conflict
from rooms.store import Actor, Store
from rooms.tables import Occurrence, PlanVersion

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
START = date(2026, 9, 1)


async def test_a_plan_that_is_published_twice_at_once_has_its_lessons_once(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    done = await asyncio.gather(*(publish_plan(store, planner, clock, county, 1, START) for _ in range(2)))
    async with store.read() as session:
        lessons = await session.scalar(select(func.count()).select_from(Occurrence))
    assert sorted(each.added for each in done) == [0, lessons]


async def test_an_hour_is_given_away_once(store: Store, county: str, clock: Any, planner: Actor) -> None:
    new = NewLesson(
        county, START, 570, 610, subject="art", lead_teacher_code="T2", lead_room_code="R1", class_codes=("K3",)
    )
    made = await asyncio.gather(*(add_lesson(store, planner, clock, new) for _ in range(2)), return_exceptions=True)
    assert set(map(type, made)) == {str, Conflict}


async def test_two_plans_that_come_at_once_have_two_numbers(
    store: Store, unplanned_county: str, clock: Any, planner: Actor
) -> None:
    await stored(store, planner, clock.now(), MONDAY)

    async def save() -> None:
        async with store.write() as session:
            problem = await load_problem(session, unplanned_county)
            await save_plan(session, planner, problem, plan(problem, TUESDAY), revision=1, at=clock.now())

    await asyncio.gather(*(save() for _ in range(3)))
    async with store.read() as session:
        assert sorted(await session.scalars(select(PlanVersion.number))) == [1, 2, 3, 4]
