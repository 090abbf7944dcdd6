"""At least once in, exactly once stored: when the database fails, when two servers write, when the queue is full."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from live_class import TEACHER, Lesson, Ordered, slots
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from waiting import SOON

from config.settings import Settings
from rooms.bus.memory import MemoryBus
from rooms.judging import recompute
from rooms.live import evidence
from rooms.live.board import LiveBoard
from rooms.live.evidence import Evidence, EvidenceWriter, of_media
from rooms.rulesets import load_rules
from rooms.store import Store
from rooms.tables import EvidenceEvent, Verdict

RULES = load_rules("attendance-2026.1")
SIDE = "a" * 32


def some(count: int) -> list[Evidence]:
    return [of_media(event) for event in slots("1" * 32, SIDE, 0, count / 6)][1:-1]


def test_an_event_has_one_id_and_another_event_another() -> None:
    events = [*slots("1" * 32, SIDE, 0, 2), *slots("1" * 32, SIDE, 0, 2, session="other"), *slots("2" * 32, SIDE, 0, 2)]
    ids = [of_media(event).event_id for event in events]
    assert len(set(ids)) == len(ids)
    assert ids == [of_media(event).event_id for event in events]
    assert max(map(len, ids)) <= 64


class Keeper:
    """Keeps what it is given, after failing as often as it was told; refuses the rows it was told to refuse."""

    def __init__(
        self, failures: int = 0, refused: frozenset[str] = frozenset(), refusal: Exception | None = None
    ) -> None:
        self.refusal = refusal or IntegrityError("INSERT", {}, ValueError("no"))
        self.failures, self.refused, self.kept = failures, refused, list[Evidence]()

    async def __call__(self, batch: Sequence[Evidence]) -> None:
        if self.failures:
            self.failures -= 1
            raise OperationalError("INSERT", {}, OSError("the database is away"))
        if any(each.event_id in self.refused for each in batch):
            raise self.refusal
        self.kept += batch


async def written(keeper: Keeper, events: Sequence[Evidence]) -> EvidenceWriter:
    writer = EvidenceWriter(keeper)
    writer.start()
    for event in events:
        writer.put(event)
    await writer.flush()
    await writer.close()
    return writer


async def test_a_database_that_comes_back_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "RETRY_SECONDS", (0.001,))
    keeper = Keeper(failures=5)
    await written(keeper, some(700))
    assert keeper.kept == some(700)


@pytest.mark.parametrize("refusal", [None, KeyError("a mistake of ours")])
async def test_a_row_that_is_refused_holds_up_nobody(refusal: Exception | None) -> None:
    events = some(30)
    keeper = Keeper(refused=frozenset({events[7].event_id}), refusal=refusal)
    writer = await written(keeper, events)
    assert keeper.kept == events[:7] + events[8:]
    assert writer.dropped == 1


async def test_a_full_queue_loses_the_newest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "QUEUE_LENGTH", 10)
    writer = EvidenceWriter(Keeper())
    for event in some(12):
        writer.put(event)  # it is not started: nothing is taken out
    assert writer.dropped == 2


async def test_a_database_that_stays_away_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(failures=10**9)
    writer = EvidenceWriter(keeper)
    writer.start()
    writer.put(some(1)[0])
    await asyncio.wait_for(writer.close(patience=0.1), SOON)
    assert keeper.kept == []


async def test_two_servers_store_the_same_events_once(
    store: Store, lesson: Lesson, bus: MemoryBus, settings: Settings, clock: Any
) -> None:
    boards = [LiveBoard(store, clock, bus, RULES, settings, Ordered()) for _ in range(2)]
    await boards[0].open_class(TEACHER, lesson.id)
    clock.advance(minutes=50)
    await boards[0].close_class(TEACHER, lesson.id)
    for board in boards:
        board._writer.start()
    lead = slots(lesson.id, lesson.lead, 0, 40, publishes=True)
    everything = [*lead, *slots(lesson.id, lesson.near, 0, 40), *slots(lesson.id, lesson.far, 0, 20)]
    for number, event in enumerate(everything):
        for board in boards:
            board.on_media_event(event)
        if number % 100 == 0:
            await asyncio.sleep(0.06)  # several batches, interleaved
    await asyncio.gather(*(board.flush() for board in boards))
    for board in boards:
        await board.close()
        assert board.dropped == 0
    async with store.read() as session:
        count = await session.scalar(select(func.count()).where(EvidenceEvent.source == "relay"))
        assert count == len(everything)
        found = await recompute(session, RULES, lesson.id, clock.now())
        stored = {row.side_id: row for row in await session.scalars(select(Verdict))}
        assert {side: (row.verdict, row.common_seconds) for side, row in stored.items()} == {
            side: (judgement.verdict, judgement.common_seconds) for side, judgement in found.items()
        }
        assert stored[lesson.far].common_seconds == 1200


async def test_a_server_that_died_is_told_again_and_stores_the_rest(
    store: Store, lesson: Lesson, bus: MemoryBus, settings: Settings, clock: Any
) -> None:
    events = slots(lesson.id, lesson.near, 0, 40)
    died = LiveBoard(store, clock, bus, RULES, settings, Ordered())
    died._writer.start()
    for event in events[:150]:
        died.on_media_event(event)
    await asyncio.sleep(0.06)
    await died._writer.close(patience=0)  # as a kill: what was not committed is gone
    again = LiveBoard(store, clock, bus, RULES, settings, Ordered())
    again._writer.start()
    for event in [*events, replace(events[3])]:
        again.on_media_event(event)
    await again.flush()
    await again.close()
    async with store.read() as session:
        assert await session.scalar(select(func.count()).where(EvidenceEvent.source == "relay")) == len(events)
