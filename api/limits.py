"""How often a caller may try what can be guessed or flooded: moving windows, kept in memory or in Redis."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.access import Caller
from api.problems import Problem

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
}
"""Rule → how many in which time, for one address (and one person, where signed in). An account also locks itself."""


class Limits:
    """Counts attempts and raises 429 with Retry-After."""

    def __init__(self, redis_url: str = "", *, scale: int = 1) -> None:
        self._storage = RedisStorage(f"async+{redis_url}", implementation="redispy") if redis_url else MemoryStorage()
        self._window = MovingWindowRateLimiter(self._storage)
        self._rules: dict[str, RateLimitItem] = {name: _scaled(parse(rule), scale) for name, rule in RULES.items()}

    async def spend(self, rule: str, caller: Caller, *more: str) -> None:
        """Counts one attempt; raises `Problem` ``too_many_requests`` where the window is full."""
        who = caller.principal.name if caller.principal else ""
        key = (rule, caller.address, who, *more)
        item = self._rules[rule]
        if await self._window.hit(item, *key):
            return
        reset = (await self._window.get_window_stats(item, *key)).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        raise Problem("too_many_requests", headers={"Retry-After": str(wait)}, facts={"seconds": wait})


def _scaled(item: RateLimitItem, scale: int) -> RateLimitItem:
    return type(item)(item.amount * scale, item.multiples)
