"""Evidence on its way into the store: at least once in, exactly once stored, acknowledged after the commit."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from media.events import Connected, Disconnected, MediaSlot, SessionEvent
from rooms.tables import EvidenceEvent, OccurrenceSide

log = structlog.get_logger("evidence")

QUEUE_LENGTH = 100_000
"""Events that wait for a database that does not answer: over two hours of 120 sessions with a slot each 10 s."""
LARGEST_BATCH = 500
"""Events stored in one transaction."""
GATHER_SECONDS = 0.05
"""How long the first event of a batch waits for others: the sessions of a class end their slots together."""
COMMIT_SECONDS = 5.0
"""How long a commit that has begun may still take when the writer is told to end."""
RETRY_SECONDS = (0.2, 1.0, 5.0)
"""Waits between attempts while the database does not answer; the last one again and again."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row of evidence before it is stored. `event_id` makes it the same row however often it comes."""

    event_id: str
    occurrence_id: str
    side_id: str | None
    kind: str
    at: datetime
    source: str
    """relay, page, device or person."""
    by: str
    until: datetime | None = None
    late: bool = False
    data: dict[str, Any] = field(default_factory=dict)


SLOT_FIGURES = (
    "packets", "octets", "acknowledged", "source_packets", "lost", "jitter_ms", "round_trip_ms", "rung", "rid",
)  # fmt: skip
"""What a row of evidence keeps of a slot (`media.events.MediaSlot`)."""


def of_media(event: SessionEvent) -> Evidence:
    """What the relay said, as evidence; the same event always gets the same id."""
    about = {"session": event.session, "source": event.source, "role": event.role}
    match event:
        case MediaSlot():
            data = about | {name: getattr(event, name) for name in SLOT_FIGURES}
            return _relayed(event, "slot", event.started_at, event.ended_at, data)
        case Connected():
            return _relayed(event, "connected", event.at, None, about)
        case Disconnected():
            return _relayed(event, "disconnected", event.at, None, about | {"reason": event.reason})


def _relayed(event: SessionEvent, kind: str, at: datetime, until: datetime | None, data: dict[str, Any]) -> Evidence:
    named = "|".join((kind, event.room, event.peer, event.session, event.source, event.role, at.isoformat()))
    event_id = f"{kind}:{hashlib.sha256(named.encode()).hexdigest()[:40]}"
    return Evidence(event_id, event.room, event.peer, kind, at, "relay", "relay", until, data=data)


async def store_evidence(session: AsyncSession, evidence: Iterable[Evidence], received_at: datetime) -> set[str]:
    """Store what is not there yet, in the caller's transaction; the event ids that were new."""
    rows = [
        {
            "event_id": each.event_id,
            "occurrence_id": each.occurrence_id,
            "side_id": each.side_id,
            "kind": each.kind,
            "at": each.at,
            "until": each.until,
            "received_at": received_at,
            "source": each.source,
            "by": each.by,
            "late": each.late,
            "data": each.data,
        }
        for each in {each.event_id: each for each in evidence}.values()
    ]
    if not rows:
        return set()
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(EvidenceEvent).on_conflict_do_nothing(index_elements=["event_id"])
    return set(await session.scalars(statement.returning(EvidenceEvent.event_id), rows))


async def known_only(session: AsyncSession, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Leaves out, and logs, evidence of a side that is not of that lesson: it would never be stored, and must not hold up others."""
    sides = {each.side_id for each in evidence}
    rows = await session.execute(
        select(OccurrenceSide.id, OccurrenceSide.occurrence_id).where(OccurrenceSide.id.in_(sides))
    )
    known = {(side_id, occurrence_id) for side_id, occurrence_id in rows}
    for each in evidence:
        if (each.side_id, each.occurrence_id) not in known:
            log.warning("evidence_of_unknown_side", room=each.occurrence_id, peer=each.side_id, kind=each.kind)
    return [each for each in evidence if (each.side_id, each.occurrence_id) in known]


def refuses(error: Exception) -> bool:
    """Whether the rows will never be taken, as against a lost line or a lock: bad values, broken references, our own mistake."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    passing = isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, IntegrityError | DataError)
    return not passing or state[:2] in ("22", "23")


Keep = Callable[[Sequence[Evidence]], Awaitable[None]]
"""Stores a batch and commits, or raises and has stored nothing."""


class EvidenceWriter:
    """A bounded queue before the store. `put` never waits; a batch that fails is tried again until it is stored."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._queue: asyncio.Queue[Evidence] = asyncio.Queue(QUEUE_LENGTH)
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    def start(self) -> None:
        """Begin to store; needs a running loop."""
        self._task = asyncio.create_task(self._run(), name="evidence writer")

    def put(self, evidence: Evidence) -> None:
        """Queue a row. Where the queue is full the row is lost, counted and logged: a live class is never held up by storage."""
        try:
            self._queue.put_nowait(evidence)
        except asyncio.QueueFull:
            self.dropped += 1
            log.error("evidence_dropped", room=evidence.occurrence_id, kind=evidence.kind, dropped=self.dropped)

    async def flush(self) -> None:
        """Return when all that was put so far is committed."""
        await self._queue.join()

    async def close(self, patience: float = 10.0) -> None:
        """Store what waits, for at most `patience` seconds, and end."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(patience):
                await self.flush()
        except TimeoutError:
            log.error("evidence_left_behind", waiting=self._queue.qsize())
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while len(batch) < LARGEST_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._store(batch)
            for _ in batch:
                self._queue.task_done()

    async def _store(self, batch: Sequence[Evidence]) -> None:
        attempt = 0
        while True:
            try:
                await self._unbroken(batch)
                return
            except Exception as error:
                if refuses(error):
                    await self._store_singly(batch)
                    return
                pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                log.exception("evidence_not_stored", events=len(batch), again_in=pause)
                await asyncio.sleep(pause)
                attempt += 1

    async def _unbroken(self, batch: Sequence[Evidence]) -> None:
        """A commit that has begun is ended even when the writer is told to stop: half a transaction would hold the database's lock."""
        work = asyncio.ensure_future(self._keep(batch))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work}, timeout=COMMIT_SECONDS)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise

    async def _store_singly(self, batch: Sequence[Evidence]) -> None:
        """One row the database will never take must not hold up the others."""
        if len(batch) > 1:
            for each in batch:
                await self._store([each])
            return
        self.dropped += 1
        log.error("evidence_refused", room=batch[0].occurrence_id, kind=batch[0].kind, dropped=self.dropped)
