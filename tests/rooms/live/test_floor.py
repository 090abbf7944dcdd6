"""The floor: one class speaks at a time, who may send and receive what, and what of it is evidence."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from live_class import START, TEACHER, Lesson, Ordered, slots
from sqlalchemy import select

from media.events import PeerId, RoomId
from media.orders import GiveFloor, Order
from rooms.live.board import LiveBoard
from rooms.live.sources import classroom_source, exists, permitted
from rooms.planning.occurrences import occurrence
from rooms.refusals import Conflict, NotFound
from rooms.store import Store
from rooms.tables import EvidenceEvent

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def rows(store: Store, lesson: Lesson) -> list[tuple[str | None, bool]]:
    async with store.read() as session:
        found = await session.scalars(
            select(EvidenceEvent)
            .where(EvidenceEvent.occurrence_id == lesson.id, EvidenceEvent.kind == "floor")
            .order_by(EvidenceEvent.seq)
        )
        return [(row.side_id, row.data["held"]) for row in found]


async def test_one_class_speaks_at_a_time(store: Store, board: LiveBoard, lesson: Lesson, media: Ordered) -> None:
    with pytest.raises(Conflict, match="occurrence_not_live"):
        await board.give_floor(TEACHER, lesson.id, lesson.near)
    await board.open_class(TEACHER, lesson.id)
    for wrong in (lesson.lead, "f" * 32):
        with pytest.raises(NotFound, match="side_unknown"):
            await board.give_floor(TEACHER, lesson.id, wrong)
    assert (await board.give_floor(TEACHER, lesson.id, lesson.near)).floor == lesson.near
    await board.give_floor(TEACHER, lesson.id, lesson.near)
    assert (await board.give_floor(TEACHER, lesson.id, lesson.far)).floor == lesson.far
    assert await rows(store, lesson) == [(lesson.near, True), (lesson.near, False), (lesson.far, True)]
    assert (await board.close_class(TEACHER, lesson.id)).floor is None
    assert (await board.open_class(TEACHER, lesson.id)).floor is None
    assert (await rows(store, lesson))[-1] == (lesson.far, False)
    room = RoomId(lesson.id)
    near, far = PeerId(lesson.near), PeerId(lesson.far)
    floor = [order for order in media.orders if isinstance(order, GiveFloor)]
    assert floor == [GiveFloor(room, near), GiveFloor(room, near), GiveFloor(room, far)]


@one_database
async def test_an_order_that_is_overtaken_has_not_the_last_word(
    board: LiveBoard, lesson: Lesson, media: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One server's order hangs on the bus, another one's is carried out meanwhile."""
    held, go_on, order = asyncio.Event(), asyncio.Event(), media.order

    async def slow(each: Order) -> None:
        if not held.is_set():
            held.set()
            await go_on.wait()
        await order(each)

    monkeypatch.setattr(media, "order", slow)
    await board.open_class(TEACHER, lesson.id)
    first = asyncio.create_task(board.give_floor(TEACHER, lesson.id, lesson.near))
    await held.wait()
    await board.give_floor(TEACHER, lesson.id, lesson.far)
    go_on.set()
    await first
    assert media.orders[-1] == GiveFloor(RoomId(lesson.id), PeerId(lesson.far))


@one_database
async def test_a_class_that_comes_back_has_the_floor_still(
    board: LiveBoard, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    """Its relay may be another one than before."""
    await board.open_class(TEACHER, lesson.id)
    await board.give_floor(TEACHER, lesson.id, lesson.near)
    media.orders.clear()
    clock.time = START + timedelta(seconds=30)
    for side in (lesson.far, lesson.near):
        events = slots(lesson.id, side, 0, 0.5, publishes=True, source=classroom_source(side))
        for event in events[:-1]:
            board.on_media_event(event)
    await board.flush()
    assert media.orders == [GiveFloor(RoomId(lesson.id), PeerId(lesson.near))]


@one_database
async def test_what_a_class_sends_is_no_presence(store: Store, board: LiveBoard, lesson: Lesson, clock: Any) -> None:
    await board.open_class(TEACHER, lesson.id)
    clock.time = START + timedelta(seconds=30)
    own = classroom_source(lesson.near)
    talks = slots(lesson.id, lesson.near, 0, 0.5, publishes=True, source=own)
    screen = slots(lesson.id, lesson.lead, 0, 0.5, publishes=True, source="screen")
    watched = slots(lesson.id, lesson.lead, 0, 0.5, source=own)
    for event in [*talks[:-1], *screen[:-1], *watched[:-1]]:
        board.on_media_event(event)
    await board.flush()
    state = await board.state(lesson.id)
    assert state is not None
    lead, near = (next(side for side in state.sides if side.id == each) for each in (lesson.lead, lesson.near))
    assert (near.connected, near.quality, near.sends) == (False, "none", True)
    assert (lead.connected, lead.quality, lead.sends, state.screen) == (False, "none", False, True)
    async with store.read() as session:
        seen = list(await session.scalars(select(EvidenceEvent.data).where(EvidenceEvent.side_id == lesson.lead)))
    assert not [data for data in seen if data.get("source") == own], "who looks at a class is nobody's evidence"
    board.on_media_event(screen[-1])
    await board.flush()
    state = await board.state(lesson.id)
    assert state is not None
    assert not state.screen


@one_database
async def test_who_may_send_and_receive_what(store: Store, lesson: Lesson) -> None:
    async with store.read() as session:
        view = await occurrence(session, lesson.id)
    assert view is not None
    sides = {side.id: side for side in view.sides}
    near, far = classroom_source(lesson.near), classroom_source(lesson.far)
    assert exists(view.sides, near)
    assert not exists(view.sides, classroom_source(lesson.lead))
    open_to = {
        (lesson.lead, "publish"): {"lead", "screen"},
        (lesson.lead, "subscribe"): {near, far},
        (lesson.near, "publish"): {near},
        (lesson.near, "subscribe"): {"lead", "screen"},
        (lesson.far, "subscribe"): {"lead", "screen", near},
    }
    for (side, direction), wanted in open_to.items():
        may = {
            source
            for source in ("lead", "screen", near, far)
            if permitted(sides[side], source, direction, floor=lesson.near)  # type: ignore[arg-type]  # keys of a table
        }
        assert may == wanted, (side, direction)
    assert not permitted(sides[lesson.far], near, "subscribe", floor=None)
