"""Classroom devices: made by an operator, enrolled once with a printed code, then known by a session of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.people.passwords import digest, new_code, tidy_code
from rooms.people.principals import device_principal
from rooms.people.scope import Principal
from rooms.people.sessions import SignedIn, end_sessions, open_session
from rooms.refusals import Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import Device, Room, School

CODE_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The code to print for a device; shown once, good for one use."""

    device_id: int
    code: str
    expires_at: datetime


async def create_device(
    store: Store, clock: Clock, by: Principal, actor: Actor, county: str, school: str, room: str | None, name: str
) -> Enrolment:
    """A device for a school (and one of its rooms), with the code that enrols it."""
    name = name.strip()
    if not 1 <= len(name) <= 64:
        raise Invalid("name_missing")
    if not by.may("people.change", county=county, school=school):
        raise NotFound("unknown_school", school=school)
    now, code = clock.now(), new_code()
    async with store.write() as session:
        await _require_place(session, county, school, room)
        device = Device(
            county=county,
            school_code=school,
            room_code=room,
            name=name,
            enrol_code_hash=digest(tidy_code(code)),
            enrol_expires_at=now + CODE_LASTS,
            created_at=now,
        )
        session.add(device)
        await session.flush()
        facts = {"school": school, "room": room}
        await append(session, actor, "device.create", f"device:{device.id}", county=county, at=now, facts=facts)
        return Enrolment(device.id, code, now + CODE_LASTS)


async def _require_place(session: AsyncSession, county: str, school: str, room: str | None) -> None:
    if await session.get(School, (county, school)) is None:
        raise NotFound("unknown_school", school=school)
    if room is None:
        return
    found = await session.get(Room, (county, room))
    if found is None or found.school_code != school:
        raise NotFound("unknown_room", room=room)


async def _within(session: AsyncSession, by: Principal, device_id: int) -> Device:
    device = await session.get(Device, device_id, with_for_update=True)
    if device is None or not by.may("people.change", county=device.county, school=device.school_code):
        raise NotFound("unknown_device")
    return device


async def renew_code(store: Store, clock: Clock, by: Principal, actor: Actor, device_id: int) -> Enrolment:
    """A new code, for a device that was never enrolled or is to be enrolled anew; its old session ends."""
    now, code = clock.now(), new_code()
    async with store.write() as session:
        device = await _within(session, by, device_id)
        if device.revoked_at is not None:
            raise NotFound("device_revoked")
        device.enrol_code_hash, device.enrol_expires_at = digest(tidy_code(code)), now + CODE_LASTS
        device.enrolled_at = None
        await end_sessions(session, clock, device_id=device.id)
        await append(session, actor, "device.renew", f"device:{device.id}", county=device.county, at=now)
        return Enrolment(device.id, code, now + CODE_LASTS)


async def revoke_device(store: Store, clock: Clock, by: Principal, actor: Actor, device_id: int) -> None:
    """Put a device out of use for good; its session ends at once."""
    now = clock.now()
    async with store.write() as session:
        device = await _within(session, by, device_id)
        device.revoked_at, device.enrol_code_hash = now, None
        await end_sessions(session, clock, device_id=device.id)
        await append(session, actor, "device.revoke", f"device:{device.id}", county=device.county, at=now)


async def enrol(store: Store, clock: Clock, code: str, *, address: str, replaces: str = "") -> SignedIn:
    """Turn the browser that types the printed code into the device. Raises `NotFound` ``enrol_code_wrong``."""
    now = clock.now()
    async with store.write() as session:
        device = await session.scalar(
            update(Device)
            .where(
                Device.enrol_code_hash == digest(tidy_code(code)),
                Device.enrol_expires_at > now,
                Device.revoked_at.is_(None),
            )
            .values(enrol_code_hash=None, enrolled_at=now)
            .returning(Device)
        )
        if device is None:
            raise NotFound("enrol_code_wrong")
        principal = await device_principal(session, device)
        token = await open_session(session, clock, address, device_id=device.id, replaces=replaces)
        actor = principal.actor(address)
        await append(session, actor, "device.enrol", actor.name, county=device.county, at=now)
        return SignedIn(token, principal)
