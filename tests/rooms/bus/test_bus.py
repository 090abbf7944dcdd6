"""One contract for both buses: order, bounds, and a loss is made known."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from silent_wire import silent_wire
from waiting import PATIENCE, SOON

from rooms.bus import GAP, QUEUE_LENGTH, Bus, Message, redis_bus
from rooms.bus.choice import open_bus
from rooms.bus.redis_bus import RedisBus


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    bus = open_bus(request.getfixturevalue("redis_url") if request.param == "redis" else "")
    yield bus
    await bus.close()


async def heard(messages: AsyncIterator[Message], count: int) -> list[Message]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(messages) for _ in range(count)]


async def test_messages_arrive_in_order_at_every_listener(bus: Bus) -> None:
    async with bus.subscribe("live:1") as one, bus.subscribe("live:1") as two, bus.subscribe("live:2") as other:
        for number in range(20):
            await bus.publish("live:1", {"number": number, "word": "开课"})
        await bus.publish("live:2", {"number": 99})
        expected = [{"number": number, "word": "开课"} for number in range(20)]
        assert await heard(one, 20) == expected
        assert await heard(two, 20) == expected
        assert await heard(other, 1) == [{"number": 99}]


async def test_nobody_listening_is_no_error(bus: Bus) -> None:
    await bus.publish("live:1", {"number": 1})
    async with bus.subscribe("live:1") as messages:
        await bus.publish("live:1", {"number": 2})
        assert await heard(messages, 1) == [{"number": 2}]


async def test_a_topic_can_be_left_and_taken_up_again(bus: Bus) -> None:
    for number in range(3):
        async with bus.subscribe("live:1") as messages:
            await bus.publish("live:1", {"number": number})
            assert await heard(messages, 1) == [{"number": number}]


async def test_a_slow_listener_hears_a_gap_and_holds_up_nobody(bus: Bus) -> None:
    async with bus.subscribe("live:1") as slow, bus.subscribe("live:1") as quick:
        for number in range(QUEUE_LENGTH * 3):
            await bus.publish("live:1", {"number": number})
            assert await heard(quick, 1) == [{"number": number}]
        first, *_ = await heard(slow, 1)
        assert first == GAP
        rest = await heard(slow, 2)
        assert rest[1]["number"] == rest[0]["number"] + 1


async def test_a_message_that_is_no_json_is_refused(bus: Bus) -> None:
    with pytest.raises(TypeError):
        await bus.publish("live:1", {"bad": object()})


async def test_what_one_listener_changes_the_other_does_not_see(bus: Bus) -> None:
    async with bus.subscribe("live:1") as one, bus.subscribe("live:1") as two:
        await bus.publish("live:1", {"names": []})
        (message,) = await heard(one, 1)
        message["names"].append("x")
        assert await heard(two, 1) == [{"names": []}]


async def test_closing_ends_the_iterators(bus: Bus) -> None:
    async with bus.subscribe("live:1") as messages:
        await bus.close()
        with pytest.raises(StopAsyncIteration):
            await heard(messages, 1)


async def test_two_servers_share_one_redis(redis_url: str) -> None:
    one, two = RedisBus(redis_url), RedisBus(redis_url)
    try:
        async with two.subscribe("live:1") as messages:
            await one.publish("live:1", {"from": "one"})
            assert await heard(messages, 1) == [{"from": "one"}]
    finally:
        await one.close()
        await two.close()


async def test_a_lost_redis_is_found_again_and_the_loss_made_known(
    redis_to_stop: tuple[str, Callable[[], None], Callable[[], None]],
) -> None:
    url, stop, start = redis_to_stop
    bus = RedisBus(url)
    try:
        async with bus.subscribe("live:1") as messages:
            stop()
            await bus.publish("live:1", {"number": 1})
            start()
            assert await heard(messages, 1) == [GAP]
            await bus.publish("live:1", {"number": 2})
            assert await heard(messages, 1) == [{"number": 2}]
    finally:
        await bus.close()


async def test_what_is_no_message_ends_no_listener(redis_url: str) -> None:
    bus, stranger = RedisBus(redis_url), Redis.from_url(redis_url)
    try:
        async with bus.subscribe("live:1") as messages, bus.subscribe("live:2") as others:
            for foreign in ("{", b"\xff", "[]"):
                await stranger.publish(f"{redis_bus.PREFIX}live:1", foreign)
                assert await heard(messages, 1) == [GAP]
            for topic, listener in (("live:1", messages), ("live:2", others)):
                await bus.publish(topic, {"number": 1})
                assert await heard(listener, 1) == [{"number": 1}]
    finally:
        await bus.close()
        await stranger.aclose()


async def test_a_listener_that_fails_listens_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bus, hear, failed = RedisBus(redis_url), RedisBus._heard, asyncio.Event()

    def stumbles(self: RedisBus, kind: str, name: bytes | None, data: bytes) -> None:
        if kind == "message" and not failed.is_set():
            failed.set()
            raise RuntimeError
        hear(self, kind, name, data)

    monkeypatch.setattr(RedisBus, "_heard", stumbles)
    try:
        async with bus.subscribe("live:1") as messages:
            await bus.publish("live:1", {"number": 1})
            assert await heard(messages, 1) == [GAP]
            await bus.publish("live:1", {"number": 2})
            assert await heard(messages, 1) == [{"number": 2}]
    finally:
        await bus.close()


async def test_a_silent_redis_holds_nobody_up_and_is_called_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall drops what goes to and fro, and forgets the connections: nothing says so to anybody."""
    monkeypatch.setattr(redis_bus, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(redis_bus, "QUIET_SECONDS", 0.2)
    server, there = urlsplit(redis_url), RedisBus(redis_url)
    async with silent_wire(lambda: asyncio.open_connection(server.hostname, server.port)) as (wire, port):
        here = RedisBus(f"redis://127.0.0.1:{port}{server.path}")
        async with here.subscribe("live:1") as messages:
            await asyncio.sleep(0.5)
            await there.publish("live:1", {"number": 1})
            assert await heard(messages, 1) == [{"number": 1}], "quiet is not silent"
            wire.be_silent()
            async with asyncio.timeout(SOON):
                await here.publish("live:1", {"number": 2})
            wire.be_well()
            assert await heard(messages, 1) == [GAP]
            await there.publish("live:1", {"number": 3})
            assert await heard(messages, 1) == [{"number": 3}]
        for bus in (here, there):
            await bus.close()
