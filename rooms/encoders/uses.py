"""Which lesson has an encoder for its lead: chosen by the teacher, kept on the air by one server at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.refusals import Conflict, NotFound, Unavailable
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import EncoderUse, Occurrence, OccurrenceSide, RoomEncoder

MOST_USES = 32
"""Encoders in use at once, in the whole installation: each is a process that reads and a sound that is encoded."""
LEASE = timedelta(seconds=15)
PUSHED = "rtmp"
RUNNING = ("planned", "ready", "live")
OVERTIME = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """An encoder that a lesson may use."""

    id: int
    name: str
    kind: str


async def choices(session: AsyncSession, occurrence_id: str) -> list[EncoderChoice]:
    """The encoders of the room that the lesson is led from, by name."""
    found = await session.scalars(
        select(RoomEncoder)
        .join(
            OccurrenceSide,
            (OccurrenceSide.county == RoomEncoder.county)
            & (OccurrenceSide.school_code == RoomEncoder.school_code)
            & (OccurrenceSide.room_code == RoomEncoder.room_code),
        )
        .where(OccurrenceSide.occurrence_id == occurrence_id, OccurrenceSide.side == "lead", RoomEncoder.enabled)
        .order_by(RoomEncoder.name, RoomEncoder.id)
    )
    return [EncoderChoice(each.id, each.name, each.kind) for each in found]


async def used_by(session: AsyncSession, occurrence_id: str) -> int | None:
    """The encoder that is the lesson's lead now."""
    return await session.scalar(select(EncoderUse.encoder_id).where(EncoderUse.occurrence_id == occurrence_id))


async def holds(session: AsyncSession, occurrence_id: str, encoder_id: int) -> bool:
    """Whether this encoder is still the lead of this lesson, and the lesson is not over."""
    found = await session.scalar(
        select(Occurrence.state)
        .join(EncoderUse, EncoderUse.occurrence_id == Occurrence.id)
        .where(Occurrence.id == occurrence_id, EncoderUse.encoder_id == encoder_id)
    )
    return found in RUNNING


async def use(store: Store, clock: Clock, actor: Actor, occurrence_id: str, encoder_id: int) -> None:
    """The encoder is the lesson's lead from now on; an earlier lesson in the same room that nobody ended loses it.

    Refusals: NotFound ``unknown_encoder`` (none of the room that the lesson is led from), Conflict ``occurrence_over``,
    Unavailable ``encoders_full``.
    """
    now = clock.now()
    async with store.write() as session:
        lesson = await session.get(Occurrence, occurrence_id, with_for_update=True)
        if lesson is None or encoder_id not in {each.id for each in await choices(session, occurrence_id)}:
            raise NotFound("unknown_encoder")
        if lesson.state not in RUNNING:
            raise Conflict("occurrence_over")
        taken = or_(EncoderUse.encoder_id == encoder_id, EncoderUse.occurrence_id == occurrence_id)
        before = set(await session.scalars(delete(EncoderUse).where(taken).returning(EncoderUse.occurrence_id)))
        if (await session.scalar(select(func.count()).select_from(EncoderUse)) or 0) >= MOST_USES:
            raise Unavailable("encoders_full")
        session.add(EncoderUse(occurrence_id=occurrence_id, encoder_id=encoder_id, since=now))
        await session.flush()
        for other in sorted(before - {occurrence_id}):
            await _audit_off(session, actor, other, lesson.county, encoder_id, now)
        facts = {"encoder": encoder_id}
        await append(
            session, actor, "class.encoder", f"occurrence:{occurrence_id}", county=lesson.county, at=now, facts=facts
        )


async def stop_using(store: Store, clock: Clock, actor: Actor, occurrence_id: str) -> None:
    """The lesson's lead is its page again. Twice changes nothing."""
    now = clock.now()
    async with store.write() as session:
        county = await session.scalar(select(Occurrence.county).where(Occurrence.id == occurrence_id))
        gone = await session.scalar(
            delete(EncoderUse).where(EncoderUse.occurrence_id == occurrence_id).returning(EncoderUse.encoder_id)
        )
        if gone is not None:
            await _audit_off(session, actor, occurrence_id, county, gone, now)


