"""One contract for both placements: least loaded, sticky, fenced, and nothing that cannot be forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from media.events import PeerId, RoomId
from media.relay import Relay
from media.values import RelayConfig
from rooms.bus.memory import MemoryBus
from rooms.clock import SystemClock
from rooms.cluster import Away, Held, Placement, Worker, WorkerId
from rooms.cluster.member import Member
from rooms.cluster.memory import MemoryPlacement
from rooms.cluster.redis_placement import RedisPlacement
from rooms.cluster.watch import Watch

TTL, SHARE = 0.4, 3
ONE, TWO, THREE = (RoomId(str(number) * 32) for number in (1, 2, 3))


@dataclass(frozen=True)
class Cluster:
    placement: Placement
    second: Placement
    """Another server's view of the same."""
    forget: Callable[[], Awaitable[object]]


@pytest.fixture(params=["memory", "redis"])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    if request.param == "memory":
        memory = MemoryPlacement(time.monotonic, ttl=TTL, share=SHARE)
        yield Cluster(memory, memory, memory.close)
        return
    url = request.getfixturevalue("redis_url")
    one, two = (RedisPlacement(url, share=SHARE, ttl=TTL) for _ in range(2))
    redis = Redis.from_url(url)
    await redis.flushall()
    yield Cluster(one, two, redis.flushall)
    await redis.flushall()
    for each in (one, two, redis):
        await each.aclose() if isinstance(each, Redis) else await each.close()


def worker(name: str, subscribers: int = 0, **other: object) -> Worker:
    return Worker(WorkerId(name), f"http://{name}", 100, subscribers, **other)  # type: ignore[arg-type]  # by name


def held(epoch: int | None, *peers: str) -> Held:
    return Held(epoch, frozenset(PeerId(peer) for peer in peers))


async def placed(placement: Placement, room: RoomId, receives: str | None = None) -> str:
    found = await placement.place(room, PeerId(receives) if receives else None)
    return found.id if found is not None else ""


async def test_nobody_is_there(cluster: Cluster) -> None:
    assert await cluster.placement.place(ONE) is None
    assert (await cluster.placement.find(ONE)).origin is None
    assert not await cluster.placement.drain(WorkerId("a"))


