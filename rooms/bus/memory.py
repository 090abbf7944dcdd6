"""The bus within one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rooms.bus import Message, decoded, encoded
from rooms.bus.inbox import Inbox


class MemoryBus:
    """Hands messages to the subscribers of this process. Owns no task."""

    def __init__(self) -> None:
        self._inboxes: dict[str, set[Inbox]] = {}

    async def publish(self, topic: str, message: Message) -> None:
        text = encoded(message)
        for inbox in self._inboxes.get(topic, ()):
            inbox.put(decoded(text))

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[Message]]:
        inbox = Inbox()
        self._inboxes.setdefault(topic, set()).add(inbox)
        try:
            yield inbox.messages()
        finally:
            listeners = self._inboxes.get(topic, set())
            listeners.discard(inbox)
            if not listeners:
                self._inboxes.pop(topic, None)

    async def close(self) -> None:
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                inbox.close()