async def _audit_off(
    session: AsyncSession, actor: Actor, occurrence_id: str, county: str | None, encoder_id: int, now: datetime
) -> None:
    named, facts = f"occurrence:{occurrence_id}", {"encoder": encoder_id}
    await append(session, actor, "class.encoder_off", named, county=county, at=now, facts=facts)


@dataclass(frozen=True, slots=True)
class Kept:
    """A use that a server looks after. `keeper` has its stream; None where the encoder pushes and has not come yet."""

    occurrence_id: str
    lead_side: str
    encoder: RoomEncoder
    keeper: str | None


async def any_use(session: AsyncSession) -> bool:
    """Whether any lesson uses an encoder."""
    return await session.scalar(select(EncoderUse.occurrence_id).limit(1)) is not None


async def over(session: AsyncSession, now: datetime) -> Sequence[str]:
    """The lessons that are over and still have an encoder."""
    late = or_(Occurrence.state.not_in(RUNNING), Occurrence.ends_at < now - OVERTIME)
    found = await session.scalars(
        select(EncoderUse.occurrence_id).join(Occurrence, Occurrence.id == EncoderUse.occurrence_id).where(late)
    )
    return found.all()


def _free(keeper: str, now: datetime) -> ColumnElement[bool]:
    """Whether a use is this server's, or nobody's."""
    return or_(EncoderUse.keeper == keeper, EncoderUse.kept_until.is_(None), EncoderUse.kept_until < now)


async def claim(store: Store, now: datetime, keeper: str, kinds: Sequence[str]) -> list[Kept]:
    """The uses that this server looks after. It takes those pulled from that no other server keeps and this one can reach. Those
    that push it keeps while they are at its door, and waits for the others: an encoder comes to whichever door it finds."""
    pulled = select(RoomEncoder.id).where(RoomEncoder.kind.in_(kinds), RoomEncoder.kind != PUSHED)
    async with store.write() as session:
        await session.execute(
            update(EncoderUse)
            .where(_free(keeper, now), or_(EncoderUse.keeper == keeper, EncoderUse.encoder_id.in_(pulled)))
            .values(keeper=keeper, kept_until=now + LEASE)
        )
        waited = RoomEncoder.kind == PUSHED if PUSHED in kinds else false()
        rows = await session.execute(
            select(EncoderUse, OccurrenceSide.id, RoomEncoder)
            .join(RoomEncoder, RoomEncoder.id == EncoderUse.encoder_id)
            .join(OccurrenceSide, OccurrenceSide.occurrence_id == EncoderUse.occurrence_id)
            .where(or_(EncoderUse.keeper == keeper, waited), OccurrenceSide.side == "lead")
        )
        return [
            Kept(use.occurrence_id, lead, encoder, use.keeper if use.kept_until and use.kept_until >= now else None)
            for use, lead, encoder in rows
        ]


async def take(store: Store, now: datetime, keeper: str, occurrence_id: str) -> bool:
    """The lesson's encoder has come to this server's door: whether it may stay, being at no other one."""
    async with store.write() as session:
        taken = await session.scalar(
            update(EncoderUse)
            .where(EncoderUse.occurrence_id == occurrence_id, _free(keeper, now))
            .values(keeper=keeper, kept_until=now + LEASE)
            .returning(EncoderUse.occurrence_id)
        )
        return taken is not None


async def release(store: Store, keeper: str, occurrence_id: str | None = None) -> None:
    """The server goes, or an encoder went from its door: another one may take the uses, or this one, at once."""
    mine = EncoderUse.keeper == keeper
    async with store.write() as session:
        await session.execute(
            update(EncoderUse)
            .where(mine if occurrence_id is None else mine & (EncoderUse.occurrence_id == occurrence_id))
            .values(keeper=None, kept_until=None)
        )


async def end_over(store: Store, clock: Clock) -> None:
    """Takes the encoders off lessons that are over."""
    async with store.read() as session:
        ended = await over(session, clock.now())
    for occurrence_id in ended:
        await stop_using(store, clock, SYSTEM, occurrence_id)
