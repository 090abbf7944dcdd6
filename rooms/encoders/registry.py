"""Which encoders there are: an operator registers them for a recording room, changes them, and puts them out of use."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from media.encoders.addresses import RtspUrl, parse_url, pin
from media.encoders.encoder import probe
from media.encoders.rtmp.door import digest
from media.encoders.values import EncoderRefused, Found
from rooms.audit import append
from rooms.bus import Bus
from rooms.clock import Clock
from rooms.encoders.gear import Gear
from rooms.encoders.tries import found_anywhere
from rooms.encoders.uses import PUSHED
from rooms.people.roster import school_names
from rooms.people.scope import Principal
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import EncoderUse, Room, RoomEncoder

EncoderKind = Literal["rtsp", "rtmp"]


@dataclass(frozen=True, slots=True)
class NewEncoder:
    """What is registered. `url` is for RTSP alone, as typed, with name and password where it needs them."""

    county: str
    school: str
    room: str
    name: str
    kind: EncoderKind
    url: str


@dataclass(frozen=True, slots=True)
class Registered:
    """`key` is the stream key of an encoder that pushes; it is shown once."""

    encoder_id: int
    key: str


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """An encoder as listed."""

    id: int
    county: str
    school_code: str
    school: str
    room_code: str
    name: str
    kind: EncoderKind
    shown_url: str
    state: Literal["active", "disabled", "in_use"]


async def list_encoders(session: AsyncSession, by: Principal) -> list[EncoderRow]:
    """Encoders of the schools where the viewer keeps people, by school, room and name."""
    names = await school_names(session)
    used = set(await session.scalars(select(EncoderUse.encoder_id)))
    order = (RoomEncoder.county, RoomEncoder.school_code, RoomEncoder.room_code, RoomEncoder.name)
    return [
        EncoderRow(
            id=each.id,
            county=each.county,
            school_code=each.school_code,
            school=names.get((each.county, each.school_code), each.school_code),
            room_code=each.room_code,
            name=each.name,
            kind="rtmp" if each.kind == "rtmp" else "rtsp",
            shown_url=each.shown_url,
            state="in_use" if each.id in used else "active" if each.enabled else "disabled",
        )
        for each in await session.scalars(select(RoomEncoder).order_by(*order))
        if by.may("people.read", county=each.county, school=each.school_code)
    ]


async def register(store: Store, clock: Clock, gear: Gear, by: Principal, actor: Actor, new: NewEncoder) -> Registered:
    """Registers an encoder.

    Refusals: NotFound ``unknown_school``, ``unknown_room``; Invalid ``name_missing``, ``encoder_address``.
    """
    if not by.may("people.change", county=new.county, school=new.school):
        raise NotFound("unknown_school", school=new.school)
    name, key = _name(new.name), secrets.token_urlsafe(24) if new.kind == "rtmp" else ""
    url = await _checked(gear, new.url) if new.kind == "rtsp" else None
    now = clock.now()
    async with store.write() as session:
        room = await session.get(Room, (new.county, new.room))
        if room is None or room.school_code != new.school:
            raise NotFound("unknown_room", room=new.room)
        encoder = RoomEncoder(
            county=new.county,
            school_code=new.school,
            room_code=new.room,
            name=name,
            kind=new.kind,
            sealed_url=gear.vault.seal(url) if url is not None else None,
            shown_url=url.shown() if url is not None else "",
            key_digest=digest(key) if key else None,
            enabled=True,
            created_at=now,
        )
        session.add(encoder)
        await session.flush()
        facts = {"school": new.school, "room": new.room, "kind": new.kind}
        await append(session, actor, "encoder.create", f"encoder:{encoder.id}", county=new.county, at=now, facts=facts)
        return Registered(encoder.id, key)


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= 64:
        raise Invalid("name_missing")
    return name


async def _checked(gear: Gear, text: str) -> RtspUrl:
    """An address that may be pulled from; one whose name nobody knows just now may be right tomorrow."""
    try:
        url = parse_url(text.strip())
        await pin(url, gear.allowed)
    except EncoderRefused as refused:
        if refused.reason != "unreachable":
            raise Invalid("encoder_address") from None
    return url


async def change(
    store: Store, clock: Clock, gear: Gear, by: Principal, actor: Actor, encoder_id: int, name: str, url: str
) -> None:
    """Another name, and for RTSP another address; an empty one leaves it as it is. Refusals as `register`, and of `_within`."""
    name = _name(name)
    checked = await _checked(gear, url) if url.strip() else None
    now = clock.now()
    async with store.write() as session:
        encoder = await _within(session, by, encoder_id)
        encoder.name = name
        if checked is not None and encoder.kind == "rtsp":
            encoder.sealed_url, encoder.shown_url = gear.vault.seal(checked), checked.shown()
        facts = {"address": checked is not None}
        await append(
            session, actor, "encoder.change", f"encoder:{encoder.id}", county=encoder.county, at=now, facts=facts
        )


async def renew_key(store: Store, clock: Clock, by: Principal, actor: Actor, encoder_id: int) -> Registered:
    """A new stream key; the old one is good for nothing from now on."""
    key, now = secrets.token_urlsafe(24), clock.now()
    async with store.write() as session:
        encoder = await _within(session, by, encoder_id)
        if encoder.kind != "rtmp":
            raise NotFound("unknown_encoder")
        encoder.key_digest = digest(key)
        await append(session, actor, "encoder.renew", f"encoder:{encoder.id}", county=encoder.county, at=now)
        return Registered(encoder.id, key)


async def set_enabled(store: Store, clock: Clock, by: Principal, actor: Actor, encoder_id: int, enabled: bool) -> None:
    """Puts an encoder into use, or out of it."""
    now = clock.now()
    async with store.write() as session:
        encoder = await _within(session, by, encoder_id)
        encoder.enabled = enabled
        action = "encoder.enable" if enabled else "encoder.disable"
        await append(session, actor, action, f"encoder:{encoder.id}", county=encoder.county, at=now)


async def delete(store: Store, clock: Clock, by: Principal, actor: Actor, encoder_id: int) -> None:
    """Forgets an encoder; what lessons did with it stays in the log."""
    now = clock.now()
    async with store.write() as session:
        encoder = await _within(session, by, encoder_id)
        facts = {"school": encoder.school_code, "room": encoder.room_code, "name": encoder.name}
        await append(
            session, actor, "encoder.delete", f"encoder:{encoder.id}", county=encoder.county, at=now, facts=facts
        )
        await session.delete(encoder)


async def _within(session: AsyncSession, by: Principal, encoder_id: int) -> RoomEncoder:
    """An encoder that the caller keeps and no lesson uses. Refusals: NotFound ``unknown_encoder``, Conflict ``encoder_in_use``."""
    encoder = await session.get(RoomEncoder, encoder_id, with_for_update=True)
    if encoder is None or not by.may("people.change", county=encoder.county, school=encoder.school_code):
        raise NotFound("unknown_encoder")
    if await session.scalar(select(EncoderUse.occurrence_id).where(EncoderUse.encoder_id == encoder.id)):
        raise Conflict("encoder_in_use")
    return encoder


async def found_at(store: Store, bus: Bus, gear: Gear, by: Principal, encoder_id: int, patience: float) -> Found:
    """What the encoder sends now. Raises EncoderRefused; refusals of `_within`."""
    async with store.read() as session:
        encoder = await _within(session, by, encoder_id)
        origin = gear.origin(encoder) if encoder.kind != PUSHED else None
    if origin is None:
        return await found_anywhere(bus, encoder_id, patience)
    return await probe(origin, patience)
