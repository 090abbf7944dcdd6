"""Cancel, excuse, shift, make up for: one unit of work each, audited, and never into somebody else's hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from rooms.planning.changes import NewLesson, add_lesson, cancel, declare_shift, excuse_side
from rooms.planning.occurrences import OccurrenceView, Who, between, coming, due_now, occurrence
from rooms.planning.publish import publish_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, Occurrence

MONDAY = date(2026, 9, 7)
EXTRA = NewLesson(
    "C", date(2026, 9, 8), 570, 610, subject="music", lead_teacher_code="T1", lead_room_code="R1", class_codes=("K3",)
)


@pytest.fixture
async def first(store: Store, county: str, clock: Any, planner: Actor) -> str:
    """The music lesson of Monday 7 September."""
    await publish_plan(store, planner, clock, county, 1, date(2026, 9, 1))
    async with store.read() as session:
        return (await between(session, Who(county), MONDAY, MONDAY))[0].id


async def view_of(store: Store, occurrence_id: str) -> OccurrenceView:
    async with store.read() as session:
        found = await occurrence(session, occurrence_id)
    assert found is not None
    return found


async def test_cancel_with_a_reason(store: Store, first: str, clock: Any, planner: Actor) -> None:
    await cancel(store, planner, clock, first, reason="power", note="停电检修", county="C")
    await cancel(store, planner, clock, first, reason="network", county="C")  # changes nothing
    view = await view_of(store, first)
    assert (view.state, view.cancel_reason, view.cancel_note) == ("cancelled", "power", "停电检修")
    async with store.read() as session:
        assert await session.scalar(select(func.count()).where(AuditLeaf.action == "lesson.cancel")) == 1
    with pytest.raises(Invalid, match="reason_unknown"):
        await cancel(store, planner, clock, first, reason="no mood", county="C")
    with pytest.raises(NotFound, match="occurrence_unknown"):
        await cancel(store, planner, clock, first, reason="power", county="D")


async def test_what_has_begun_is_not_cancelled(store: Store, first: str, clock: Any, planner: Actor) -> None:
    async with store.write() as session:
        row = await session.get(Occurrence, first)
        assert row is not None
        row.state = "live"
    with pytest.raises(Conflict, match="occurrence_begun"):
        await cancel(store, planner, clock, first, reason="power", county="C")


async def test_a_makeup_lesson_takes_what_it_replaces(store: Store, first: str, clock: Any, planner: Actor) -> None:
    makeup = NewLesson("C", date(2026, 9, 8), 635, 680, replaces=first)
    with pytest.raises(Conflict, match="replaced_still_stands"):
        await add_lesson(store, planner, clock, makeup)
    await cancel(store, planner, clock, first, reason="power", county="C")
    added = await view_of(store, await add_lesson(store, planner, clock, makeup))
    original = await view_of(store, first)
    assert (added.replaces_id, original.replaced_by) == (first, (added.id,))
    assert (added.day, added.start, added.end, added.week, added.plan_id) == (date(2026, 9, 8), 635, 680, 2, None)
    assert [(side.class_code, side.expected) for side in added.receivers] == [("K2", 30), ("K3", 5)]
    assert (added.lead.teacher_code, added.lead.room_code, added.subject) == ("T1", "R1", "music")


async def test_a_lesson_in_the_past_may_be_made_up_for(store: Store, first: str, clock: Any, planner: Actor) -> None:
    clock.advance(days=20)
    assert await add_lesson(store, planner, clock, NewLesson("C", date(2026, 9, 22), 635, 680, replaces=first))


async def test_an_extra_lesson_stands_for_itself(store: Store, first: str, clock: Any, planner: Actor) -> None:
    view = await view_of(store, await add_lesson(store, planner, clock, EXTRA))
    assert (view.replaces_id, view.kind, view.family) == (None, "lesson", "delivery")


@pytest.mark.parametrize(
    ("change", "what", "code"),
    [
        ({"lead_teacher_code": "T2", "class_codes": ("K2",)}, "class", "K2"),
        ({"lead_teacher_code": "T2", "class_codes": ("K1",)}, "room", "R1"),
        ({"lead_room_code": "R2", "class_codes": ("K1",)}, "room", "R2"),
        ({"lead_room_code": "R3", "lead_teacher_code": "T3", "class_codes": ("K1",)}, "room", "R3"),
    ],
)
async def test_nobody_is_in_two_lessons_at_once(
    store: Store, first: str, clock: Any, planner: Actor, change: dict[str, Any], what: str, code: str
) -> None:
    beside = replace(EXTRA, day=MONDAY, start=600, end=640, **change)
    with pytest.raises(Conflict, match="lesson_clash") as refusal:
        await add_lesson(store, planner, clock, beside)
    assert (refusal.value.facts["what"], refusal.value.facts["code"]) == (what, code)
    assert refusal.value.facts["occurrence"] == first
    assert await add_lesson(store, planner, clock, replace(beside, start=610, end=640))


async def test_a_cancelled_lesson_is_in_nobodys_way(store: Store, first: str, clock: Any, planner: Actor) -> None:
    await cancel(store, planner, clock, first, reason="power", county="C")
    assert await add_lesson(store, planner, clock, replace(EXTRA, day=MONDAY))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"end": 570}, "lesson_window"),
        ({"end": 1441}, "lesson_window"),
        ({"family": "party"}, "lesson_window"),
        ({"class_codes": ()}, "lesson_empty"),
        ({"class_codes": ("K9",)}, "code_unknown"),
        ({"lead_teacher_code": "T9"}, "code_unknown"),
        ({"lead_room_code": ""}, "code_unknown"),
        ({"kind": "party"}, "code_unknown"),
    ],
)
async def test_what_makes_no_lesson_is_refused(
    store: Store, county: str, clock: Any, planner: Actor, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        await add_lesson(store, planner, clock, replace(EXTRA, **change))
    async with store.read() as session:
        assert await session.scalar(select(func.count()).select_from(Occurrence)) == 0


async def test_excuse_and_shift(store: Store, first: str, clock: Any, planner: Actor) -> None:
    side = (await view_of(store, first)).receivers[1]
    await excuse_side(store, planner, clock, side.id, reason="device_fault", county="C")
    await declare_shift(store, planner, clock, first, seconds=-300, county="C")
    view = await view_of(store, first)
    assert (view.receivers[1].excuse_reason, view.shift_seconds) == ("device_fault", -300)
    with pytest.raises(NotFound, match="side_unknown"):
        await excuse_side(store, planner, clock, side.id, reason="power", county="D")
    clock.time = view.ends_at
    with pytest.raises(Conflict, match="occurrence_over"):
        await declare_shift(store, planner, clock, first, seconds=0, county="C")


async def test_lists_by_school_teacher_room_and_time(store: Store, first: str, clock: Any, planner: Actor) -> None:
    week = (MONDAY, MONDAY + timedelta(6))
    async with store.read() as session:
        for who, expected in [
            (Who("C"), 1),
            (Who("C", schools=frozenset(["S3"])), 1),
            (Who("C", schools=frozenset()), 0),
            (Who("C", teacher="T2"), 0),
            (Who("C", room="R3"), 1),
            (Who("D"), 0),
        ]:
            assert len(await between(session, who, *week)) == expected, who
        start = (await occurrence(session, first)).starts_at  # type: ignore[union-attr] # it is there
        early = timedelta(minutes=30)
        due = [
            await due_now(session, Who("C"), start + timedelta(minutes=m), early=early) for m in (-31, -30, 0, 69, 70)
        ]
        assert [[view.id for view in each] for each in due] == [[], [first], [first], [first], []]
        assert [view.id for view in await coming(session, Who("C", room="R3"), start - early, count=1)] == [first]
