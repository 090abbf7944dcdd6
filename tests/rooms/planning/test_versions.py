"""Nothing illegal is ever stored: the one door to the plans of a county asks the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from rooms.counties import load_county
from rooms.planning.problem import problem_of
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Invalid
from rooms.store import SYSTEM, Store
from rooms.tables import AuditLeaf, PlanMeeting, PlanVersion
from scheduler.problem import Plan, Problem, RoomCode
from tests.scheduler.legal import legal_plan

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
async def problem(store: Store, demo_county: str) -> Problem:
    async with store.read() as session:
        return problem_of(await load_county(session, demo_county))


def in_a_receiving_room(problem: Problem, plan: Plan) -> Plan:
    room = next(room.code for room in problem.rooms.values() if not room.can_lead)
    return replace(plan, meetings=(replace(plan.meetings[0], lead_room=RoomCode(room)), *plan.meetings[1:]))


def half_forgotten(problem: Problem, plan: Plan) -> Plan:
    return replace(plan, meetings=plan.meetings[::2])


def boasting(problem: Problem, plan: Plan) -> Plan:
    return replace(plan, served_weighted=plan.served_weighted + 1)


@pytest.mark.parametrize("spoilt", [in_a_receiving_room, half_forgotten, boasting])
async def test_an_illegal_plan_is_refused_and_leaves_no_trace(
    store: Store, problem: Problem, spoilt: Callable[[Problem, Plan], Plan]
) -> None:
    plan = spoilt(problem, legal_plan(problem))
    async with store.read() as session:
        leaves = await session.scalar(select(func.count()).select_from(AuditLeaf))
    with pytest.raises(Invalid) as refused:
        async with store.write() as session:
            await save_plan(session, SYSTEM, problem, plan, revision=1, at=NOW)
    assert refused.value.code == "plan_not_legal"
    assert refused.value.facts["count"]
    async with store.read() as session:
        for table in (PlanVersion, PlanMeeting):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await session.scalar(select(func.count()).select_from(AuditLeaf)) == leaves


async def test_a_legal_plan_is_stored_as_it_is(store: Store, problem: Problem) -> None:
    plan = legal_plan(problem)
    async with store.write() as session:
        version = await save_plan(session, SYSTEM, problem, plan, revision=1, at=NOW)
        number = version.id
    async with store.read() as session:
        stored = await load_plan(session, number)
    assert sorted(stored.meetings, key=lambda m: m.code) == sorted(plan.meetings, key=lambda m: m.code)
    assert (stored.served_weighted, stored.bound_weighted) == (plan.served_weighted, plan.bound_weighted)
