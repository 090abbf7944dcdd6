"""Trying an encoder that pushes: it comes to whichever server's door it finds, so all of them wait for it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict

import structlog

from media.encoders.encoder import probe
from media.encoders.values import REASONS, EncoderRefused, Found
from rooms.bus import GAP, Bus, Message
from rooms.encoders.gear import Gear
from rooms.store import Store
from rooms.tables import RoomEncoder

log = structlog.get_logger("encoders")

ASKED = "encoder-try"
MOST_TRIES = 16
"""At once, at one server."""
MARGIN_SECONDS = 2.0
"""How much longer than the doors who asked waits."""


async def found_anywhere(bus: Bus, encoder_id: int, patience: float) -> Found:
    """What the encoder sends, found by the server it comes to. Raises EncoderRefused, ``not_pushing`` where it comes to none."""
    number = secrets.token_hex(8)
    try:
        async with asyncio.timeout(patience + MARGIN_SECONDS), bus.subscribe(f"encoder-tried:{number}") as messages:
            await bus.publish(ASKED, {"number": number, "encoder": encoder_id, "patience": patience})
            return _read(await _next(messages))
    except TimeoutError:
        raise EncoderRefused("not_pushing") from None


async def _next(messages: AsyncIterator[Message]) -> Message:
    async for message in messages:
        if message != GAP:
            return message
    raise EncoderRefused("not_pushing", "the server ends")


def _read(message: Message) -> Found:
    if (found := message.get("found")) is not None:
        return Found(**found)
    raise EncoderRefused(next((each for each in REASONS if each == message.get("reason")), "crashed"))


class Tries:
    """A server's part in it: waits at its door for whom it is asked to. Owns its tasks from `start` to `close`."""

    def __init__(self, store: Store, bus: Bus, gear: Gear) -> None:
        self._store, self._bus, self._gear = store, bus, gear
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens from now on."""
        ready = asyncio.Event()
        self._own(asyncio.create_task(self._listen(ready), name="encoder tries"))
        await ready.wait()

    async def close(self) -> None:
        """Ends the tries under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, ready: asyncio.Event) -> None:
        async with self._bus.subscribe(ASKED) as messages:
            ready.set()
            async for message in messages:
                if message != GAP and len(self._tasks) <= MOST_TRIES:
                    self._own(asyncio.create_task(self._wait_for(message), name="encoder try"))

    async def _wait_for(self, asked: Message) -> None:
        """Tells what came to this door; nothing where it came to another one, or to none."""
        topic = f"encoder-tried:{asked['number']}"
        async with self._bus.subscribe(topic) as messages:
            heard = asyncio.create_task(_next(messages), name="encoder tried elsewhere")
            probing = asyncio.create_task(self._found(asked["encoder"], asked["patience"]), name="encoder probe")
            try:
                await asyncio.wait({heard, probing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                heard.cancel()
                probing.cancel()
                await asyncio.gather(heard, probing, return_exceptions=True)
        if not probing.cancelled() and (answer := probing.result()) is not None:
            await self._bus.publish(topic, answer)

    async def _found(self, encoder_id: int, patience: float) -> Message | None:
        try:
            async with self._store.read() as session:
                origin = self._gear.origin(await session.get_one(RoomEncoder, encoder_id))
            return {"found": asdict(await probe(origin, patience))}
        except EncoderRefused as refused:
            return {"reason": refused.reason} if refused.reason != "not_pushing" else None
