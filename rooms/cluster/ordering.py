"""Orders to live media over the bus: to every worker that has the room, each acknowledged when it is carried out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, get_args

import structlog
from pydantic import TypeAdapter, ValidationError

from media.orders import Order, Record, ServeSegments
from rooms.bus import GAP, Bus, Message
from rooms.cluster import Away, Placement, WorkerId

log = structlog.get_logger("cluster")

ANSWER_SECONDS = 1.5
AT_ORIGIN = (Record, ServeSegments)
"""The origin alone has everything that is published; its edges must not do these once more."""
ATTEMPTS = 2
"""An order may be lost on the bus; carried out twice it does the same."""
_ORDERS: Mapping[str, TypeAdapter[Order]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Order)}


class Unanswered(Exception):
    """A worker that has the room did not say that it carried the order out."""


def written(order: Order) -> Message:
    """An order as it travels."""
    return {"order": type(order).__name__, "fields": asdict(order)}


def read(message: Mapping[str, Any]) -> Order | None:
    """The order in a message; None where it is none that this version knows."""
    kind = _ORDERS.get(str(message.get("order")))
    if kind is None:
        return None
    try:
        return kind.validate_python(message.get("fields"))
    except ValidationError:
        return None


class OverBus:
    """The `media.orders.MediaPort` of a cluster. A room that nobody has needs no order."""

    def __init__(self, placement: Placement, bus: Bus) -> None:
        self._placement, self._bus = placement, bus

    async def order(self, order: Order) -> None:
        """Returns when every worker that has the room has carried it out, or is gone. What a living worker does not answer
        is logged: the domain's own state stands, and a relay that comes back hears the order again."""
        try:
            standing = await self._placement.find(order.room)
            workers = filter(None, [standing.origin]) if isinstance(order, AT_ORIGIN) else standing.workers
            await asyncio.gather(*(self._to(worker, order) for worker in workers))
        except (Away, Unanswered) as error:
            log.error("order_unanswered", order=type(order).__name__, room=order.room, error=str(error))

    async def _to(self, worker: WorkerId, order: Order) -> None:
        number = secrets.token_hex(8)
        async with self._bus.subscribe(f"relay-done:{number}") as messages:
            answered = asyncio.create_task(_answered(messages), name="order answered")
            try:
                for _ in range(ATTEMPTS):
                    await self._bus.publish(f"relay:{worker}", {**written(order), "number": number})
                    await asyncio.wait({answered}, timeout=ANSWER_SECONDS)
                    if answered.done():
                        return
            finally:
                answered.cancel()
                await asyncio.gather(answered, return_exceptions=True)
        raise Unanswered(worker)


async def _answered(messages: AsyncIterator[Message]) -> None:
    async for message in messages:
        if message != GAP:
            return


class OrderTaker:
    """The worker's ear: carries out what it is told. Owns one task from `start` to `close`."""

    def __init__(self, bus: Bus, worker: WorkerId, carry_out: Callable[[Order], Awaitable[None]]) -> None:
        self._bus, self._worker, self._carry_out = bus, worker, carry_out
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(ready), name="relay orders")
        await ready.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _listen(self, ready: asyncio.Event) -> None:
        async with self._bus.subscribe(f"relay:{self._worker}") as messages:
            ready.set()
            async for message in messages:
                await self._take(message)

    async def _take(self, message: Message) -> None:
        order = read(message)
        if order is None:
            if message != GAP:
                log.warning("order_unknown", order=str(message.get("order")))
            return
        try:
            await self._carry_out(order)
        except Exception:  # one order that fails must not silence the next; it stays unanswered
            log.exception("order_failed", order=type(order).__name__, room=order.room)
            return
        await self._bus.publish(f"relay-done:{message.get('number')}", {"done": True})
