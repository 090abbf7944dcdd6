"""Recordings as people ask for them: those of a lesson, one of them with its markers, and who may watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.audit.log import locked_head
from rooms.live.sources import LEAD, SCREEN
from rooms.people.passwords import digest
from rooms.people.scope import Principal
from rooms.planning.occurrences import OccurrenceView
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, EvidenceEvent, Occurrence, Recording, Session

RUNNING = "recording"
BACK_WITHIN = timedelta(seconds=20)
"""Who comes back this soon has not left."""
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class RecordingView:
    """A recording. `state`: ``recording``, ``complete``, ``partial`` (it ended by itself: `reason`)."""

    id: str
    occurrence_id: str
    county: str
    state: str
    reason: str | None
    """disk_full, disk_error, too_slow, failed, interrupted."""
    started_at: datetime
    """Its time 0."""
    ended_at: datetime | None
    seconds: int
    octets: int
    keep_until: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None
    deleted_at: datetime | None
    subject: str = ""
    title: str = ""
    lead_school_code: str = ""

    @property
    def there(self) -> bool:
        """Somebody may watch it: it is not removed, and not one that was cut off before its first segment."""
        return self.withdrawn_at is None and self.deleted_at is None and (self.state == "recording" or self.seconds > 0)


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment of the class. `kind`: opened, closed, joined, left, floor, floor_back, screen, screen_back, lead, lead_back."""

    at: float
    """Seconds since the recording began; 0 for what was so when it began."""
    kind: str
    side_id: str | None


async def recordings_of(session: AsyncSession, occurrence_id: str) -> list[RecordingView]:
    """All recordings of a lesson, also removed ones, in order of time."""
    found = await session.scalars(
        select(Recording).where(Recording.occurrence_id == occurrence_id).order_by(Recording.started_at, Recording.id)
    )
    return [_view(row) for row in found]


async def recording_of(session: AsyncSession, recording_id: str) -> RecordingView | None:
    """One recording, or None."""
    row = await session.get(Recording, recording_id)
    return _view(row) if row is not None else None


async def recordings_in(session: AsyncSession, counties: Sequence[str]) -> list[RecordingView]:
    """The newest recordings of some counties; what waits for its removal first."""
    found = await session.execute(
        select(Recording, Occurrence)
        .join(Occurrence, Occurrence.id == Recording.occurrence_id)
        .where(Recording.county.in_(counties))
        .order_by(Recording.deleted_at.is_not(None), Recording.withdrawn_at.is_(None), Recording.started_at.desc())
        .limit(MOST_LISTED)
    )
    return [_view(row, lesson) for row, lesson in found]


def _view(row: Recording, lesson: Occurrence | None = None) -> RecordingView:
    told = (lesson.subject, lesson.title, lesson.lead_school_code) if lesson is not None else ("", "", "")
    return RecordingView(
        row.id,
        row.occurrence_id,
        row.county,
        row.state,
        row.reason,
        row.started_at,
        row.ended_at,
        row.seconds,
        row.octets,
        row.keep_until,
        row.withdrawn_at,
        row.withdrawn_by,
        row.withdrawn_why,
        row.deleted_at,
        *told,
    )


def open_to(principal: Principal, lesson: OccurrenceView, *, on_a_side: bool) -> bool:
    """Whether this caller may watch the recordings of a lesson: its own sides, and who watches over the whole county."""
    return on_a_side or principal.may("recording.watch", county=lesson.county)


async def watched(session: AsyncSession, actor: Actor, view: RecordingView, now: datetime, *, how: str) -> None:
    """Somebody looks at a recording, or takes it away as a file (`how`: ``page``, ``files``, ``download``): an entry of the log."""
    named = f"recording:{view.id}"
    facts = {"occurrence": view.occurrence_id, "how": how}
    await append(session, actor, "recording.watch", named, county=view.county, at=now, facts=facts)


async def watched_files(store: Store, actor: Actor, view: RecordingView, now: datetime, token: str) -> None:
    """Somebody takes a recording's files: an entry of the log, where the session with this token has none of it yet."""
    begun = select(Session.created_at).where(Session.token_hash == digest(token)).scalar_subquery()
    told = select(AuditLeaf.index).where(
        AuditLeaf.object == f"recording:{view.id}",
        AuditLeaf.action == "recording.watch",
        AuditLeaf.actor == actor.name,
        AuditLeaf.at >= begun,
    )
    async with store.read() as session:
        if await session.scalar(told.limit(1)) is not None:
            return
    async with store.write() as session:
        await locked_head(session)  # a player asks for several at once
        if await session.scalar(told.limit(1)) is None:
            await watched(session, actor, view, now, how="files")


async def markers(session: AsyncSession, view: RecordingView, lead_side: str) -> list[Marker]:
    """What the evidence says of the time that was recorded, in order."""
    kinds = ("opened", "closed", "connected", "disconnected", "floor")
    rows = await session.scalars(
        select(EvidenceEvent)
        .where(EvidenceEvent.occurrence_id == view.occurrence_id, EvidenceEvent.kind.in_(kinds))
        .order_by(EvidenceEvent.at, EvidenceEvent.seq)
    )
    found: list[Marker] = []
    for row, kind in _lasting(list(rows), lead_side):
        at = (row.at - view.started_at).total_seconds()
        if at <= view.seconds + 1:
            found.append(Marker(max(0.0, at), kind, row.side_id))
    return _from_the_beginning(found)


def _lasting(rows: Sequence[EvidenceEvent], lead_side: str) -> list[tuple[EvidenceEvent, str]]:
    """Each change with its kind; a line that was lost and came back soon is none."""
    found: list[tuple[EvidenceEvent, str]] = []
    up: dict[tuple[str | None, str], set[str]] = {}
    gone: dict[tuple[str | None, str], int] = {}
    for row in rows:
        if row.kind in ("opened", "closed"):
            found.append((row, row.kind))
        elif row.kind == "floor":
            found.append((row, "floor" if row.data["held"] else "floor_back"))
        elif (named := _named(row, lead_side)) is not None:
            key = (row.side_id, named)
            sessions = up.setdefault(key, set())
            if row.kind == "disconnected":
                sessions.discard(row.data["session"])
                if not sessions:
                    gone[key] = len(found)
                    found.append((row, _BACK[named]))
                continue
            first, before = not sessions, gone.pop(key, None)
            sessions.add(row.data["session"])
            if before is not None and row.at - found[before][0].at < BACK_WITHIN:
                found[before] = (found[before][0], "")
            elif first:
                found.append((row, named))
    return [(row, kind) for row, kind in found if kind]


_BACK = {"lead": "lead_back", "screen": "screen_back", "joined": "left"}


def _named(row: EvidenceEvent, lead_side: str) -> str | None:
    """What a media session of this side and source is a marker of."""
    source, role = row.data["source"], row.data["role"]
    if row.side_id == lead_side and role == "publisher":
        return "lead" if source == LEAD else "screen" if source == SCREEN else None
    return "joined" if source == LEAD and role == "subscriber" else None


def _from_the_beginning(found: Sequence[Marker]) -> list[Marker]:
    """Of what happened before the recording began, only what was still so then."""
    ends = {"left": "joined", "floor_back": "floor", "screen_back": "screen", "lead_back": "lead"}
    kept: list[Marker] = []
    for marker in found:
        begun = ends.get(marker.kind)
        if marker.at == 0 and begun is not None:
            kept = [each for each in kept if (each.kind, each.side_id) != (begun, marker.side_id)]
        else:
            kept.append(marker)
    return kept
