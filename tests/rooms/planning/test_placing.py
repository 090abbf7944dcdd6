"""Placing by hand: what a place would break is said before the choice, and whoever overrides a rule is on record."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from planned import MONDAY, TUESDAY, stored
from sqlalchemy import select

from rooms.planning.circumstance_rows import load_county_in_force, record
from rooms.planning.circumstances import Circumstance
from rooms.planning.meeting_locks import load_problem, locks_of
from rooms.planning.places import Places
from rooms.planning.placing import Piece, Spot, load_bench, place
from rooms.planning.versions import load_plan
from rooms.refusals import Conflict, Invalid
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf
from scheduler.check import check
from scheduler.problem import Slot, TeacherCode

THURSDAY, BESIDE = Slot(4, 570, 610), TUESDAY.slot
MOVE = Piece(meeting="D0001")


@pytest.fixture
async def plan_id(store: Store, unplanned_county: str, clock: Any, planner: Actor) -> int:
    """T1 teaches K2 on Monday and K3 on Tuesday."""
    return await stored(store, planner, clock.now(), MONDAY, TUESDAY)


async def test_every_period_says_what_it_would_break(store: Store, plan_id: int) -> None:
    async with store.read() as session:
        places: Places = (await load_bench(session, "C", plan_id, MOVE)).places
    assert places.teachers == ("T1", "T4")
    cells = {(cell.period.weekday, cell.period.start): cell for cell in places.cells(TeacherCode("T1"))}
    assert len(cells) == 15
    assert cells[4, 570].breaches == ()
    assert {breach.rule for breach in cells[2, 570].breaches} <= {"H3", "H7"}  # T1 has K3 then, of another grade
    assert cells[2, 570].breaches
    assert "H3" in {breach.rule for breach in cells[1, 520].breaches}  # K2 has a local lesson
    assert cells[1, 520].possible
    free = {(cell.period.weekday, cell.period.start) for cell in places.cells(TeacherCode("T4")) if not cell.breaches}
    assert (1, 570) in free


async def test_a_clean_place_is_a_new_version_and_stays(store: Store, plan_id: int, clock: Any, planner: Actor) -> None:
    version = await place(store, planner, clock, "C", plan_id, MOVE, Spot("T4", "R1", THURSDAY))
    async with store.read() as session:
        plan = await load_plan(session, version.id)
        (kept,) = await locks_of(session, "C")
        assert check(await load_problem(session, "C"), plan) == []
    moved = {meeting.code: meeting for meeting in plan.meetings}["D0001"]
    assert (moved.lead_teacher, moved.slot, moved.classes) == ("T4", THURSDAY, MONDAY.classes)
    assert (version.previous_id, version.origin) == (plan_id, "hand")
    assert (kept.lock.meeting.slot, kept.lock.overrides) == (THURSDAY, frozenset())


async def test_a_lacking_lesson_is_placed_and_counts(store: Store, plan_id: int, clock: Any, planner: Actor) -> None:
    art = Piece(school_class="K3", subject="art")
    async with store.read() as session:
        before = await load_plan(session, plan_id)
    spot = Spot("T2", "R1", THURSDAY)
    version = await place(store, planner, clock, "C", plan_id, art, spot, lock=False)
    async with store.read() as session:
        plan = await load_plan(session, version.id)
        assert await locks_of(session, "C") == []
    assert plan.served_halves == before.served_halves + 2
    assert ("K3", "art") not in {(lack.school_class, lack.subject) for lack in plan.unmet}
    with pytest.raises(Invalid, match="place_nothing"):
        await place(store, planner, clock, "C", version.id, art, Spot("T2", "R1", Slot(5, 570, 610)))


async def test_rules_are_overridden_with_a_reason_by_name(
    store: Store, plan_id: int, clock: Any, planner: Actor
) -> None:
    spot = Spot("T1", "R1", BESIDE)
    with pytest.raises(Conflict, match="place_breaks"):
        await place(store, planner, clock, "C", plan_id, MOVE, spot)
    with pytest.raises(Invalid, match="place_reason"):
        await place(store, planner, clock, "C", plan_id, MOVE, spot, anyway=True, reason=" ")
    version = await place(store, planner, clock, "C", plan_id, MOVE, spot, anyway=True, reason="合班上课", lock=False)
    async with store.read() as session:
        plan, problem = await load_plan(session, version.id), await load_problem(session, "C")
        (kept,) = await locks_of(session, "C")
        leaf = await session.scalar(select(AuditLeaf.canonical).where(AuditLeaf.action == "plan.place"))
    assert check(problem, plan) == []
    assert (kept.lock.overrides, kept.reason, kept.by) == (frozenset({"H3"}), "合班上课", planner.name)
    assert leaf is not None
    assert json.loads(leaf)["facts"]["overridden"] == ["H3"]
    back = await place(store, planner, clock, "C", version.id, MOVE, Spot("T1", "R1", MONDAY.slot), lock=False)
    async with store.read() as session:  # the old lock went with the old place
        assert await locks_of(session, "C") == []
        assert check(await load_problem(session, "C"), await load_plan(session, back.id)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_plan_of_an_earlier_county_is_repaired_first(
    store: Store, plan_id: int, clock: Any, planner: Actor
) -> None:
    clock.advance(minutes=1)
    async with store.write() as session:
        gone = Circumstance("room_closed", "R1", date(2026, 9, 1))
        await record(session, planner, await load_county_in_force(session, "C"), gone, at=clock.now())
    with pytest.raises(Conflict, match="plan_behind"):
        await place(store, planner, clock, "C", plan_id, MOVE, Spot("T4", "R1", THURSDAY))
