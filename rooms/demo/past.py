"""What happened in the made-up county so far: synthetic evidence for the lessons that are over, judged by the ordinary rules.

Every row says that it is synthetic. Most lessons went well; schools in the hills lose their line more often, one school without
a custodian forgets to open its room, one was without a line until lately and has its quota still before it, some lessons were
cancelled, some were never held.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.attendance import judge
from rooms.audit import append
from rooms.clock import Clock
from rooms.judging import Stored, verdict_values
from rooms.live.evidence import Evidence
from rooms.rulesets import RuleSet
from rooms.store import Actor, Store
from rooms.tables import Base, EvidenceEvent, Occurrence, OccurrenceSide, Verdict

DEMO = Actor("demo", "system")
SYNTHETIC = {"synthetic": True}
LESSONS_AT_ONCE = 200
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Odds:
    """How often, in a hundred lessons, a receiving school is cut off, silent, excused, without assistant or without head-count."""

    cut_off: float = 2
    silent: float = 1
    excused: float = 2
    no_assistant: float = 0.7
    no_count: float = 0.7


ORDINARY = Odds()
ODDS = {
    "V03": Odds(cut_off=9, excused=5),
    "V04": Odds(cut_off=7, excused=4, silent=2),
    "V06": Odds(silent=14, no_assistant=7),
    "V08": Odds(cut_off=8, no_count=4),
    "T02": Odds(excused=9, cut_off=3),
    "T03": Odds(excused=7, cut_off=5),
    "J02": Odds(cut_off=0, silent=0, excused=98, no_assistant=0, no_count=0),  # its line was laid only lately
}
CANCELLED, NEVER_HELD, BROKEN_OFF = 2.0, 1.2, 1.5
"""Lessons in a hundred that are cancelled before, never held, or broken off by the lead."""
CANCEL_REASONS = ("teacher_leave", "power", "device_fault", "room_closed")
EXCUSES = ("network", "power", "device_fault")


async def fill_past(store: Store, clock: Clock, rules: RuleSet, county: str) -> int:
    """Evidence and verdicts for every planned lesson that is over and of which nothing is known; how many there were.

    A server that runs meanwhile may have judged some of them as never held: these are told their story too.
    """
    now, done = clock.now(), 0
    after: tuple[datetime, str] = (datetime.min.replace(tzinfo=UTC), "")
    while True:
        async with store.write() as session:
            lessons = await _unheard_of(session, county, now, after)
            if not lessons:
                return done
            after = (lessons[-1].starts_at, lessons[-1].id)
            done += await _hold(session, now, rules, county, lessons)


async def _unheard_of(
    session: AsyncSession, county: str, now: datetime, after: tuple[datetime, str]
) -> Sequence[Occurrence]:
    heard_of = select(EvidenceEvent.seq).where(EvidenceEvent.occurrence_id == Occurrence.id).exists()
    chosen = (
        select(Occurrence)
        .where(
            Occurrence.county == county,
            Occurrence.plan_id.is_not(None),
            Occurrence.state.in_(("planned", "ended", "judged")),
            Occurrence.opened_at.is_(None),
            Occurrence.ends_at <= now,
            or_(Occurrence.starts_at > after[0], and_(Occurrence.starts_at == after[0], Occurrence.id > after[1])),
            ~heard_of,
        )
        .order_by(Occurrence.starts_at, Occurrence.id)
        .limit(LESSONS_AT_ONCE)
    )
    return (await session.scalars(chosen)).all()


async def _hold(
    session: AsyncSession, now: datetime, rules: RuleSet, county: str, lessons: Sequence[Occurrence]
) -> int:
    """One batch in one transaction: evidence, the verdicts that follow from it, one audit entry that names it synthetic.

    How many lessons are told of anew; one that was never held and is judged already stays as it is.
    """
    attending = await session.scalars(
        select(OccurrenceSide).where(OccurrenceSide.occurrence_id.in_([lesson.id for lesson in lessons]))
    )
    sides: dict[str, list[OccurrenceSide]] = {}
    for side in attending:
        sides.setdefault(side.occurrence_id, []).append(side)
    heard: list[Values] = []
    verdicts: list[Values] = []
    told: list[str] = []
    for lesson in lessons:
        known = sorted(sides[lesson.id], key=lambda side: (side.school_code, side.class_code or ""))
        before = lesson.state
        rows = [{**asdict(each), "received_at": now} for each in Story(lesson, known).tell()]
        if not rows and before == lesson.state != "planned":
            continue
        told.append(lesson.id)
        heard += rows
        verdicts += _judge(Stored(lesson, known, [EvidenceEvent(**row) for row in rows]), rules, now)
    if not told:
        return 0
    await session.flush()
    await session.execute(delete(Verdict).where(Verdict.occurrence_id.in_(told)))
    await _insert(session, EvidenceEvent, heard)
    await _insert(session, Verdict, verdicts)
    counts = Counter(verdict["verdict"] for verdict in verdicts)
    facts = {"lessons": len(told), "events": len(heard), "verdicts": dict(sorted(counts.items())), **SYNTHETIC}
    facts |= {"rules": rules.id, "rules_sha256": rules.sha256}
    await append(session, DEMO, "demo.evidence", f"county:{county}", county=county, at=now, facts=facts)
    return len(told)


def _judge(stored: Stored, rules: RuleSet, now: datetime) -> list[Values]:
    """The lesson's verdicts by the ordinary rules, as rows; its state moves on as after any judgement."""
    evidence = stored.evidence(now)
    found = judge(evidence, rules, now)
    if stored.lesson.state != "cancelled":
        final = all(each.verdict != "UNJUDGED" for each in found.values())
        stored.lesson.state = "judged" if final else "ended"
    about = {"occurrence_id": stored.lesson.id, "judged_at": now}
    return [{"side_id": each.side_id, **about, **verdict_values(each, rules)} for each in found.values()]


