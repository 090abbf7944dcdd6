"""How a test waits for what another task, process or page does."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds. No test measures with it: it tells what never happens from what a busy machine does late."""

SOON = 8.0
"""Below every deadline after which the product ends or mends something by itself (ten seconds for a stranger at the encoders' door, fifteen until
news is told again, thirty without consent): where an act must have its effect, and not such a deadline."""


@overload
async def until(true: Callable[[], Awaitable[T]], what: str = ..., seconds: float = ...) -> T: ...
@overload
async def until(true: Callable[[], T], what: str = ..., seconds: float = ...) -> T: ...
async def until(true: Callable[[], Any], what: str = "it", seconds: float = PATIENCE) -> Any:
    """The first true answer; fails the test where none came in time. A limit below the usual one is part of what is tested."""
    end = time.monotonic() + seconds
    while True:
        answer = true()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)
