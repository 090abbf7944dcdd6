"""What a web server sees of the workers: who is there, which origins pages must reach, and when one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import structlog

from rooms.cluster import BEAT_SECONDS, Away, Placement, Worker, WorkerId
from rooms.cluster.contact import Contact

log = structlog.get_logger("cluster")


class Watch:
    """Looks every `BEAT_SECONDS`; `on_gone` is called after a worker went. Owns one task from `start` to `close`."""

    def __init__(self, placement: Placement, on_gone: Callable[[], Awaitable[None]], origins: Sequence[str]) -> None:
        self.workers: Sequence[Worker] = ()
        self.origins: frozenset[str] = frozenset(origins)
        """Where pages may find workers: as configured, and of every worker seen so far."""
        self._placement, self._on_gone, self._contact = placement, on_gone, Contact()
        self._missed: set[WorkerId] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.look()
        self._task = asyncio.create_task(self._look_on(), name="relay watch")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        """Sees who is there now; while the placement is away, who was there last."""
        try:
            workers = await self._placement.workers()
        except Away as error:
            self._contact.failed(error)
            return
        self._contact.answered()
        here = {each.id for each in workers}
        gone = self._missed - here  # missed twice in a row: Redis may have been emptied before the first look
        self._missed = {each.id for each in self.workers} - here
        self.workers = workers
        self.origins |= {origin for each in workers if (origin := _origin(each.url))}
        if gone:
            log.warning("relay_gone", workers=sorted(gone))
            await self._told_gone()

    async def _told_gone(self) -> None:
        try:
            await self._on_gone()
        except Away as error:  # the placement went too; pages then find out by the silence
            self._contact.failed(error)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.look()
            except Exception:  # whatever it was, the next worker that goes must be missed
                log.exception("relay_watch_failed")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else ""
