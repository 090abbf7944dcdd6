"""What-ifs in the store: they are never published, and are adopted or discarded on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from rooms.counties import save_county
from rooms.planning.circumstance_rows import in_force, load_county_in_force, record
from rooms.planning.circumstances import Circumstance
from rooms.planning.hypothesis import Happens, Hypothesis, LeadRoomMore, PolicyIs, to_json
from rooms.planning.outlook import version, versions
from rooms.planning.problem import problem_of
from rooms.planning.publish import publish_plan
from rooms.planning.versions import load_plan, save_plan
from rooms.planning.what_if import adopt, discard, load_supposed_county, supposed_county
from rooms.policy import set_policy
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, PlanMeeting
from scheduler.assemble import delivery_meetings, missing_of, numbered, plan_of
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import Plan, Problem, Unmet
from scheduler.windows import Grid
from tests.rooms.planning.test_circumstances import FIRST, small

CLOSED: Hypothesis = (
    Happens(Circumstance("school_closed", "B", FIRST, weekdays=frozenset({1}))),
    PolicyIs("max_receivers", 2),
)


def greedy(problem: Problem) -> Plan:
    meetings = numbered(delivery_meetings(plain_greedy(Offers(problem, Grid(problem)))), None)
    reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=1, status="feasible")


async def keep(store: Store, actor: Actor, clock: Any, hypothesis: Hypothesis) -> int:
    """A what-if of the small county; its number."""
    async with store.write() as session:
        problem = problem_of(await load_supposed_county(session, "X", to_json(hypothesis)))
        kept = await save_plan(
            session, actor, problem, greedy(problem), revision=1, at=clock.now(), hypothesis=to_json(hypothesis)
        )
        return kept.number


@pytest.fixture
async def county(store: Store, planner: Actor, clock: Any) -> str:
    await save_county(store, planner, clock, small(), file_name="small", sha256="0" * 64)
    return "X"


async def test_a_what_if_changes_nothing_and_cannot_be_published(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    number = await keep(store, planner, clock, CLOSED)
    async with store.read() as session:
        assert await load_county_in_force(session, county) == small()
        found = await version(session, county, number)
        assert found is not None
        assert (found.supposed, found.origin, found.hypothesis) == (True, "what_if", to_json(CLOSED))
        plan = await load_plan(session, found.id)
    assert {meeting.slot.weekday for meeting in plan.meetings} == {2}
    with pytest.raises(Conflict, match="plan_supposed"):
        await publish_plan(store, planner, clock, county, found.id, FIRST)


async def test_adopting_makes_the_suppositions_the_countys_own(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    """A policy value is set as on the page of rules: over the file, and over what was set before."""
    await set_policy(store, planner, clock, county, {"max_receivers": 5})
    number = await keep(store, planner, clock, CLOSED)
    await adopt(store, planner, clock, county, number)
    async with store.read() as session:
        now = await load_county_in_force(session, county)
        assert (len(now.unavailabilities), now.policy.max_receivers) == (1, 2)
        assert [each.kind for each in await in_force(session, county)] == ["school_closed"]
        found = await version(session, county, number)
        assert found is not None
        assert found.state == "draft"
        actions = set(await session.scalars(select(AuditLeaf.action)))
        assert {"plan.adopt", "circumstance.record", "policy.set"} <= actions
    await publish_plan(store, planner, clock, county, found.id, FIRST)
    with pytest.raises(Conflict, match="what_if_not"):
        await adopt(store, planner, clock, county, number)


async def test_what_is_outdated_is_not_adopted_and_leaves_no_trace(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    number = await keep(store, planner, clock, CLOSED)
    async with store.write() as session:
        ill = Circumstance("teacher_away", "T1", FIRST)
        await record(session, planner, await load_county_in_force(session, county), ill, at=clock.now())
    with pytest.raises(Conflict, match="what_if_outdated"):
        await adopt(store, planner, clock, county, number)
    async with store.read() as session:
        assert await in_force(session, county) == [ill]
        assert (await load_county_in_force(session, county)).policy.max_receivers == 3


async def test_what_only_the_files_can_bring_is_not_adopted(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    number = await keep(store, planner, clock, (LeadRoomMore("A"),))
    with pytest.raises(Conflict, match="what_if_files"):
        await adopt(store, planner, clock, county, number)


async def test_a_discarded_what_if_is_gone_and_its_number_is_not_given_again(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    number = await keep(store, planner, clock, CLOSED)
    await discard(store, planner, clock, county, number)
    async with store.read() as session:
        assert await versions(session, county) == ()
        assert await version(session, county, number) is None
        assert await session.scalar(select(func.count()).select_from(PlanMeeting)) == 0
    with pytest.raises(NotFound):
        await discard(store, planner, clock, county, number)
    assert await keep(store, planner, clock, CLOSED) == number + 1


async def test_a_plan_that_is_no_what_if_cannot_be_discarded(
    store: Store, county: str, planner: Actor, clock: Any
) -> None:
    async with store.write() as session:
        problem = problem_of(small())
        await save_plan(session, planner, problem, greedy(problem), revision=1, at=clock.now())
    with pytest.raises(Conflict, match="what_if_not"):
        await discard(store, planner, clock, county, 1)


def test_nothing_supposed_and_nonsense_are_refused() -> None:
    with pytest.raises(Invalid, match="what_if_empty"):
        supposed_county(small(), ())
    with pytest.raises(Invalid, match="what_if_policy") as refused:
        supposed_county(small(), (PolicyIs("max_receivers", -1),))
    assert refused.value.facts == {"code": "max_receivers", "least": 0, "most": 1_000_000}
