"""Two servers on one bus: a class is one class whichever of them a page came to, and an onlooker sees its figures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from waiting import SOON, until

from api import hall
from api.hall import Hall
from api.onlookers import Onlookers
from rooms.bus.memory import MemoryBus
from rooms.clock import SystemClock
from rooms.cluster import Standing
from rooms.live.vitals import LOOKING

CLASS = "c" * 32


class Board:
    """The class as the store would have it."""

    def message(self) -> dict[str, Any]:
        return {"type": "state", "state": "live", "sides": [{"id": "near"}, {"id": "far"}]}


def hall_on(bus: MemoryBus) -> Hall:
    async def read(_occurrence: str) -> Any:
        return Board()

    return Hall(bus, read, SystemClock(), nobody_missed)


async def nobody_missed(_room: Any) -> Standing:
    raise AssertionError("no worker is missed")


async def test_what_a_classroom_has_is_known_on_every_server() -> None:
    bus = MemoryBus()
    one, other = hall_on(bus), hall_on(bus)
    async with one.seat(CLASS, "near") as (room, seat), other.seat(CLASS, "far") as (elsewhere, _):
        seat.devices, seat.hand = {"camera": True, "microphone": None}, "2026-11-24T02:00:00+00:00"
        await room.announce()

        def near() -> dict[str, Any]:
            sides: list[dict[str, Any]] = elsewhere.snapshot()["state"]["sides"]
            return sides[0]

        await until(lambda: near()["devices"] == {"camera": True, "microphone": None}, seconds=SOON)
        assert near()["here"]
        assert near()["hand"]
    await one.close()
    await other.close()
    await bus.close()


async def test_a_server_that_died_is_forgotten_where_something_changes_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, seconds in (("REPEAT_SECONDS", 0.2), ("FORGET_SECONDS", 0.6), ("GATHER_SECONDS", 0.01)):
        monkeypatch.setattr(hall, name, seconds)
    bus = MemoryBus()
    topic, servers = f"live:{CLASS}", hall_on(bus)

    async def slots() -> None:
        while True:
            await bus.publish(topic, {"type": "slot", "side": "far", "quality": "good"})
            await asyncio.sleep(0.02)

    busy = asyncio.create_task(slots())
    async with servers.seat(CLASS, "far") as (room, _), bus.subscribe(topic) as messages:
        dead = {"type": "seats", "origin": "dead", "here": ["near"], "hands": {"near": "2026-11-24T02:00:00+00:00"}}
        await bus.publish(topic, dead)
        await until(lambda: room.snapshot()["state"]["sides"][0]["hand"], seconds=SOON)
        async with asyncio.timeout(SOON):
            async for message in messages:
                if message["type"] == "seats" and message["here"] == ["far"]:
                    break
        await until(lambda: not room.snapshot()["state"]["sides"][0]["here"], seconds=SOON)
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    await servers.close()
    await bus.close()


async def test_an_onlooker_sees_figures_and_is_seen_by_nobody() -> None:
    bus, clock = MemoryBus(), SystemClock()
    halls = hall_on(bus)
    onlookers = Onlookers(halls, clock)
    async with bus.subscribe(LOOKING) as asked:
        assert onlookers.look(CLASS) is None
        assert await asyncio.wait_for(anext(asked), SOON) == {"room": CLASS}
    session = {"side": "near", "source": "lead"}
    await bus.publish(f"live:{CLASS}", {"type": "media", "origin": "relay", "sessions": [session]})
    await until(lambda: onlookers.look(CLASS), seconds=SOON)
    found = onlookers.look(CLASS)
    assert found is not None
    assert found["sessions"] == [session]
    async with halls.seat(CLASS, "far") as (room, _):
        assert [side["here"] for side in room.snapshot()["state"]["sides"]] == [False, True]
    await onlookers.close()
    await halls.close()
    await bus.close()


async def test_a_look_into_a_room_that_failed_opens_it_again() -> None:
    bus, opened = MemoryBus(), 0

    async def read(_occurrence: str) -> Any:
        nonlocal opened
        opened += 1
        return Board()

    halls = Hall(bus, read, SystemClock(), nobody_missed)
    onlookers = Onlookers(halls, SystemClock())
    onlookers.look(CLASS)
    await until(lambda: opened, seconds=SOON)
    await bus.publish(f"live:{CLASS}", {"type": "seats", "origin": "other"})  # of nobody: the room cannot read it

    def looked_again() -> bool:
        onlookers.look(CLASS)
        return opened == 2

    await until(looked_again, seconds=SOON)
    await onlookers.close()
    await halls.close()
    await bus.close()
