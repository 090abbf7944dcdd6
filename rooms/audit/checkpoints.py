"""Checkpoints: the log's size and root, signed at intervals and at the end of each class."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit.log import locked_head
from rooms.audit.merkle import root_of_edge
from rooms.audit.notes import Checkpoint, NoteKey
from rooms.bus import Bus
from rooms.clock import Clock
from rooms.store import Store
from rooms.tables import AuditCheckpoint

log = structlog.get_logger("audit")

TOPIC = "audit.checkpoint"
"""Whoever publishes anything to it gets a checkpoint soon."""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as kept: the note an auditor takes along."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


async def sign_checkpoint(store: Store, clock: Clock, key: NoteKey) -> SignedCheckpoint | None:
    """Sign the log as it stands; the last checkpoint again where nothing was added, None while the log is empty.

    One that another key signed is not this log's to whoever holds this key: it is signed anew, and kept as it was.
    """
    async with store.write() as session:
        size, edge = await locked_head(session)
        last = await newest_checkpoint(session)
        if size == 0:
            return None
        foreign = last is not None and last.note != key.note(Checkpoint(key.name, last.size, last.root).body)
        if foreign:
            log.warning("audit_key_differs", key=key.verifier.text)  # docs/PRODUCTION.md: one key for all servers
        elif last is not None and last.size == size:
            return last
        root = root_of_edge(edge)
        note = key.note(Checkpoint(key.name, size, root).body)
        signed = SignedCheckpoint(size, root, note, clock.now())
        if last is not None and last.size == size:
            return signed
        session.add(AuditCheckpoint(size=size, root=root, note=note, signed_at=signed.signed_at))
        return signed


async def newest_checkpoint(session: AsyncSession) -> SignedCheckpoint | None:
    """The checkpoint signed last."""
    row = await session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1))
    return None if row is None else SignedCheckpoint(row.size, row.root, row.note, row.signed_at)


class Checkpointer:
    """Signs a checkpoint every so often, and at once where `TOPIC` is heard on the bus, as at the end of a class.

    Owns two tasks from `start` to `close`.
    """

    def __init__(self, store: Store, clock: Clock, bus: Bus, open_key: Callable[[], NoteKey], seconds: float) -> None:
        self._open_key = open_key
        self._store, self._clock, self._bus, self._seconds = store, clock, bus, seconds
        self._wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @cached_property
    def key(self) -> NoteKey:
        """The log's signing key, opened by the processes that need it alone."""
        return self._open_key()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._run(), name="audit checkpoints"),
            asyncio.create_task(self._listen(), name="audit checkpoints asked for"),
        ]

    async def close(self) -> None:
        """Stop, after a last checkpoint over everything written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tasks:
            await self._sign()
        self._tasks = []

    async def _listen(self) -> None:
        async with self._bus.subscribe(TOPIC) as messages:
            async for _ in messages:
                self._wanted.set()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._seconds)
            self._wanted.clear()
            await self._sign()

    async def _sign(self) -> None:
        try:
            await sign_checkpoint(self._store, self._clock, self.key)
        except (SQLAlchemyError, OSError) as error:  # the store is away: the next turn covers the same entries
            log.warning("checkpoint_missed", error=type(error).__name__)
        except Exception:  # a key that cannot be read, say: as long as nobody signs, the log must say so
            log.exception("checkpoint_failed")
