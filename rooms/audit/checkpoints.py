"""Checkpoints: the log's size and root, signed at intervals and at the end of each class."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit.log import locked_head
from rooms.audit.merkle import root_of_edge
from rooms.audit.notes import Checkpoint, NoteKey
from rooms.clock import Clock
from rooms.store import Store
from rooms.tables import AuditCheckpoint

log = structlog.get_logger("audit")


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as kept: the note an auditor takes along."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


async def sign_checkpoint(store: Store, clock: Clock, key: NoteKey) -> SignedCheckpoint | None:
    """Sign the log as it stands; the last checkpoint again where nothing was added, None while the log is empty."""
    async with store.write() as session:
        size, edge = await locked_head(session)
        last = await newest_checkpoint(session)
        if size == 0 or (last is not None and last.size == size):
            return last
        root = root_of_edge(edge)
        note = key.note(Checkpoint(key.name, size, root).body)
        signed = SignedCheckpoint(size, root, note, clock.now())
        session.add(AuditCheckpoint(size=size, root=root, note=note, signed_at=signed.signed_at))
        return signed


async def newest_checkpoint(session: AsyncSession) -> SignedCheckpoint | None:
    """The checkpoint signed last."""
    row = await session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1))
    return None if row is None else SignedCheckpoint(row.size, row.root, row.note, row.signed_at)


class Checkpointer:
    """Owns the task that signs a checkpoint every so often. `nudge` asks for one now, as at the end of a class."""

    def __init__(self, store: Store, clock: Clock, key: NoteKey, seconds: float) -> None:
        self.key = key
        self._store, self._clock, self._seconds = store, clock, seconds
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="audit checkpoints")

    async def close(self) -> None:
        """Stop, after a last checkpoint over everything written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            await self._sign()

    def nudge(self) -> None:
        """Sign soon. Never waits and never fails."""
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
