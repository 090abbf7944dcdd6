"""Taking changes to dated lessons back: a cancelled lesson stands again, an excused side attends again. What ends in `_in` works in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.changes import check_free, locked_lesson
from rooms.planning.occurrences import SUPERSEDED
from rooms.refusals import Conflict, NotFound
from rooms.store import Actor, Store
from rooms.tables import EvidenceEvent, Occurrence, OccurrenceSide, PlanVersion, Verdict


async def restore_in(session: AsyncSession, actor: Actor, now: datetime, occurrence_id: str, *, county: str) -> None:
    """Take a cancellation back, in the caller's transaction: the lesson stands again and what was to replace it goes.

    Of two that changed hours, both come back. Refusals: `NotFound` ``occurrence_unknown``, `Conflict` ``restore_not_cancelled``,
    ``restore_too_late`` (its time has come, or its replacement has begun), ``restore_replaced_again``, ``restore_other_plan`` (a plan
    without it was published since), ``lesson_clash``.
    """
    lesson = await locked_lesson(session, county, occurrence_id)
    lessons = [lesson, *await _swapped_with(session, lesson)]
    withdrawn = []
    for each in lessons:
        if each.state != "cancelled" or each.cancel_reason == SUPERSEDED:
            raise Conflict("restore_not_cancelled")
        if each.starts_at <= now:
            raise Conflict("restore_too_late", day=each.day)
        if await _other_plan(session, each):
            raise Conflict("restore_other_plan", day=each.day)
        for instead in await session.scalars(select(Occurrence).where(Occurrence.replaces_id == each.id)):
            await _withdraw(session, instead, now)
            withdrawn.append(instead.id)
    await session.flush()
    for each in lessons:
        sides = (await session.scalars(select(OccurrenceSide).where(OccurrenceSide.occurrence_id == each.id))).all()
        await check_free(session, each, sides)  # while it is cancelled, so that it does not clash with itself
    for each in lessons:
        each.state, each.cancel_reason, each.cancel_note = "planned", None, None
        each.cancelled_at, each.cancelled_by = None, None
        await session.execute(
            delete(Verdict).where(Verdict.occurrence_id == each.id)
        )  # excused because it was cancelled
        named = f"occurrence:{each.id}"
        await append(session, actor, "lesson.restore", named, county=county, at=now, facts={"withdrawn": withdrawn})


async def _other_plan(session: AsyncSession, lesson: Occurrence) -> bool:
    """Whether a plan published after the lesson's own holds on its day; one that has the lesson, too, took it over (`rooms.planning.publish`)."""
    if lesson.plan_id is None:
        return False
    own = await session.get_one(PlanVersion, lesson.plan_id)
    later = PlanVersion.published_at > own.published_at, PlanVersion.effective_from <= lesson.day
    return (
        await session.scalar(select(PlanVersion.id).where(PlanVersion.county == own.county, *later).limit(1))
        is not None
    )


async def _swapped_with(session: AsyncSession, lesson: Occurrence) -> list[Occurrence]:
    """The lesson that was cancelled in the same act and whose replacement stands in this one's hour (`rooms.planning.swaps`)."""
    instead = aliased(Occurrence)
    query = (
        select(Occurrence)
        .join(instead, instead.replaces_id == Occurrence.id)
        .where(
            Occurrence.county == lesson.county,
            Occurrence.id != lesson.id,
            Occurrence.cancelled_at == lesson.cancelled_at,
            Occurrence.starts_at != lesson.starts_at,
            instead.starts_at == lesson.starts_at,
            instead.ends_at == lesson.ends_at,
        )
        .with_for_update(of=Occurrence)
    )
    return list(await session.scalars(query))


async def _withdraw(session: AsyncSession, lesson: Occurrence, now: datetime) -> None:
    """Strikes out a lesson that nothing has happened to yet."""
    evidence = select(EvidenceEvent.seq).where(EvidenceEvent.occurrence_id == lesson.id).limit(1)
    begun = lesson.state not in ("planned", "ready", "cancelled") or lesson.opened_at is not None
    if begun or lesson.starts_at <= now or await session.scalar(evidence) is not None:
        raise Conflict("restore_too_late", day=lesson.day)
    if await session.scalar(select(Occurrence.id).where(Occurrence.replaces_id == lesson.id).limit(1)) is not None:
        raise Conflict("restore_replaced_again", day=lesson.day)
    await session.execute(delete(Verdict).where(Verdict.occurrence_id == lesson.id))
    await session.execute(delete(OccurrenceSide).where(OccurrenceSide.occurrence_id == lesson.id))
    await session.delete(lesson)


async def welcome_side(store: Store, actor: Actor, clock: Clock, side_id: str, *, county: str) -> None:
    """`welcome_in` in a transaction of its own."""
    async with store.write() as session:
        await welcome_in(session, actor, clock.now(), side_id, county=county)


async def welcome_in(session: AsyncSession, actor: Actor, now: datetime, side_id: str, *, county: str) -> None:
    """Take an excuse back before the lesson begins, in the caller's transaction.

    Refusals: `NotFound` ``side_unknown``, `Conflict` ``restore_too_late``.
    """
    side = await session.get(OccurrenceSide, side_id, with_for_update=True)
    if side is None or side.county != county:
        raise NotFound("side_unknown")
    lesson = await locked_lesson(session, county, side.occurrence_id)
    if lesson.starts_at <= now or lesson.state not in ("planned", "ready"):
        raise Conflict("restore_too_late", day=lesson.day)
    side.excuse_reason, side.excuse_note, side.excused_at, side.excused_by = None, None, None, None
    facts = {"occurrence": lesson.id}
    await append(session, actor, "lesson.unexcuse", f"side:{side_id}", county=county, at=now, facts=facts)
