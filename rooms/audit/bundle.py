"""The log in one file that can be checked anywhere: `rooms.audit.verifier` reads it.

UTF-8 lines: the name of the format; a JSON header with the newest checkpoint; one line for each entry from the first on (its
canonical JSON, or ``=`` and the hex of its leaf hash where it lies outside the county asked for); ``seal`` and the signature
of the log's key over everything above.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from rooms.audit.checkpoints import SignedCheckpoint, sign_checkpoint
from rooms.audit.leaf import canonical_json
from rooms.audit.log import append
from rooms.audit.notes import NoteKey
from rooms.audit.verifier import MAGIC, seal_message
from rooms.clock import Clock
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf

BATCH = 5000


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written. `shown` of the `size` entries stand in full."""

    path: Path
    size: int
    shown: int
    checkpoint: SignedCheckpoint


async def export_bundle(
    store: Store, clock: Clock, actor: Actor, key: NoteKey, path: Path, *, county: str | None = None
) -> Exported:
    """Write the whole log to `path`, entries outside `county` (where given) as hashes alone. The export is itself an entry."""
    async with store.write() as session:
        facts = {"scope": county or "all"}
        await append(session, actor, "audit.export", "audit", county=county, at=clock.now(), facts=facts)
    checkpoint = await sign_checkpoint(store, clock, key)
    assert checkpoint is not None  # the export's own entry is in it
    header = {
        "checkpoint": checkpoint.note,
        "county": county,
        "exported_at": clock.now().isoformat(),
        "size": checkpoint.size,
    }
    partial = path.with_name(path.name + ".partial")
    with await asyncio.to_thread(partial.open, "wb") as stream:
        writer = _Writer(stream)
        await asyncio.to_thread(writer.lines, [MAGIC, canonical_json(header)])
        for start in range(0, checkpoint.size, BATCH):
            end = min(start + BATCH, checkpoint.size)
            await asyncio.to_thread(writer.entries, await _rows(store, start, end), county)
        seal = key.signature(seal_message(writer.digest.digest()))
        await asyncio.to_thread(writer.lines, [b"seal " + seal.encode()])
    await asyncio.to_thread(partial.replace, path)
    return Exported(path, checkpoint.size, writer.shown, checkpoint)


Row = tuple[int, str | None, bytes, bytes]


async def _rows(store: Store, start: int, end: int) -> list[Row]:
    async with store.read() as session:
        found = await session.execute(
            select(AuditLeaf.index, AuditLeaf.county, AuditLeaf.canonical, AuditLeaf.leaf_hash)
            .where(AuditLeaf.index >= start, AuditLeaf.index < end)
            .order_by(AuditLeaf.index)
        )
        return [(index, place, canonical, hashed) for index, place, canonical, hashed in found]


class _Writer:
    """Writes lines and keeps their digest."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = sha256()
        self.shown = 0

    def lines(self, lines: Iterable[bytes]) -> None:
        text = b"".join(line + b"\n" for line in lines)
        self.digest.update(text)
        self._stream.write(text)

    def entries(self, rows: list[Row], county: str | None) -> None:
        open_rows = [county is None or row[1] == county for row in rows]
        self.shown += sum(open_rows)
        self.lines(
            row[2] if shown else b"=" + row[3].hex().encode() for row, shown in zip(rows, open_rows, strict=True)
        )
