"""A repair is shown before it is accepted, accepted whole or not at all, and never on a county that changed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from planned import MONDAY, TUESDAY, stored
from sqlalchemy import func, select

from rooms.planning.apart import apart
from rooms.planning.circumstance_rows import in_force
from rooms.planning.circumstances import Circumstance
from rooms.planning.meeting_locks import load_problem, lock_meetings, locks_of
from rooms.planning.repairs import (
    KEPT,
    Draft,
    Wish,
    accept_repair,
    discard_repair,
    load_draft,
    preview_repair,
    standing_version,
)
from rooms.planning.versions import load_plan
from rooms.refusals import Conflict, Invalid, NotFound, Unavailable
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, Bell, PlanVersion, RepairDraft
from scheduler.check import check
from scheduler.problem import Lock, Slot, TeacherCode

GONE = Circumstance("teacher_away", "T1", date(2026, 9, 1), reason="产假")


@pytest.fixture
async def standing(store: Store, unplanned_county: str, clock: Any, planner: Actor) -> int:
    """The id of a legal plan of two meetings that T1 leads."""
    return await stored(store, planner, clock.now(), MONDAY, TUESDAY)


async def seen(store: Store, clock: Any, draft: str) -> Draft:
    async with store.read() as session:
        return await load_draft(session, clock, "C", draft)


async def test_who_is_gone_for_good_is_replaced_and_everything_else_stands(
    store: Store, standing: int, clock: Any, planner: Actor
) -> None:
    draft = await preview_repair(store, planner, clock, "C", Wish(GONE))
    shown = await seen(store, clock, draft)
    repaired = shown.made.repaired
    assert (shown.standing_id, shown.outdated, repaired.forced, repaired.moved, repaired.proved) == (
        standing, False, 2, 2, True,
    )  # fmt: skip
    assert {change.after and change.after.lead_teacher for change in repaired.changes if change.before} == {"T4"}
    async with store.read() as session:  # shown, and nothing done
        assert await in_force(session, "C") == []
        assert (await session.scalar(select(func.max(PlanVersion.id)))) == standing
    clock.advance(minutes=5)
    version = await accept_repair(store, planner, clock, "C", draft)
    assert (version.previous_id, version.origin, version.state) == (standing, "repair", "draft")
    async with store.read() as session:
        assert await in_force(session, "C") == [GONE]
        assert await load_plan(session, version.id) == repaired.plan
        assert check(await load_problem(session, "C"), repaired.plan) == []
        assert await session.scalar(select(func.count()).select_from(RepairDraft)) == 0
        acts = set(await session.scalars(select(AuditLeaf.action)))
        assert {"circumstance.record", "plan.save", "plan.repair"} <= acts
    with pytest.raises(NotFound, match="repair_unknown"):
        await accept_repair(store, planner, clock, "C", draft)


@pytest.mark.parametrize("meanwhile", ["locked", "planned"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_county_that_changed_meanwhile_is_not_overwritten(
    store: Store, standing: int, clock: Any, planner: Actor, meanwhile: str
) -> None:
    draft = await preview_repair(store, planner, clock, "C", Wish(GONE))
    if meanwhile == "locked":
        await lock_meetings(store, planner, clock, "C", standing, {"D0002"})
    else:
        await stored(store, planner, clock.now(), MONDAY)
    assert (await seen(store, clock, draft)).outdated
    with pytest.raises(Conflict, match="repair_outdated"):
        await accept_repair(store, planner, clock, "C", draft)
    async with store.read() as session:
        assert await in_force(session, "C") == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_draft_expires_and_can_be_thrown_away(store: Store, standing: int, clock: Any, planner: Actor) -> None:
    one, other = [await preview_repair(store, planner, clock, "C", Wish(GONE)) for _ in "ab"]
    with pytest.raises(NotFound, match="repair_unknown"):
        await discard_repair(store, "D", one)  # another county's hand
    await seen(store, clock, one)
    await discard_repair(store, "C", one)
    clock.advance(seconds=KEPT.total_seconds())
    for gone in (one, other):
        with pytest.raises(NotFound, match="repair_unknown"):
            await seen(store, clock, gone)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_winter_bells_carry_meetings_along_in_their_period(
    store: Store, standing: int, clock: Any, planner: Actor
) -> None:
    async with store.write() as session:
        session.add_all(
            Bell(county="C", bell_code="W1", weekday=day, period=name, start=start + 5, end=end + 5, label="")
            for day in range(1, 6)
            for name, start, end in (("1", 520, 560), ("2", 570, 610), ("3", 635, 680))
        )
    winter = Circumstance("bell_changed", "B1", date(2026, 9, 1), bell_code="W1")
    made = (await seen(store, clock, await preview_repair(store, planner, clock, "C", Wish(winter)))).made
    assert (made.followed, made.repaired.moved) == (2, 0)
    assert {(m.slot.start, m.slot.end) for m in made.repaired.plan.meetings if m.code in ("D0001", "D0002")} == {
        (575, 615)
    }


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_meeting_that_must_stand_is_locked_when_the_repair_is_accepted(
    store: Store, standing: int, clock: Any, planner: Actor
) -> None:
    wanted = Lock(replace(MONDAY, code="L1", lead_teacher=TeacherCode("T4")))
    draft = await preview_repair(store, planner, clock, "C", Wish(lock=wanted, reason="教研室决定"))
    version = await accept_repair(store, planner, clock, "C", draft)
    async with store.read() as session:
        assert [kept.reason for kept in await locks_of(session, "C")] == ["教研室决定"]
        plan = await load_plan(session, version.id)
    assert [m.lead_teacher for m in plan.meetings if m.slot == MONDAY.slot and "K2" in m.classes] == ["T4"]
    taught = Lock(replace(MONDAY, code="L2", slot=Slot(1, 520, 560)))  # K2 has a local lesson then
    with pytest.raises(Conflict, match="lock_cannot_stand"):
        await preview_repair(store, planner, clock, "C", Wish(lock=taught))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_cannot_be_repaired_is_refused(store: Store, county: str, clock: Any, planner: Actor) -> None:
    async with store.write() as session:
        (await session.get_one(PlanVersion, 1)).state = "what_if"
    with pytest.raises(Conflict, match="no_plan"):
        await preview_repair(store, planner, clock, "C", Wish(GONE))
    await stored(store, planner, clock.now(), MONDAY)
    for wish, why in (
        (Wish(replace(GONE, until_date=date(2026, 9, 2))), "circumstance_dated"),
        (Wish(replace(GONE, code="T9")), "circumstance_unknown"),
        (Wish(GONE, more_moves=-1), "more_moves_range"),
    ):
        with pytest.raises(Invalid, match=why):
            await preview_repair(store, planner, clock, "C", wish)
    with pytest.raises(NotFound, match="plan_unknown"):
        await preview_repair(store, planner, clock, "C", Wish(GONE), plan_id=1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_version_that_stands_is_the_published_one_or_what_was_mended_from_it(
    store: Store, standing: int, clock: Any, planner: Actor
) -> None:
    async with store.write() as session:
        (await session.get_one(PlanVersion, standing)).state = "published"
    await stored(store, planner, clock.now(), TUESDAY)  # an experiment
    async with store.read() as session:
        found = await standing_version(session, "C")
        assert found is not None
        assert found.id == standing
    draft = await preview_repair(store, planner, clock, "C", Wish(GONE))
    clock.advance(seconds=timedelta(hours=1).total_seconds())
    mended = await accept_repair(store, planner, clock, "C", draft)
    async with store.read() as session:
        found = await standing_version(session, "C")
        assert found is not None
        assert found.id == mended.id


async def test_a_computation_that_takes_too_long_is_ended() -> None:
    with pytest.raises(Unavailable, match="took_too_long"):
        await apart(0.2, _for_ever)


def _for_ever() -> None:
    while True:
        pass
