"""The bus carries hints that something changed, between tasks of one process or between servers.

A message is small, JSON and may be lost: whoever hears one reads the truth from the store. A subscriber that is too slow,
or whose line to the bus broke, hears `GAP` and reads everything anew.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Message = dict[str, Any]

GAP: Message = {"kind": "bus.gap"}
"""Heard in place of messages that were lost."""

QUEUE_LENGTH = 256
"""Messages that wait for one subscriber before the oldest are dropped."""


class Bus(Protocol):
    """Publishes messages to topics such as ``live:<occurrence>``; `MemoryBus` and `RedisBus` behave alike."""

    async def publish(self, topic: str, message: Message) -> None:
        """Hand a message to everyone who listens to the topic now. Never waits for a listener.

        Raises TypeError where the message is not JSON. A broken line to the bus is no error here: listeners hear `GAP`.
        """

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Listen to a topic: ``async with bus.subscribe("live:1") as messages: async for message in messages: …``.

        What is published after the ``async with`` line was entered is heard, in order.
        """

    async def close(self) -> None:
        """End all subscriptions; their iterators stop."""


def encoded(message: Message) -> str:
    """The message as it travels."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def decoded(text: str | bytes) -> Message:
    """The message as it was published."""
    message = json.loads(text)
    if not isinstance(message, dict):
        raise TypeError("a bus message is an object")
    return message
