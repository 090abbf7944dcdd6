"""A line to a server that falls silent: what a partition of the network is to both ends, where nothing says that it is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SilentWire:
    """A TCP proxy. A connection that was there, or came, while it was silent never says anything again."""

    def __init__(self, call: Callable[[], Awaitable[Pipe]]) -> None:
        self._call = call
        self._silent = False
        self._carried: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._dead: set[asyncio.Task[None]] = set()

    def be_silent(self) -> None:
        """A firewall drops all packets, and forgets the connections."""
        self._silent = True
        self._dead |= set(self._carried)

    def be_well(self) -> None:
        """New connections are carried again."""
        self._silent = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection."""
        task = asyncio.current_task()
        assert task is not None
        ends = self._carried[task] = [writer]
        if self._silent:
            self._dead.add(task)
        try:
            back, there = await self._call()
            ends.append(there)
            await asyncio.gather(self._carry(reader, there, task), self._carry(back, writer, task))
        except (asyncio.CancelledError, OSError):
            return
        finally:
            del self._carried[task]
            for end in ends:
                end.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> None:
        while data := await reader.read(1 << 16):
            if task not in self._dead:
                writer.write(data)
                await writer.drain()
        if task not in self._dead:
            raise ConnectionResetError  # both ends go together

    async def close(self) -> None:
        """Ends all connections."""
        tasks = list(self._carried)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def silent_wire(call: Callable[[], Awaitable[Pipe]]) -> AsyncIterator[tuple[SilentWire, int]]:
    """A wire to a server that `call` connects to, and the port to call instead of the server's."""
    wire = SilentWire(call)
    server = await asyncio.start_server(wire.take, "127.0.0.1", 0)
    try:
        yield wire, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await wire.close()
