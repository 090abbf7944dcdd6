"""What waits for one subscriber: bounded, newest kept, losses made known."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from rooms.bus import GAP, QUEUE_LENGTH, Message


class Inbox:
    """A bounded queue that never blocks who writes. When it overflows, its content is replaced by one `GAP`."""

    def __init__(self, length: int = QUEUE_LENGTH) -> None:
        self._length = length
        self._waiting: deque[Message] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, message: Message) -> None:
        if len(self._waiting) >= self._length:
            self._waiting.clear()
            self._waiting.append(GAP)
        self._waiting.append(message)
        self._changed.set()

    def close(self) -> None:
        self._closed = True
        self._changed.set()

    async def messages(self) -> AsyncIterator[Message]:
        """What was put, in order, until the inbox is closed and empty."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()
