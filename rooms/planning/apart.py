"""One computation in a process of its own: the server's loop and its other threads go on meanwhile, and it can be ended."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from rooms.refusals import Unavailable

R = TypeVar("R")


async def apart(seconds: float, function: Callable[..., R], *arguments: object) -> R:
    """Calls a module-level function with values that can be pickled. Raises `Unavailable` ``took_too_long`` after so many seconds."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, function, arguments), daemon=True)
    await asyncio.to_thread(process.start)
    there.close()
    try:
        if not await asyncio.to_thread(here.poll, seconds):
            raise Unavailable("took_too_long", seconds=round(seconds))
        answer: Any = await asyncio.to_thread(_received, here)
        if isinstance(answer, BaseException):
            raise answer
        result: R = answer
        return result
    finally:
        process.kill()
        await asyncio.shield(asyncio.to_thread(process.join))
        here.close()


def _work(line: Connection, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        line.send(function(*arguments))
    except Exception as error:
        line.send(error)


def _received(line: Connection) -> Any:
    try:
        return line.recv()
    except EOFError:
        return Unavailable("computation_died")