async def _insert(session: AsyncSession, table: type[Base], rows: list[Values]) -> None:
    stored: Any = table.__table__
    if rows:
        await session.execute(insert(stored), rows)


class Story:
    """One lesson that is over: decides by chance, always the same for the same lesson, what became of it."""

    def __init__(self, lesson: Occurrence, sides: Sequence[OccurrenceSide]) -> None:
        self.lesson, self.sides = lesson, sides
        named = f"{lesson.day}{lesson.starts_at:%H%M}{lesson.lead_teacher_code}{lesson.meeting_code}"
        self.random = Random(int(hashlib.sha256(named.encode()).hexdigest()[:12], 16))  # noqa: S311 - a story, no secret

    def tell(self) -> Iterator[Evidence]:
        """The evidence; the state of the lesson and the excuses of its sides are set on the way."""
        chance = self.random.uniform(0, 100)
        lesson = self.lesson
        if chance < CANCELLED:
            lesson.state, lesson.cancel_reason = "cancelled", self.random.choice(CANCEL_REASONS)
            lesson.cancelled_at, lesson.cancelled_by = lesson.starts_at - timedelta(hours=18), DEMO.name
            return
        if chance < CANCELLED + NEVER_HELD:
            return
        start = lesson.starts_at + timedelta(seconds=self.random.randint(-150, 60))
        end = lesson.ends_at + timedelta(seconds=self.random.randint(-20, 90))
        if chance < CANCELLED + NEVER_HELD + BROKEN_OFF:
            end = lesson.starts_at + timedelta(minutes=self.random.randint(6, 17))
        lesson.state, lesson.opened_at, lesson.closed_at = "ended", start, end
        for side in self.sides:
            if side.side == "lead":
                yield self._event(side, "opened", start, "person")
                yield self._slot(side, start, end, 1.0)
                yield self._event(side, "closed", end, "person")
            else:
                yield from self._attend(side, start, end)

    def _attend(self, side: OccurrenceSide, start: datetime, end: datetime) -> Iterator[Evidence]:
        """A receiving class or a member: there, cut off, silent, excused, or without what a valid lesson needs."""
        odds, chance = ODDS.get(side.school_code, ORDINARY), self.random.uniform(0, 100)
        member = side.side == "member"
        if chance < odds.silent:
            return
        chance -= odds.silent
        if chance < odds.excused:
            side.excuse_reason, side.excuse_note = self.random.choice(EXCUSES), "synthetic"
            side.excused_at, side.excused_by = self.lesson.ends_at + timedelta(hours=20), DEMO.name
            return
        chance -= odds.excused
        slow = self.random.random() < 0.05
        begin = start + timedelta(seconds=self.random.randint(400, 520) if slow else self.random.randint(-60, 200))
        leave = end
        if chance < odds.cut_off:
            leave = begin + timedelta(minutes=self.random.randint(8, 24))
        chance -= odds.cut_off
        if not member and not 0 <= chance < odds.no_assistant:
            signed = self.lesson.starts_at - timedelta(minutes=self.random.randint(2, 9))
            yield self._event(side, "sign_in", signed, "device")
        chance -= odds.no_assistant
        if not member and not 0 <= chance < odds.no_count:
            absent = self.random.choice((0, 0, 0, 1, 1, 2)) if side.expected > 6 else self.random.choice((0, 0, 1))
            present = {"present": max(1, side.expected - absent)}
            yield self._event(side, "head_count", begin + timedelta(minutes=4), "device", present)
        if self.random.random() < 0.12 and leave - begin > timedelta(minutes=30):
            dropped = begin + timedelta(minutes=self.random.randint(5, 25))
            back = dropped + timedelta(seconds=self.random.randint(12, 55))
            yield self._slot(side, begin, dropped, 0.97)
            yield self._slot(side, back, leave, 0.95)
        else:
            yield self._slot(side, begin, leave, self.random.uniform(0.9, 1.0))

    def _event(
        self, side: OccurrenceSide, kind: str, at: datetime, source: str, data: dict[str, int] | None = None
    ) -> Evidence:
        event_id = f"demo:{hashlib.sha256(f'{side.id}{kind}{at.isoformat()}'.encode()).hexdigest()[:40]}"
        facts = {**SYNTHETIC, **(data or {})}
        return Evidence(event_id, self.lesson.id, side.id, kind, at, source, DEMO.name, data=facts)

    def _slot(self, side: OccurrenceSide, start: datetime, end: datetime, share: float) -> Evidence:
        """One long slot of media, with as many packets as a picture and a voice have."""
        seconds = max(1, int((end - start).total_seconds()))
        leads = side.side == "lead"
        event = self._event(side, "slot", start, "relay")
        sent = seconds * 110
        data = {
            **SYNTHETIC,
            "session": event.event_id,
            "source": "lead",
            "role": "publisher" if leads else "subscriber",
            "packets": sent,
            "octets": sent * 900,
            "acknowledged": None if leads else int(sent * share),
            "source_packets": sent,
            "lost": 0 if leads else sent - int(sent * share),
            "jitter_ms": 6.0,
            "round_trip_ms": 38.0,
        }
        return Evidence(event.event_id, self.lesson.id, side.id, "slot", start, "relay", DEMO.name, end, data=data)
