"""Removing recordings, in two steps: one person withdraws it, and nobody watches it any more; another one destroys it.

Where its time is up, the system withdraws it, and destroys it a month later. The row with its figures stays.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.recordings.views import RUNNING
from rooms.refusals import Conflict, Forbidden, NotFound
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import Recording

RETENTION_OVER = "retention_over"
GRACE = timedelta(days=30)
AT_ONCE = 500
"""Folders that one question to the database is about."""

log = structlog.get_logger("recordings")


async def withdraw(store: Store, clock: Clock, actor: Actor, recording_id: str, why: str) -> None:
    """The first step; nothing where it was taken. Refusals: `NotFound`, `Conflict` ``recording_running``."""
    async with store.write() as session:
        row = await _row(session, recording_id)
        if row.state == RUNNING:
            raise Conflict("recording_running")
        if row.withdrawn_at is None:
            await _withdraw(session, actor, row, why, clock.now())


async def restore(store: Store, clock: Clock, actor: Actor, recording_id: str) -> None:
    """Takes the first step back. Where its time was up, it is kept for another month. Refusals: `NotFound`, `Conflict`
    ``recording_deleted``."""
    async with store.write() as session:
        row, now = await _row(session, recording_id), clock.now()
        if row.deleted_at is not None:
            raise Conflict("recording_deleted")
        if row.withdrawn_at is not None:
            row.withdrawn_at = row.withdrawn_by = row.withdrawn_why = None
            row.keep_until = max(row.keep_until, now + GRACE)
            await _audit(session, actor, "recording.restore", row, now, {})


async def destroy(store: Store, clock: Clock, settings: Settings, actor: Actor, recording_id: str) -> None:
    """The second step, by somebody else than the first; the files are gone afterwards.

    Refusals: `NotFound`, `Conflict` ``recording_not_withdrawn``, `Forbidden` ``recording_same_person``.
    """
    async with store.write() as session:
        row = await _row(session, recording_id)
        if row.deleted_at is not None:
            return
        if row.withdrawn_at is None:
            raise Conflict("recording_not_withdrawn")
        if row.withdrawn_by == actor.name and actor != SYSTEM:
            raise Forbidden("recording_same_person")
        row.deleted_at = clock.now()
        await _audit(session, actor, "recording.destroy", row, row.deleted_at, {"octets": row.octets})
    await _remove(settings.data_dir / "recordings" / recording_id)


async def _remove(folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    if await asyncio.to_thread(folder.exists):
        log.error("recording_files_left", recording=folder.name)


async def clear_left(store: Store, settings: Settings) -> None:
    """Removes what is still there of destroyed recordings: the server ended before their files were gone, or the disk refused."""
    root = settings.data_dir / "recordings"
    names = await asyncio.to_thread(lambda: sorted(each.name for each in root.iterdir()) if root.is_dir() else [])
    async with store.read() as session:
        destroyed = [
            recording
            for first in range(0, len(names), AT_ONCE)
            for recording in await session.scalars(
                select(Recording.id).where(
                    Recording.id.in_(names[first : first + AT_ONCE]), Recording.deleted_at.is_not(None)
                )
            )
        ]
    for recording in destroyed:
        await _remove(root / recording)


async def clear_up(store: Store, clock: Clock, settings: Settings) -> None:
    """Both steps for recordings whose time is up."""
    now = clock.now()
    async with store.read() as session:
        found = await session.execute(
            select(Recording.id, Recording.withdrawn_at).where(
                Recording.state != RUNNING,
                Recording.deleted_at.is_(None),
                Recording.keep_until <= now,
                or_(Recording.withdrawn_at.is_(None), Recording.withdrawn_at <= now - GRACE),
            )
        )
        due = list(found)
    for recording_id, withdrawn_at in due:
        if withdrawn_at is None:
            await withdraw(store, clock, SYSTEM, recording_id, RETENTION_OVER)
        else:
            await destroy(store, clock, settings, SYSTEM, recording_id)


async def _row(session: AsyncSession, recording_id: str) -> Recording:
    row = await session.get(Recording, recording_id, with_for_update=True)
    if row is None:
        raise NotFound("recording_unknown")
    return row


async def _withdraw(session: AsyncSession, actor: Actor, row: Recording, why: str, now: datetime) -> None:
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_why = now, actor.name, why
    await _audit(session, actor, "recording.withdraw", row, now, {})


async def _audit(
    session: AsyncSession, actor: Actor, action: str, row: Recording, now: datetime, facts: dict[str, object]
) -> None:
    told = {"occurrence": row.occurrence_id, **facts}
    await append(session, actor, action, f"recording:{row.id}", county=row.county, at=now, facts=told)
