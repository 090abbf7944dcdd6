"""The queue of planning runs: within one process, or Redis streams that workers on any machine read.

A message is a hint to look at one row of ``plan_runs``: it may be lost or come twice, for only the row says who works on a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from taskiq import AsyncBroker, BrokerMessage
from taskiq_redis import RedisStreamBroker

STREAM = "sanke:plans"
LONGEST_STREAM = 10_000
"""Messages that Redis keeps; older ones were read long ago."""
BLOCK = 1_000
"""Milliseconds that one look at the stream waits for a message."""


class MemoryBroker(AsyncBroker):
    """A queue within this process."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()

    async def kick(self, message: BrokerMessage) -> None:
        self._waiting.put_nowait(message.message)

    async def listen(self) -> AsyncGenerator[bytes, None]:
        while True:
            yield await self._waiting.get()


def open_broker(redis_url: str) -> AsyncBroker:
    """Redis streams where an address is given, else this process alone."""
    if not redis_url:
        return MemoryBroker()
    return RedisStreamBroker(
        redis_url,
        queue_name=STREAM,
        consumer_group_name="planners",
        consumer_id="0",  # what was asked for before the first worker came is read too
        xread_block=BLOCK,
        xread_count=1,  # the rest is left to other workers
        maxlen=LONGEST_STREAM,
        unacknowledged_lock_timeout=10,
        socket_connect_timeout=5,
    )
