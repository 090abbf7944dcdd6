"""Who keeps an encoder on the air: one server at a time, another one when it is gone, nobody after the lesson."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from live_class import END, START, TEACHER, Lesson
from sqlalchemy import select

from rooms.encoders import uses
from rooms.refusals import Conflict, NotFound
from rooms.store import Store
from rooms.tables import AuditLeaf, Occurrence, OccurrenceSide, RoomEncoder

BOTH = ("rtsp", "rtmp")


@pytest.fixture
async def encoder(store: Store, clock: Any, lesson: Lesson) -> int:
    """The encoder of the room that the lesson is led from."""
    clock.time = START
    async with store.write() as session:
        lead = await session.get_one(OccurrenceSide, lesson.lead)
        made = RoomEncoder(
            county=lead.county, school_code=lead.school_code, room_code=lead.room_code, name="录播主机", kind="rtsp",
            created_at=clock.now(),
        )  # fmt: skip
        session.add(made)
        await session.flush()
        return made.id


async def keeps(store: Store, clock: Any, server: str, kinds: tuple[str, ...] = BOTH) -> list[tuple[str, str, int]]:
    found = await uses.claim(store, clock.now(), server, kinds)
    return [(each.occurrence_id, each.lead_side, each.encoder.id) for each in found]


async def test_one_server_keeps_it_until_it_is_silent_or_leaves(
    store: Store, clock: Any, lesson: Lesson, encoder: int
) -> None:
    await uses.use(store, clock, TEACHER, lesson.id, encoder)
    mine = [(lesson.id, lesson.lead, encoder)]
    assert await keeps(store, clock, "pushed-to", ("rtmp",)) == [], "it cannot pull"
    assert await keeps(store, clock, "one") == mine
    assert await keeps(store, clock, "two") == []
    clock.advance(seconds=10)
    assert await keeps(store, clock, "one") == mine
    clock.advance(seconds=10)
    assert await keeps(store, clock, "two") == [], "the lease was renewed"
    clock.time += uses.LEASE
    assert await keeps(store, clock, "two") == mine, "the first one was killed"
    assert await keeps(store, clock, "one") == []
    await uses.release(store, "two")
    assert await keeps(store, clock, "one") == mine


async def test_one_that_pushes_is_kept_by_the_server_whose_door_it_finds(
    store: Store, clock: Any, lesson: Lesson, encoder: int
) -> None:
    async with store.write() as session:
        (await session.get_one(RoomEncoder, encoder)).kind = "rtmp"
    await uses.use(store, clock, TEACHER, lesson.id, encoder)

    async def keepers() -> list[str | None]:
        found = [await uses.claim(store, clock.now(), server, BOTH) for server in ("one", "two")]
        return [each.keeper for kept in found for each in kept]

    assert await keepers() == [None, None], "both wait for it"
    assert await keeps(store, clock, "pulls", ("rtsp",)) == []
    assert await uses.take(store, clock.now(), "two", lesson.id)
    assert not await uses.take(store, clock.now(), "one", lesson.id), "it is at the other door"
    clock.advance(seconds=10)
    assert await keepers() == ["two", "two"]
    clock.advance(seconds=10)
    assert await uses.take(store, clock.now(), "two", lesson.id), "it came to the same door again"
    await uses.release(store, "two", lesson.id)
    assert await uses.take(store, clock.now(), "one", lesson.id)
    clock.time += uses.LEASE + timedelta(seconds=1)
    assert await uses.take(store, clock.now(), "two", lesson.id), "the first one was killed"
    await uses.stop_using(store, clock, TEACHER, lesson.id)
    assert not await uses.take(store, clock.now(), "two", lesson.id)


async def test_it_is_of_the_room_of_a_lesson_that_is_not_over(
    store: Store, clock: Any, lesson: Lesson, encoder: int
) -> None:
    with pytest.raises(NotFound):
        await uses.use(store, clock, TEACHER, lesson.id, encoder + 1)
    await uses.use(store, clock, TEACHER, lesson.id, encoder)
    await uses.use(store, clock, TEACHER, lesson.id, encoder)
    async with store.read() as session:
        assert await uses.used_by(session, lesson.id) == encoder
        assert await uses.holds(session, lesson.id, encoder)
    clock.time = END + uses.OVERTIME + timedelta(seconds=1)
    await uses.end_over(store, clock)
    async with store.write() as session:
        assert await uses.used_by(session, lesson.id) is None
        (await session.get_one(Occurrence, lesson.id)).state = "ended"
    with pytest.raises(Conflict):
        await uses.use(store, clock, TEACHER, lesson.id, encoder)


async def test_a_lesson_that_loses_it_to_another_one_has_that_in_the_log(
    store: Store, clock: Any, lesson: Lesson, encoder: int
) -> None:
    await uses.use(store, clock, TEACHER, lesson.id, encoder)
    async with store.write() as session:
        lead = await session.get_one(OccurrenceSide, lesson.lead)
        next_one = await session.scalar(
            select(OccurrenceSide).where(OccurrenceSide.side == "lead", OccurrenceSide.id != lead.id)
        )
        assert next_one is not None
        next_one.school_code, next_one.room_code = lead.school_code, lead.room_code
        other = next_one.occurrence_id
    await uses.use(store, clock, TEACHER, other, encoder)
    async with store.read() as session:
        assert await uses.used_by(session, lesson.id) is None
        told = select(AuditLeaf.action, AuditLeaf.object).where(AuditLeaf.action.startswith("class.encoder"))
        log = [(action, named) for action, named in await session.execute(told.order_by(AuditLeaf.index))]
    assert log == [
        ("class.encoder", f"occurrence:{lesson.id}"),
        ("class.encoder_off", f"occurrence:{lesson.id}"),
        ("class.encoder", f"occurrence:{other}"),
    ]
