"""How often a caller may try what can be guessed or flooded: moving windows, kept in memory or in Redis."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

from api.access import Caller
from api.problems import Problem

log = structlog.get_logger("api")

RULES: Mapping[str, str] = {
    "sign_in": "20/minute",
    "link": "30/minute",
    "calendar": "300/minute",
    "enrol": "20/minute",
    "pin": "30/minute",
    "offer": "120/minute",
    "import": "20/minute",
    "plan": "30/minute",
    "export": "12/minute",
    "try_encoder": "12/minute",
}
"""Rule → how many in which time, for one address (and one person, where signed in). An account also locks itself."""


class Limits:
    """Counts attempts and raises 429 with Retry-After. While Redis is away each process counts for itself."""

    def __init__(self, redis_url: str = "", *, scale: int = 1) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = self._own
        self._pool: ConnectionPool | None = None
        if redis_url:
            self._pool = ConnectionPool.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2)
            options: dict[str, Any] = {"connection_pool": self._pool}
            storage = RedisStorage(f"async+{redis_url}", wrap_exceptions=True, implementation="redispy", **options)
            self._shared = MovingWindowRateLimiter(storage)
        self._rules: dict[str, RateLimitItem] = {name: _scaled(parse(rule), scale) for name, rule in RULES.items()}

    async def spend(self, rule: str, caller: Caller, *more: str) -> None:
        """Counts one attempt; raises `Problem` ``too_many_requests`` where the window is full."""
        who = f"{caller.principal.kind}:{caller.principal.id}" if caller.principal else ""  # names are not one's own
        key = (rule, caller.address, who, *more)
        item = self._rules[rule]
        try:
            reset = await _tried(self._shared, item, key)
        except StorageError as error:
            log.warning("limits_away", error=str(error))
            reset = await _tried(self._own, item, key)
        if reset is None:
            return
        wait = max(1, math.ceil(reset - time.time()))
        raise Problem("too_many_requests", headers={"Retry-After": str(wait)}, facts={"seconds": wait})

    async def close(self) -> None:
        """Frees the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()


async def _tried(window: MovingWindowRateLimiter, item: RateLimitItem, key: Sequence[str]) -> float | None:
    """Counts one attempt; when the window is full, the epoch time at which there is room again."""
    if await window.hit(item, *key):
        return None
    return (await window.get_window_stats(item, *key)).reset_time


def _scaled(item: RateLimitItem, scale: int) -> RateLimitItem:
    return type(item)(item.amount * scale, item.multiples)