async def test_a_room_goes_to_the_least_loaded_and_stays(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a", 9), {})
    await cluster.placement.announce(worker("b", 2), {})
    assert await placed(cluster.placement, ONE) == "b"
    assert await placed(cluster.placement, TWO) == "b"
    assert await placed(cluster.placement, THREE) == "a"  # two rooms are on their way to b
    await cluster.placement.announce(worker("b", 90), {})
    assert await placed(cluster.second, ONE) == "b"
    standing = await cluster.second.find(ONE)
    assert (standing.origin, standing.epoch, set(standing.workers)) == ("b", 1, {"b"})


async def test_many_servers_place_one_room_on_one_worker(cluster: Cluster) -> None:
    for name in "abc":
        await cluster.placement.announce(worker(name), {})
    asking = [placed(each, ONE) for _ in range(10) for each in (cluster.placement, cluster.second)]
    assert len(set(await asyncio.gather(*asking))) == 1
    assert (await cluster.placement.find(ONE)).epoch == 1


async def test_a_silent_worker_loses_its_rooms_for_good(cluster: Cluster) -> None:
    had = {ONE: held(1, "p1", "p2")}
    await cluster.placement.announce(worker("a"), {})
    assert await placed(cluster.placement, ONE) == "a"
    assert (await cluster.placement.announce(worker("a"), had)).epochs == {ONE: 1}
    await asyncio.sleep(TTL + 0.1)
    await cluster.placement.announce(worker("b"), {})
    assert [each.id for each in await cluster.placement.workers()] == ["b"]
    assert await placed(cluster.second, ONE) == "b"
    assert (await cluster.placement.announce(worker("a"), had)).epochs == {}  # it was only paused: too late
    assert (await cluster.placement.announce(worker("b"), {ONE: held(2)})).epochs == {ONE: 2}
    assert await placed(cluster.placement, ONE) == "b"


async def test_a_paused_worker_that_nobody_missed_keeps_its_room(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a"), {})
    await placed(cluster.placement, ONE)
    await asyncio.sleep(TTL + 0.1)
    assert (await cluster.placement.announce(worker("a"), {ONE: held(1, "p1")})).epochs == {ONE: 1}


async def test_what_was_forgotten_comes_back_with_the_next_announcements(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a"), {})
    await cluster.placement.announce(worker("b", 50), {})
    assert await placed(cluster.placement, ONE) == "a"
    await cluster.forget()
    assert await placed(cluster.placement, ONE) == ""
    await cluster.placement.announce(worker("b", 50), {})
    assert await placed(cluster.placement, ONE) == "b"  # somebody joined before the worker with the room could speak …
    heard = await cluster.placement.announce(worker("a"), {ONE: held(1, "p1")})
    assert heard.epochs == {ONE: 2}  # … which keeps it
    assert (await cluster.placement.announce(worker("b", 50), {ONE: held(1, "p2")})).epochs == {}
    assert await placed(cluster.second, ONE) == "a"


async def test_a_draining_worker_hands_its_rooms_on(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a"), {})
    assert await placed(cluster.placement, ONE) == "a"
    assert await cluster.second.drain(WorkerId("a"))
    assert (await cluster.placement.announce(worker("a"), {ONE: held(1, "p1")})).draining
    assert await placed(cluster.placement, ONE) == "a"  # better than nobody
    await cluster.placement.announce(worker("b", 99), {})
    assert await placed(cluster.placement, ONE, "p1") == "b"
    assert await placed(cluster.placement, TWO) == "b"
    assert (await cluster.placement.announce(worker("a", draining=True), {ONE: held(1, "p1")})).epochs == {}
    await cluster.placement.leave(WorkerId("a"))
    assert [each.id for each in await cluster.placement.workers()] == ["b"]


async def test_redis_may_restart(redis_to_stop: tuple[str, Callable[[], None], Callable[[], None]]) -> None:
    url, stop, start = redis_to_stop
    placement = RedisPlacement(url, share=SHARE)
    try:
        await placement.announce(worker("a"), {})
        assert await placed(placement, ONE) == "a"
        stop()
        with pytest.raises(Away):
            await placement.place(ONE)
        start()
        assert (await placement.announce(worker("a"), {ONE: held(1, "p1")})).epochs == {ONE: 1}
        assert await placed(placement, ONE) == "a"
    finally:
        await placement.close()


async def test_who_is_missed_once_is_not_gone() -> None:
    memory, gone = MemoryPlacement(time.monotonic, ttl=TTL, share=SHARE), list[int]()

    async def tell() -> None:
        gone.append(1)

    watch = Watch(memory, tell, ())
    await memory.announce(worker("a"), {})
    await watch.look()
    await memory.leave(WorkerId("a"))
    await watch.look()
    assert (gone, watch.workers) == ([], [])
    await memory.announce(worker("a"), {})
    await watch.look()
    await memory.leave(WorkerId("a"))
    for _ in range(3):
        await watch.look()
    assert gone == [1]
    assert watch.origins == {"http://a"}


async def test_a_placement_that_goes_with_a_worker_ends_no_watch() -> None:
    memory = MemoryPlacement(time.monotonic, ttl=TTL, share=SHARE)

    async def tell() -> None:
        raise Away("Redis went with the machine")

    watch = Watch(memory, tell, ())
    await memory.announce(worker("a"), {})
    await watch.look()
    await memory.leave(WorkerId("a"))
    for _ in range(2):
        await watch.look()
    await memory.announce(worker("b"), {})
    await watch.look()
    assert [each.id for each in watch.workers] == ["b"]


async def test_a_placement_that_is_away_is_said_once(redis_url: str) -> None:
    nowhere, here = (RedisPlacement(url, share=SHARE, ttl=TTL) for url in ("redis://127.0.0.1:1/0", redis_url))

    async def tell() -> None:
        raise AssertionError("nobody is gone")

    watch = Watch(nowhere, tell, ())
    try:
        with capture_logs() as lines:
            for _ in range(3):
                await watch.look()
            watch._placement = here
            for _ in range(2):
                await watch.look()
    finally:
        await nowhere.close()
        await here.close()
    assert [line["event"] for line in lines] == ["placement_away", "placement_back"]


async def test_an_empty_worker_ends_at_once_while_the_placement_is_away() -> None:
    nowhere = RedisPlacement("redis://127.0.0.1:1/0", share=SHARE, ttl=TTL)
    relay = Relay(RelayConfig(), lambda event: None, now=SystemClock().now, monotonic=time.monotonic)
    member = Member(relay, nowhere, MemoryBus(), time.monotonic)
    await member.start("http://a")
    try:
        assert member.contact.lost
        await member.drain()
        assert member.empty.is_set()
    finally:
        await member.close()
        await nowhere.close()


async def test_a_large_room_gets_edges(cluster: Cluster) -> None:
    for name, subscribers in (("a", 0), ("b", 5), ("c", 9)):
        await cluster.placement.announce(worker(name, subscribers), {})
    peers = [f"p{number}" for number in range(SHARE * 3)]
    seats = [await placed(cluster.placement, ONE, peer) for peer in peers]
    assert seats == ["a"] * SHARE + ["b"] * SHARE + ["c"] * SHARE
    assert [
        await placed(cluster.second, ONE, peer) for peer in peers
    ] == seats  # one seat for all sources, and after a break
    assert await placed(cluster.placement, ONE) == "a"  # what is published goes to the origin
    standing = await cluster.second.find(ONE)
    assert (standing.origin, set(standing.workers)) == ("a", {"a", "b", "c"})
    await asyncio.sleep(TTL + 0.1)
    heard = await cluster.placement.announce(worker("b", 5), {ONE: held(None, *peers[SHARE : 2 * SHARE])})
    assert not heard.epochs
    assert await placed(cluster.placement, ONE) == "b"  # the origin is gone: an edge may become it
    assert (await cluster.placement.find(ONE)).epoch == 2


async def test_seats_come_back_with_the_announcements(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a"), {})
    await cluster.placement.announce(worker("b", 9), {})
    peers = [f"p{number}" for number in range(SHARE + 1)]
    seats = [await placed(cluster.placement, ONE, peer) for peer in peers]
    await cluster.forget()
    await cluster.placement.announce(worker("b", 9), {ONE: held(None, peers[-1])})
    await cluster.placement.announce(worker("a"), {ONE: held(1, *peers[:-1])})
    assert [await placed(cluster.placement, ONE, peer) for peer in peers] == seats


async def test_a_room_that_outgrows_all_workers_is_spread_evenly(cluster: Cluster) -> None:
    await cluster.placement.announce(worker("a"), {})
    await cluster.placement.announce(worker("b"), {})
    seats = [await placed(cluster.placement, ONE, f"p{number}") for number in range(SHARE * 2 + 4)]
    assert (seats.count("a"), seats.count("b")) == (SHARE + 2, SHARE + 2)
