"""An ill teacher, a closed room, a closed school: lesson by lesson, accepted at once, taken back, and the weekly plan untouched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from rooms.planning.changes import cancel, excuse_side
from rooms.planning.circumstance_rows import recorded
from rooms.planning.circumstances import Circumstance
from rooms.planning.occurrences import OccurrenceView, Who, between
from rooms.planning.publish import preview_publication, publish_plan
from rooms.planning.substitutions import Lifted, Proposals, lift, propose, restore, substitute
from rooms.planning.swaps import partners, swap
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, LocalLesson, Room, Teacher

AddPlan = Callable[..., Awaitable[None]]
MONDAY, THURSDAY = date(2026, 9, 7), date(2026, 9, 17)
"""Days with the music lesson of T1 (Monday, every week) and the art lesson of T2 (Thursday, odd weeks)."""
ILL = Circumstance("teacher_away", "T1", MONDAY, MONDAY, reason="感冒")


@pytest.fixture
async def published(store: Store, county: str, clock: Any, planner: Actor) -> str:
    """The plan as dated lessons; S1 has a second music teacher T4 and a second lead room R4."""
    async with store.write() as session:
        session.add(
            Teacher(
                county=county, code="T4", school_code="S1", name="孙乐", subjects={"music": []}, title="", cohorts=[]
            )
        )
        session.add(
            Room(county=county, code="R4", school_code="S1", kind="recording", can_lead=True, level="L2",
                 custodian_name="", custodian_phone="")
        )  # fmt: skip
    await publish_plan(store, planner, clock, county, 1, date(2026, 9, 1))
    return county


async def day_of(store: Store, county: str, day: date) -> list[OccurrenceView]:
    async with store.read() as session:
        return await between(session, Who(county), day, day)


async def proposed(store: Store, clock: Any, county: str, what: Circumstance) -> Proposals:
    async with store.read() as session:
        return await propose(session, clock, county, what)


def actions(found: Proposals) -> list[list[str]]:
    return [list(dict.fromkeys(option.action for option in row.options)) for row in found.rows]


def first_choices(found: Proposals) -> dict[str, str]:
    return {row.hit.lesson.id: row.options[0].key for row in found.rows}


async def test_a_free_colleague_stands_in_and_the_weekly_plan_is_untouched(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    found = await proposed(store, clock, published, ILL)
    assert actions(found) == [["teacher", "later", "cancel", "keep"]]
    best = found.rows[0].options[0]
    assert (best.teacher, best.room, best.day, best.start, best.end) == ("T4", "R1", MONDAY, 570, 610)
    told = await substitute(store, planner, clock, published, ILL, first_choices(found))
    old, new = sorted(await day_of(store, published, MONDAY), key=lambda each: each.plan_id is None)
    assert (old.state, old.cancel_reason, old.cancel_note) == ("cancelled", "teacher_leave", "感冒")
    assert (new.state, new.replaces_id, new.lead.teacher_code, new.start) == ("planned", old.id, "T4", 570)
    assert [side.class_code for side in new.receivers] == ["K2", "K3"]
    async with store.read() as session:
        again = await preview_publication(session, clock, published, 1, date(2026, 9, 1))
        assert (again.added, again.removed, again.superseded) == (0, 0, 0)
        assert (await recorded(session, published))[0].id == told
        kinds = set(await session.scalars(select(AuditLeaf.action)))
        assert {"circumstance.record", "lesson.cancel", "lesson.add"} <= kinds


async def test_who_teaches_or_is_at_the_limit_does_not_stand_in(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    async with store.write() as session:
        session.add(
            LocalLesson(county=published, row=9, school_code="S1", class_codes=["K1"], subject="music", weekday=1,
                        period="2", teacher_code="T4", weeks=3)
        )  # fmt: skip
    found = await proposed(store, clock, published, ILL)
    assert actions(found) == [["later", "cancel", "keep"]]
    moved = found.rows[0].options[0]
    assert (moved.action, moved.teacher, moved.day) == ("later", "T1", date(2026, 9, 8))  # back on Tuesday
    async with store.write() as session:
        (await session.get_one(Teacher, (published, "T1"))).max_remote_per_week = 1
        (await session.get_one(Teacher, (published, "T4"))).max_remote_per_day = 0
    left = (await proposed(store, clock, published, ILL)).rows[0].options
    assert [option.action for option in left if option.teacher == "T4"] == []


async def test_a_choice_is_judged_again_when_it_is_accepted(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    choices = first_choices(await proposed(store, clock, published, ILL))
    with pytest.raises(Conflict, match="substitution_undecided"):
        await substitute(store, planner, clock, published, ILL, {})
    taken = replace(ILL, code="T4")  # the colleague falls ill as well
    await substitute(store, planner, clock, published, taken, {})
    with pytest.raises(Conflict, match="substitution_impossible"):
        await substitute(store, planner, clock, published, ILL, choices)
    assert [each.state for each in await day_of(store, published, MONDAY)] == ["planned"]


async def test_lifting_takes_back_what_is_still_to_come(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    week = replace(ILL, until_date=date(2026, 9, 14))  # two Mondays
    found = await proposed(store, clock, published, week)
    told = await substitute(store, planner, clock, published, week, first_choices(found))
    clock.advance(days=10)  # Wednesday 9 September: the first Monday is held
    done = await lift(store, planner, clock, published, told)
    assert done == Lifted(len(found.rows) - 1, 1)
    assert await lift(store, planner, clock, published, told) == Lifted(0, 0)
    assert [each.state for each in await day_of(store, published, date(2026, 9, 14))] == ["planned"]
    assert len(await day_of(store, published, MONDAY)) == 2
    with pytest.raises(NotFound):
        await lift(store, planner, clock, "elsewhere", told)


async def test_a_cancelled_lesson_is_restored_alone(store: Store, published: str, clock: Any, planner: Actor) -> None:
    (music,) = await day_of(store, published, MONDAY)
    await cancel(store, planner, clock, music.id, reason="power", county=published)
    await restore(store, planner, clock, music.id, county=published)
    (again,) = await day_of(store, published, MONDAY)
    assert (again.id, again.state, again.cancel_reason) == (music.id, "planned", None)
    with pytest.raises(Conflict, match="restore_not_cancelled"):
        await restore(store, planner, clock, music.id, county=published)
    await cancel(store, planner, clock, music.id, reason="power", county=published)
    clock.advance(days=9)
    with pytest.raises(Conflict, match="restore_too_late"):
        await restore(store, planner, clock, music.id, county=published)


async def test_a_closed_room_moves_next_door_and_a_closed_class_room_excuses_its_class(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    lead = await proposed(store, clock, published, Circumstance("room_closed", "R1", MONDAY, MONDAY))
    best = lead.rows[0].options[0]
    assert (best.action, best.room) == ("room", "R4")
    there = Circumstance("room_closed", "R2", MONDAY, MONDAY, period="2")
    found = await proposed(store, clock, published, there)
    assert actions(found)[0][0] == "excuse"
    await substitute(store, planner, clock, published, there, first_choices(found))
    (music,) = await day_of(store, published, MONDAY)
    assert {side.room_code: side.excuse_reason for side in music.receivers} == {"R2": "room_closed", "R3": None}
    elsewhen = Circumstance("room_closed", "R2", MONDAY, MONDAY, period="1")
    assert (await proposed(store, clock, published, elsewhen)).rows == ()


async def test_a_closed_lead_school_makes_up_later_or_falls_out(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    sunday = date(2026, 9, 13)
    shut = Circumstance("school_closed", "S1", MONDAY, sunday, reason="大雪")
    found = await proposed(store, clock, published, shut)
    assert actions(found) == [["later", "cancel", "keep"]]
    assert found.rows[0].options[0].day > sunday  # the week is closed, the next one has room
    choices = {
        row.hit.lesson.id: option.key for row in found.rows for option in row.options if option.action == "cancel"
    }
    await substitute(store, planner, clock, published, shut, choices)
    (music,) = await day_of(store, published, MONDAY)
    assert (music.state, music.cancel_reason) == ("cancelled", "school_closed")


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (replace(ILL, until_date=None), "circumstance_not_dated"),
        (replace(ILL, until_date=date(2026, 10, 20)), "circumstance_long"),
        (replace(ILL, until_date=date(2026, 9, 6)), "circumstance_dates"),
        (replace(ILL, code="T9"), "circumstance_unknown"),
    ],
)
async def test_what_cannot_be_arranged_by_days_is_refused(
    store: Store, published: str, clock: Any, what: Circumstance, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        await proposed(store, clock, published, what)


async def test_two_lessons_change_hours(store: Store, published: str, clock: Any, planner: Actor) -> None:
    (music,), (art,) = await day_of(store, published, date(2026, 9, 14)), await day_of(store, published, THURSDAY)
    async with store.read() as session:
        found = {each.lesson.id: each.obstacles for each in await partners(session, clock, published, music.id)}
    assert found[art.id] == ()
    await swap(store, planner, clock, published, music.id, art.id, note="教研")
    moved = {each.replaces_id: each for each in await day_of(store, published, THURSDAY) if each.replaces_id}
    assert moved[music.id].lead.teacher_code == "T1"
    back = {each.replaces_id: each for each in await day_of(store, published, date(2026, 9, 14)) if each.replaces_id}
    assert back[art.id].lead.teacher_code == "T2"
    with pytest.raises(Conflict, match="occurrence_begun"):
        await swap(store, planner, clock, published, music.id, art.id)
    await restore(store, planner, clock, music.id, county=published)
    assert [each.id for each in await day_of(store, published, THURSDAY)] == [art.id]


async def test_nobody_swaps_into_a_local_lesson(store: Store, published: str, clock: Any, planner: Actor) -> None:
    async with store.write() as session:  # T2 teaches at home when the music lesson is
        session.add(
            LocalLesson(county=published, row=9, school_code="S1", class_codes=["K1"], subject="art", weekday=1,
                        period="2", teacher_code="T2", weeks=3)
        )  # fmt: skip
    (music,), (art,) = await day_of(store, published, date(2026, 9, 14)), await day_of(store, published, THURSDAY)
    async with store.read() as session:
        found = {each.lesson.id: each.obstacles for each in await partners(session, clock, published, music.id)}
    assert [(each.why, each.code) for each in found[art.id]] == [("held", "T2")]
    with pytest.raises(Conflict, match="swap_impossible"):
        await swap(store, planner, clock, published, music.id, art.id)
    async with store.read() as session:
        assert await session.scalar(select(func.count()).where(AuditLeaf.action == "lesson.cancel")) == 0


async def excused(store: Store, clock: Any, planner: Actor, lesson: OccurrenceView, *classes: str) -> None:
    for side in lesson.receivers:
        if side.class_code in classes:
            await excuse_side(store, planner, clock, side.id, reason="school_closed", county=lesson.county)


async def test_who_is_excused_is_not_called_to_what_replaces_the_lesson(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    (first,), (second,) = await day_of(store, published, MONDAY), await day_of(store, published, date(2026, 9, 14))
    (art,) = await day_of(store, published, THURSDAY)
    for lesson in (first, second):
        await excused(store, clock, planner, lesson, "K3")
    await substitute(store, planner, clock, published, ILL, first_choices(await proposed(store, clock, published, ILL)))
    await swap(store, planner, clock, published, second.id, art.id)
    for day in (MONDAY, THURSDAY):
        (new,) = [each for each in await day_of(store, published, day) if each.replaces_id in (first.id, second.id)]
        assert [side.class_code for side in new.receivers] == ["K2"]


async def test_where_everybody_is_excused_nobody_stands_in(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    (music,) = await day_of(store, published, MONDAY)
    await excused(store, clock, planner, music, "K2", "K3")
    assert actions(await proposed(store, clock, published, ILL)) == [["cancel", "keep"]]


async def test_a_teacher_who_left_the_county_swaps_with_nobody(
    store: Store, published: str, clock: Any, planner: Actor
) -> None:
    async with store.write() as session:
        (await session.get_one(Teacher, (published, "T2"))).retired = True
    (music,), (art,) = await day_of(store, published, date(2026, 9, 14)), await day_of(store, published, THURSDAY)
    async with store.read() as session:
        found = {each.lesson.id: each.obstacles for each in await partners(session, clock, published, music.id)}
    assert [(each.why, each.code) for each in found[art.id]] == [("limit", "T2")]
    with pytest.raises(Conflict, match="swap_impossible"):
        await swap(store, planner, clock, published, music.id, art.id)


async def test_a_lesson_that_the_plan_of_its_day_no_longer_has_is_not_restored(
    store: Store, published: str, clock: Any, planner: Actor, add_plan: AddPlan
) -> None:
    (music,), (art,) = await day_of(store, published, date(2026, 9, 14)), await day_of(store, published, THURSDAY)
    for each in (music, art):
        await cancel(store, planner, clock, each.id, reason="power", county=published)
    clock.advance(hours=1)
    later = ("M1", "delivery", "music", "T1", 1, 640, 680, 3, ("K2", "K3"), ())
    await add_plan(2, [later, ("M2", "delivery", "art", "T2", 4, 570, 610, 1, ("K2",), ())])
    await publish_plan(store, planner, clock, published, 2, date(2026, 9, 8))
    with pytest.raises(Conflict, match="restore_other_plan"):
        await restore(store, planner, clock, music.id, county=published)
    await restore(store, planner, clock, art.id, county=published)  # the new plan has it, too
    assert [each.state for each in await day_of(store, published, THURSDAY)] == ["planned"]
