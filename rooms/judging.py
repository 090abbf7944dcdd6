"""Judging a lesson from what is stored: at its end, when evidence comes in late, when an excuse is accepted, when the grace is over.

The verdicts in the store are never anything but `recompute` of the evidence beside them; judging again without news writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.attendance import (
    Interval,
    Judgement,
    LessonEvidence,
    MediaEvidence,
    SideEvidence,
    judge,
)
from rooms.audit import append
from rooms.live.sources import LEAD
from rooms.planning.occurrences import standing
from rooms.refusals import NotFound
from rooms.rulesets import RuleSet
from rooms.store import SYSTEM, Actor
from rooms.tables import EvidenceEvent, Occurrence, OccurrenceSide, Verdict

JUDGED = ("slot", "sign_in", "head_count")
"""Kinds of evidence that a verdict is made of."""


@dataclass(frozen=True)
class Stored:
    """A lesson as the store has it, with the evidence that is `JUDGED`."""

    lesson: Occurrence
    sides: Sequence[OccurrenceSide]
    events: Sequence[EvidenceEvent]

    def evidence(self, now: datetime) -> LessonEvidence:
        """What the rules look at."""
        lesson = self.lesson
        shift = timedelta(seconds=max(0, lesson.shift_seconds))
        by_side: dict[str, list[EvidenceEvent]] = {side.id: [] for side in self.sides}
        for event in self.events:
            if event.side_id in by_side:
                by_side[event.side_id].append(event)
        never_opened = lesson.state in ("planned", "ready") and now >= lesson.ends_at + shift
        return LessonEvidence(
            lesson.starts_at,
            lesson.ends_at,
            [_side(side, by_side[side.id]) for side in self.sides],
            needs_receiver=lesson.family == "delivery" and lesson.kind not in ("in_school_live", "rehearsal"),
            shift_seconds=lesson.shift_seconds,
            over=never_opened or lesson.state in ("ended", "judged"),
            cancelled=(lesson.cancel_reason or "other") if lesson.state == "cancelled" else None,
        )


def _side(side: OccurrenceSide, events: Sequence[EvidenceEvent]) -> SideEvidence:
    counts = [event for event in events if event.kind == "head_count"]
    newest = max(counts, key=lambda event: (event.at, event.event_id), default=None)
    return SideEvidence(
        side.id,
        side.side,  # type: ignore[arg-type] # written by rooms.planning only
        [_media(event) for event in events if event.kind == "slot" and _counts(side, event)],
        signed_in=any(event.kind == "sign_in" for event in events),
        head_count=int(newest.data["present"]) if newest else None,
        excuse=side.excuse_reason,
    )


def _counts(side: OccurrenceSide, event: EvidenceEvent) -> bool:
    """The relay alone testifies to media: of the lead what it published, of the others what they got of the lead."""
    wanted = "publisher" if side.side == "lead" else "subscriber"
    return event.source == "relay" and event.data["role"] == wanted and event.data["source"] == LEAD


def _media(event: EvidenceEvent) -> MediaEvidence:
    data, until = event.data, event.until
    assert until is not None, "a slot has an end"
    return MediaEvidence(
        data["role"] == "publisher", event.at, until, data["packets"], data["acknowledged"], data["source_packets"]
    )


async def load(session: AsyncSession, occurrence_id: str, *, lock: bool = False) -> Stored:
    """A lesson with its sides and the evidence that counts. Raises `NotFound` ``occurrence_unknown``."""
    lesson = await session.get(Occurrence, occurrence_id, with_for_update=lock)
    if lesson is None:
        raise NotFound("occurrence_unknown")
    sides = (
        await session.scalars(
            select(OccurrenceSide).where(OccurrenceSide.occurrence_id == occurrence_id).order_by(OccurrenceSide.id)
        )
    ).all()
    judged = (EvidenceEvent.occurrence_id == occurrence_id, EvidenceEvent.kind.in_(JUDGED))
    events = (await session.scalars(select(EvidenceEvent).where(*judged))).all()
    return Stored(lesson, sides, events)


async def recompute(session: AsyncSession, rules: RuleSet, occurrence_id: str, now: datetime) -> dict[str, Judgement]:
    """The verdict of every side at `now`, from the evidence alone; nothing is written."""
    return judge((await load(session, occurrence_id)).evidence(now), rules, now)


async def judge_lesson(
    session: AsyncSession, rules: RuleSet, occurrence_id: str, now: datetime, *, actor: Actor = SYSTEM
) -> bool:
    """Judge a lesson in the caller's transaction; whether anything changed.

    Moves the lesson on: over → ended, every verdict final → judged. A change is one audit entry, so call it last.
    """
    stored = await load(session, occurrence_id, lock=True)
    lesson, evidence = stored.lesson, stored.evidence(now)
    found = judge(evidence, rules, now)
    if lesson.state != "cancelled" and evidence.over:
        final = all(each.verdict != "UNJUDGED" for each in found.values())
        state = "judged" if final else "ended"
        moved = lesson.state != state
        lesson.state = state
    else:
        moved = False
    if not evidence.over and evidence.cancelled is None:
        return False
    excused = {side.id: side.excused_at for side in stored.sides if side.excused_at is not None}
    changed = await _write(session, rules, lesson.id, found.values(), excused, now)
    if changed or moved:
        facts = {"rules": rules.id, "rules_sha256": rules.sha256, "state": lesson.state}
        facts |= {"verdicts": {key: value.verdict for key, value in sorted(found.items())}}  # type: ignore[dict-item] # a JSON value
        await append(
            session, actor, "lesson.judge", f"occurrence:{lesson.id}", county=lesson.county, at=now, facts=facts
        )
    return bool(changed) or moved


async def _write(
    session: AsyncSession,
    rules: RuleSet,
    occurrence_id: str,
    found: Iterable[Judgement],
    excused: Mapping[str, datetime],
    now: datetime,
) -> list[str]:
    """Insert or update the verdicts that differ; the ids of their sides. One that an excuse did not change was judged, too."""
    known = {
        row.side_id: row for row in await session.scalars(select(Verdict).where(Verdict.occurrence_id == occurrence_id))
    }
    changed: list[str] = []
    for judgement in found:
        values = verdict_values(judgement, rules)
        row = known.get(judgement.side_id)
        if row is not None and all(getattr(row, name) == value for name, value in values.items()):
            if judgement.side_id in excused and excused[judgement.side_id] > row.judged_at:
                row.judged_at = max(now, excused[judgement.side_id])  # clocks of two servers may differ
            continue
        changed.append(judgement.side_id)
        if row is None:
            session.add(Verdict(side_id=judgement.side_id, occurrence_id=occurrence_id, judged_at=now, **values))
            continue
        for name, value in values.items():
            setattr(row, name, value)
        row.judged_at = now
    return changed


def verdict_values(judgement: Judgement, rules: RuleSet) -> dict[str, Any]:
    """The columns of a verdict, but for its keys and the time it was written."""
    return {
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "presence_seconds": judgement.presence_seconds,
        "common_seconds": judgement.common_seconds,
        "required_seconds": judgement.required_seconds,
        "intervals": _instants(judgement.intervals),
        "gaps": _instants(judgement.gaps),
        "late": judgement.late,
        "early_leave": judgement.early_leave,
        "head_count": judgement.head_count,
        "rules": rules.id,
        "rules_sha256": rules.sha256,
    }


def _instants(intervals: Iterable[Interval]) -> list[list[str]]:
    return [[datetime.fromtimestamp(second, UTC).isoformat() for second in interval] for interval in intervals]


async def lessons_to_judge(session: AsyncSession, rules: RuleSet, now: datetime, *, most: int = 200) -> list[str]:
    """Lessons whose verdicts may be out of date, the oldest first: over and not judged, past the grace, cancelled, newly excused."""
    grace = now - timedelta(seconds=rules.upload_grace_seconds)
    no_verdict = ~select(Verdict.side_id).where(Verdict.occurrence_id == Occurrence.id).exists()
    excused = (
        select(OccurrenceSide.id)
        .join(Verdict, Verdict.side_id == OccurrenceSide.id)
        .where(OccurrenceSide.occurrence_id == Occurrence.id, OccurrenceSide.excused_at > Verdict.judged_at)
        .exists()
    )
    due = or_(
        and_(Occurrence.state.in_(("planned", "ready")), Occurrence.ends_at <= now),
        and_(Occurrence.state == "ended", or_(Occurrence.ends_at <= grace, no_verdict)),
        and_(Occurrence.state == "cancelled", no_verdict, standing()),
        and_(Occurrence.state.in_(("ended", "judged")), excused),
    )
    found = await session.scalars(
        select(Occurrence.id).where(due).order_by(Occurrence.ends_at, Occurrence.id).limit(most)
    )
    return list(found)
