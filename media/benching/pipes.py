"""Pipes between the benchmark's processes, read on the event loop."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from typing import Any


class Questions:
    """What comes through a pipe, one after the other."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._come = asyncio.Queue[Any]()
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._read)

    def _read(self) -> None:
        try:
            self._come.put_nowait(self._pipe.recv())
        except (EOFError, ConnectionError):
            self.close()
            self._come.put_nowait(None)

    async def next(self) -> Any:
        """The next message; None when the other end is closed."""
        return await self._come.get()

    def close(self) -> None:
        """Reads no more; the pipe stays open."""
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
