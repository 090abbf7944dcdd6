"""Changes to dated lessons: cancel with a reason, excuse a side, add a make-up or an extra lesson.

One unit of work each; what ends in `_in` works in the caller's, for those who do several at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.clashes import clashes, engagements, taken_by
from rooms.planning.dating import KIND_OF_FAMILY, People, load_people, sides_of
from rooms.planning.terms import load_term
from rooms.planning.turns import take_turn
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import Occurrence, OccurrenceSide, Verdict

REASONS = (
    "system_fault",
    "device_fault",
    "power",
    "network",
    "teacher_leave",
    "lead_did_not_teach",
    "room_closed",
    "school_closed",
    "other",
)
"""Accepted reasons (docs/RULES.md); say ``verdict.reason_<code>``."""
FAMILIES = tuple(KIND_OF_FAMILY)
KINDS = ("lesson", "observation", "seminar", "contest", "lecture", "qa", "in_school_live", "rehearsal")
LEAD = ("lead_teacher_code", "lead_school_code", "lead_room_code")
LARGEST_SHIFT = 15 * 60
"""A declared shift in seconds (docs/RULES.md); the rule set in force may allow less."""


@dataclass(frozen=True, slots=True)
class NewLesson:
    """A lesson added by hand (加课), or one that makes up for a cancelled or missed one (补课: `replaces`).

    `start` and `end` are minutes since local midnight on `day`. With `replaces`, empty fields are taken from that lesson.
    """

    county: str
    day: date
    start: int
    end: int
    replaces: str | None = None
    family: str = "delivery"
    kind: str = ""
    """Empty: as the family has it (lesson, or seminar for a community)."""
    subject: str = ""
    title: str = ""
    lead_teacher_code: str = ""
    lead_room_code: str = ""
    class_codes: tuple[str, ...] = ()
    member_codes: tuple[str, ...] = ()
    ref: str = ""


async def cancel(
    store: Store, actor: Actor, clock: Clock, occurrence_id: str, *, reason: str, note: str = "", county: str
) -> None:
    """Cancel a lesson that has not begun; cancelling again changes nothing.

    Refusals: `NotFound` ``occurrence_unknown``, `Invalid` ``reason_unknown``, `Conflict` ``occurrence_begun``.
    """
    async with store.write() as session:
        await cancel_in(session, actor, clock.now(), occurrence_id, reason=reason, note=note, county=county)


async def cancel_in(
    session: AsyncSession, actor: Actor, now: datetime, occurrence_id: str, *, reason: str, note: str, county: str
) -> None:
    """`cancel` in the caller's transaction."""
    _check_reason(reason)
    lesson = await locked_lesson(session, county, occurrence_id)
    if lesson.state == "cancelled":
        return
    if lesson.state not in ("planned", "ready") or lesson.opened_at is not None:
        raise Conflict("occurrence_begun", state=lesson.state)
    lesson.state, lesson.cancel_reason, lesson.cancel_note = "cancelled", reason, note[:500]
    lesson.cancelled_at, lesson.cancelled_by = now, actor.name
    facts = {"reason": reason, "before_start": now <= lesson.starts_at}
    await append(session, actor, "lesson.cancel", f"occurrence:{occurrence_id}", county=county, at=now, facts=facts)


async def excuse_side(
    store: Store, actor: Actor, clock: Clock, side_id: str, *, reason: str, note: str = "", county: str
) -> None:
    """Accept a reason why one side missed, or will miss, a lesson; the next sweep judges it anew.

    Refusals: `NotFound` ``side_unknown``, `Invalid` ``reason_unknown``.
    """
    async with store.write() as session:
        await excuse_in(session, actor, clock.now(), side_id, reason=reason, note=note, county=county)


