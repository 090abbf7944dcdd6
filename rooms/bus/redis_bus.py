"""The bus between servers, over Redis publish/subscribe."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from rooms.bus import GAP, Message, decoded, encoded
from rooms.bus.inbox import Inbox

log = structlog.get_logger("bus")

PREFIX = "sanke:"
LOUNGE = f"{PREFIX}bus"
"""A channel that is always listened to, so that the one connection lives before anybody subscribes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
ANSWER_SECONDS = 2.0
"""Redis answers within this time, or it is away."""
QUIET_SECONDS = 5.0
"""Without a message for so long the listener asks whether anybody is there: a firewall that forgot the connection tells nobody."""


class RedisBus:
    """One connection listens for all subscribers of this process and comes back by itself; until then they hear `GAP`.

    Owns one task, started by the first subscription and ended by `close`.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS)
        self._inboxes: dict[str, set[Inbox]] = {}
        self._listening: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None
        self._task: asyncio.Task[None] | None = None
        self._connected_before = False

    async def publish(self, topic: str, message: Message) -> None:
        text = encoded(message)
        try:
            await self._redis.publish(PREFIX + topic, text)
        except (RedisError, OSError) as error:  # listeners read the store after the gap
            log.warning("message_lost", topic=topic, error=type(error).__name__)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[Message]]:
        inbox = Inbox()
        channel = PREFIX + topic
        first = channel not in self._inboxes
        self._inboxes.setdefault(channel, set()).add(inbox)
        if first:
            self._listening[channel] = asyncio.Event()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="bus listener")
        elif first:
            await self._tell("subscribe", channel)
        try:
            with contextlib.suppress(TimeoutError):  # a bus that is away now will send GAP when it is back
                await asyncio.wait_for(self._listening[channel].wait(), 5)
            yield inbox.messages()
        finally:
            listeners = self._inboxes.get(channel, set())
            listeners.discard(inbox)
            if not listeners:
                self._inboxes.pop(channel, None)
                self._listening.pop(channel, None)
                await self._tell("unsubscribe", channel)

    async def _tell(self, verb: str, channel: str) -> None:
        if self._pubsub is None:
            return
        with contextlib.suppress(RedisError, OSError):  # the listener notices and starts anew
            await getattr(self._pubsub, verb)(channel)

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._listen_to_all(pubsub)
                    pause = FIRST_PAUSE
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                log.warning("bus_away", error=type(error).__name__, pause=pause)
            except Exception:  # every page of this process hears by this one task
                log.exception("bus_listener_failed", pause=pause)
            finally:
                self._pubsub = None
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen_to_all(self, pubsub: PubSub) -> None:
        channels = {LOUNGE, *self._inboxes}
        await pubsub.subscribe(*channels)
        self._pubsub = pubsub
        late = set(self._inboxes) - channels
        if late:
            await pubsub.subscribe(*late)

    async def _hear(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            heard = await pubsub.get_message(timeout=ANSWER_SECONDS if asked else QUIET_SECONDS)
            if heard is not None:
                asked = False
                self._heard(heard["type"], heard["channel"], heard["data"])
            elif asked:
                raise TimeoutError
            else:
                asked = True
                await pubsub.ping()

    def _heard(self, kind: str, name: bytes | None, data: bytes) -> None:
        channel = (name or b"").decode()
        if kind == "message":
            self._message(channel, data)
        elif kind == "subscribe" and channel == LOUNGE:
            if self._connected_before:
                self._all_hear(GAP)
            self._connected_before = True
        elif kind == "subscribe" and channel in self._listening:
            self._listening[channel].set()

    def _message(self, channel: str, data: bytes) -> None:
        for inbox in self._inboxes.get(channel, ()):
            try:
                inbox.put(decoded(data))
            except (ValueError, TypeError):  # not from a server of ours; it stands for something that nobody can know
                log.warning("message_unreadable", channel=channel)
                inbox.put(GAP)

    def _all_hear(self, message: Message) -> None:
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                inbox.put(message)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                inbox.close()
        await self._redis.aclose()
