"""The placement in Redis, shared by all servers and workers. Whatever is lost there comes back with the next announcements.

A worker's key lives for `TTL_SECONDS`; a room's row is changed only as it was read (WATCH), so two servers never place one
room on two workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError, WatchError

from media.events import PeerId, RoomId
from rooms.cluster import TTL_SECONDS, Away, Heard, Held, Standing, Worker, WorkerId, placing
from rooms.cluster.memory import FRESH_SECONDS
from rooms.cluster.placing import Row

WORKERS = "sanke:relays"
ROOM_SECONDS = 12 * 3600
"""A row outlives its class by hours, never a day."""
DRAIN_SECONDS = 3600
ANSWER_SECONDS = 2.0
"""Redis answers within this time, or it is away."""

T = TypeVar("T")
_WORKER, _ROW = TypeAdapter(Worker), TypeAdapter(Row)


class RedisPlacement:
    """One connection pool; no task."""

    def __init__(self, url: str, *, share: int, ttl: float = TTL_SECONDS) -> None:
        self._redis = Redis.from_url(
            url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS, decode_responses=True
        )
        self._share, self._milliseconds = share, int(ttl * 1000)
        self._turn = asyncio.Lock()
        """One placing at a time in this process: a large room's classrooms all change one row."""

    async def announce(self, worker: Worker, rooms: Mapping[RoomId, Held]) -> Heard:
        async with _answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.sadd(WORKERS, worker.id)
                pipe.set(_key("relay", worker.id), _WORKER.dump_json(worker), px=self._milliseconds)
                pipe.get(_key("drain", worker.id))
                _, _, asked = await pipe.execute()  # alive first: a room whose origin is not would be placed anew
            rows = await self._rows(list(rooms))
            epochs: dict[RoomId, int] = {}
            for room, held in rooms.items():
                row = placing.announced(rows[room], worker.id, held)
                if row is not None and row != rows[room]:
                    row = await self._claim(room, worker.id, held)
                if row is not None and row.origin == worker.id:
                    epochs[room] = row.epoch
            return Heard(epochs, bool(asked))

    async def _claim(self, room: RoomId, worker: WorkerId, held: Held) -> Row | None:
        async def claim(pipe: Pipeline) -> Row | None:
            row = placing.announced(_row(await pipe.get(_key("room", room))), worker, held)
            pipe.multi()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            if row is not None:
                pipe.set(_key("room", room), _ROW.dump_json(row), ex=ROOM_SECONDS)
            return row

        return await self._as_read(_key("room", room), claim)

    async def leave(self, worker: WorkerId) -> None:
        async with _answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.srem(WORKERS, worker)
            pipe.delete(_key("relay", worker), _key("fresh", worker), _key("drain", worker))
            await pipe.execute()

    async def drain(self, worker: WorkerId) -> bool:
        async with _answering():
            if not await self._redis.exists(_key("relay", worker)):
                return False
            await self._redis.set(_key("drain", worker), 1, ex=DRAIN_SECONDS)
            return True

    async def place(self, room: RoomId, receives: PeerId | None = None) -> Worker | None:
        async def place(pipe: Pipeline) -> Worker | None:
            alive = await self._alive()
            before = _row(await pipe.get(_key("room", room)))
            found = placing.seated(before, alive, self._share, receives)
            pipe.multi()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            if found is None:
                return None
            row, seat = found
            if row != before:
                pipe.set(_key("room", room), _ROW.dump_json(row), ex=ROOM_SECONDS)
            if row.origin is not None and row.epoch != before.epoch:
                pipe.incr(_key("fresh", row.origin))
                pipe.expire(_key("fresh", row.origin), FRESH_SECONDS)
            return alive[seat]

        async with _answering(), self._turn:
            return await self._as_read(_key("room", room), place)

    async def find(self, room: RoomId) -> Standing:
        async with _answering():
            alive = await self._alive()
            return placing.standing(_row(await self._redis.get(_key("room", room))), alive)

    async def workers(self) -> Sequence[Worker]:
        async with _answering():
            return sorted((await self._alive()).values(), key=lambda worker: (worker.url, worker.id))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _alive(self) -> dict[WorkerId, Worker]:
        ids = sorted(WorkerId(str(each)) for each in await self._redis.smembers(WORKERS))
        if not ids:
            return {}
        keys = [_key(kind, each) for each in ids for kind in ("relay", "fresh", "drain")]
        values = await self._redis.mget(keys)
        alive: dict[WorkerId, Worker] = {}
        for each, known, fresh, asked in zip(ids, values[::3], values[1::3], values[2::3], strict=True):
            if known is None:
                await self._redis.srem(WORKERS, each)  # an announcement puts it back
                continue
            told = _WORKER.validate_json(known)
            alive[each] = Worker(
                each,
                told.url,
                told.capacity,
                told.subscribers,
                told.rooms,
                told.draining or bool(asked),
                int(fresh or 0),
            )
        return alive

    async def _rows(self, rooms: Sequence[RoomId]) -> dict[RoomId, Row]:
        if not rooms:
            return {}
        values = await self._redis.mget([_key("room", room) for room in rooms])
        return {room: _row(value) for room, value in zip(rooms, values, strict=True)}

    async def _as_read(self, key: str, work: Callable[[Pipeline], Awaitable[T]]) -> T:
        """Does the work and what it queued, again where somebody else changed the key meanwhile."""
        stale = False
        while True:
            async with self._redis.pipeline(transaction=True) as pipe:
                try:
                    await pipe.watch(key)
                    result = await work(pipe)
                    await pipe.execute()
                except WatchError:
                    continue
                except ConnectionLost:
                    if stale:
                        raise
                    stale = True  # a connection of the pool that did not outlive a restart of Redis
                    continue
                return result


def _key(kind: str, name: str) -> str:
    return f"sanke:{kind}:{name}"


def _row(value: bytes | str | None) -> Row:
    return Row() if value is None else _ROW.validate_json(value)


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise Away(type(error).__name__) from error