async def excuse_in(
    session: AsyncSession, actor: Actor, now: datetime, side_id: str, *, reason: str, note: str, county: str
) -> None:
    """`excuse_side` in the caller's transaction. `excused_at` is after the side's verdict, whatever was judged since `now`."""
    _check_reason(reason)
    side = await session.get(OccurrenceSide, side_id)
    if side is None or side.county != county:
        raise NotFound("side_unknown")
    await locked_lesson(session, county, side.occurrence_id)  # it is not judged meanwhile
    judged_at = await session.scalar(select(Verdict.judged_at).where(Verdict.side_id == side_id))
    side.excuse_reason, side.excuse_note = reason, note[:500]
    side.excused_at = now if judged_at is None else max(now, judged_at + timedelta(microseconds=1))
    side.excused_by = actor.name
    facts = {"reason": reason, "occurrence": side.occurrence_id}
    await append(session, actor, "lesson.excuse", f"side:{side_id}", county=county, at=now, facts=facts)


async def declare_shift(
    store: Store, actor: Actor, clock: Clock, occurrence_id: str, *, seconds: int, county: str
) -> None:
    """Declare that a lesson is held later (positive) or earlier, by at most 15 minutes; the plan itself stays.

    Refusals: `NotFound` ``occurrence_unknown``, `Invalid` ``shift_too_large`` (fact: minutes), `Conflict` ``occurrence_over``.
    """
    if abs(seconds) > LARGEST_SHIFT:
        raise Invalid("shift_too_large", minutes=LARGEST_SHIFT // 60)
    now = clock.now()
    async with store.write() as session:
        lesson = await locked_lesson(session, county, occurrence_id)
        if lesson.state not in ("planned", "ready", "live") or now >= lesson.ends_at:
            raise Conflict("occurrence_over")
        lesson.shift_seconds = seconds
        named = f"occurrence:{occurrence_id}"
        await append(session, actor, "lesson.shift", named, county=county, at=now, facts={"seconds": seconds})


async def add_lesson(store: Store, actor: Actor, clock: Clock, lesson: NewLesson) -> str:
    """Add a lesson and return its occurrence id.

    Refusals: `Invalid` ``lesson_window``, ``lesson_empty`` (nobody attends), ``code_unknown`` (facts: kind, code),
    `NotFound` ``occurrence_unknown`` (the one it replaces), `Conflict` ``replaced_still_stands`` (that one is neither cancelled
    nor over), `Conflict` ``lesson_clash`` (facts: what, code, day, starts_at, ends_at, occurrence).
    """
    async with store.write() as session:
        await take_turn(session, lesson.county)
        return await add_in(session, actor, clock.now(), lesson)


async def add_in(session: AsyncSession, actor: Actor, now: datetime, lesson: NewLesson) -> str:
    """`add_lesson` in the caller's transaction."""
    if not 0 <= lesson.start < lesson.end <= 24 * 60 or lesson.family not in FAMILIES:
        raise Invalid("lesson_window")
    people = await load_people(session, lesson.county)
    row, classes, members = await _row_of(session, lesson, people, now)
    lead = {name: getattr(row, name) for name in ("id", "county", *LEAD)}
    sides = [OccurrenceSide(**values) for values in sides_of(lead, classes, members, people)]
    if len(sides) == 1 and row.kind not in ("in_school_live", "rehearsal"):
        raise Invalid("lesson_empty")
    await check_free(session, row, sides)
    session.add(row)
    await session.flush()
    session.add_all(sides)
    facts = {"day": row.day.isoformat(), "start": lesson.start, "end": lesson.end, "subject": row.subject}
    facts |= {"replaces": row.replaces_id, "kind": row.kind}
    await append(session, actor, "lesson.add", f"occurrence:{row.id}", county=lesson.county, at=now, facts=facts)
    return row.id


async def _row_of(
    session: AsyncSession, lesson: NewLesson, people: People, now: datetime
) -> tuple[Occurrence, Sequence[str], Sequence[str]]:
    """The new occurrence, its classes and its members; what is empty comes from the lesson it replaces."""
    teacher, room, subject = lesson.lead_teacher_code, lesson.lead_room_code, lesson.subject
    classes, members, family = lesson.class_codes, lesson.member_codes, lesson.family
    title, ref = lesson.title, lesson.ref
    if lesson.replaces is not None:
        old = await locked_lesson(session, lesson.county, lesson.replaces)
        if old.state != "cancelled" and not (old.state in ("ended", "judged") or old.ends_at <= now):
            raise Conflict("replaced_still_stands", day=old.day, state=old.state)
        sides = (await session.scalars(select(OccurrenceSide).where(OccurrenceSide.occurrence_id == old.id))).all()
        family, teacher, room = old.family, teacher or old.lead_teacher_code, room or old.lead_room_code
        subject, title, ref = subject or old.subject, title or old.title, ref or old.ref
        classes = classes or tuple(sorted(side.class_code for side in sides if side.class_code))
        members = members or tuple(
            sorted(side.teacher_code for side in sides if side.side == "member" and side.teacher_code)
        )
    _check_codes(people, teacher, room, classes, members)
    kind = lesson.kind or KIND_OF_FAMILY[family]
    if kind not in KINDS:
        raise Invalid("code_unknown", kind="kind", code=kind)
    term = await load_term(session, lesson.county)
    row = Occurrence(
        id=uuid.uuid4().hex,
        county=lesson.county,
        family=family,
        kind=kind,
        ref=ref,
        title=title,
        subject=subject,
        day=lesson.day,
        week=term.week(lesson.day),
        starts_at=term.instant(lesson.day, lesson.start),
        ends_at=term.instant(lesson.day, lesson.end),
        lead_school_code=people.school_of_teacher[teacher],
        lead_teacher_code=teacher,
        lead_room_code=room,
        state="planned",
        shift_seconds=0,
        replaces_id=lesson.replaces,
    )
    return row, classes, members


def _check_codes(people: People, teacher: str, room: str, classes: Sequence[str], members: Sequence[str]) -> None:
    known = {
        "teacher": people.school_of_teacher,
        "room": people.school_of_room,
        "class": people.classes,
    }
    wanted = [("teacher", teacher), ("room", room), *(("class", code) for code in classes)]
    for kind, code in [*wanted, *(("teacher", code) for code in members)]:
        if code not in known[kind]:
            raise Invalid("code_unknown", kind=kind, code=code)


async def check_free(session: AsyncSession, row: Occurrence, sides: Sequence[OccurrenceSide]) -> None:
    """No teacher, room or class may be in another lesson meanwhile. Raises `Conflict` ``lesson_clash``."""
    meanwhile = and_(
        Occurrence.county == row.county,
        Occurrence.starts_at < row.ends_at,
        Occurrence.ends_at > row.starts_at,
        or_(Occurrence.closed_at.is_(None), Occurrence.closed_at > row.starts_at),
    )
    found = clashes(row.starts_at, row.ends_at, taken_by(sides), await engagements(session, meanwhile))
    if found:
        first = found[0]
        raise Conflict(
            "lesson_clash",
            what=first.what,
            code=first.code,
            day=first.day,
            starts_at=first.starts_at,
            ends_at=first.ends_at,
            occurrence=first.occurrence_id,
        )


async def locked_lesson(session: AsyncSession, county: str, occurrence_id: str) -> Occurrence:
    """A lesson's row, locked. Raises `NotFound` ``occurrence_unknown``."""
    lesson = await session.get(Occurrence, occurrence_id, with_for_update=True)
    if lesson is None or lesson.county != county:
        raise NotFound("occurrence_unknown")
    return lesson


async def lock_lessons(session: AsyncSession, occurrence_ids: Sequence[str]) -> None:
    """Locks lessons of which several are changed in one transaction. Each change locks the audit log, which comes last: whoever
    acts in a running lesson holds it and waits for the log."""
    chosen = Occurrence.id.in_(occurrence_ids)
    await session.execute(select(Occurrence.id).where(chosen).order_by(Occurrence.id).with_for_update())


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise Invalid("reason_unknown", reason=reason)
