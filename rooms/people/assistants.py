"""Assistant teachers: known by a PIN on the devices of their own school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.people.passwords import hashed, matches, require_good_pin
from rooms.people.scope import Principal
from rooms.refusals import Invalid, Locked, NotFound
from rooms.store import Actor, Store
from rooms.tables import Assistant, School

LOCKED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KnownAssistant:
    """An assistant whose PIN was right."""

    id: int
    name: str


async def create_assistant(
    store: Store, clock: Clock, by: Principal, actor: Actor, county: str, school: str, name: str, pin: str
) -> int:
    """An assistant of a school. Raises `Invalid` for the name or the PIN, `NotFound` outside the caller's subtree."""
    name = name.strip()
    if not 1 <= len(name) <= 64:
        raise Invalid("name_missing")
    require_good_pin(pin)
    if not by.may("people.change", county=county, school=school):
        raise NotFound("unknown_school", school=school)
    pin_hash = await hashed(pin)
    async with store.write() as session:
        if await session.get(School, (county, school)) is None:
            raise NotFound("unknown_school", school=school)
        assistant = Assistant(county=county, school_code=school, name=name, pin_hash=pin_hash)
        session.add(assistant)
        await session.flush()
        await append(
            session,
            actor,
            "assistant.create",
            f"assistant:{assistant.id}",
            county=county,
            at=clock.now(),
            facts={"school": school},
            personal={"name": name},
        )
        return assistant.id


async def _within(session: AsyncSession, by: Principal, assistant_id: int) -> Assistant:
    assistant = await session.get(Assistant, assistant_id, with_for_update=True)
    if assistant is None or not by.may("people.change", county=assistant.county, school=assistant.school_code):
        raise NotFound("unknown_assistant")
    return assistant


async def set_pin(store: Store, clock: Clock, by: Principal, actor: Actor, assistant_id: int, pin: str) -> None:
    """A new PIN; ends a lock."""
    require_good_pin(pin)
    pin_hash = await hashed(pin)
    async with store.write() as session:
        assistant = await _within(session, by, assistant_id)
        assistant.pin_hash, assistant.failures, assistant.locked_until = pin_hash, 0, None
        named = f"assistant:{assistant.id}"
        await append(session, actor, "assistant.pin", named, county=assistant.county, at=clock.now())


async def set_in_use(store: Store, clock: Clock, by: Principal, actor: Actor, assistant_id: int, in_use: bool) -> None:
    """Put an assistant out of use, or back into it."""
    now = clock.now()
    async with store.write() as session:
        assistant = await _within(session, by, assistant_id)
        assistant.disabled_at = None if in_use else now
        action = "assistant.enable" if in_use else "assistant.disable"
        await append(session, actor, action, f"assistant:{assistant.id}", county=assistant.county, at=now)


async def recognise(
    store: Store, clock: Clock, settings: Settings, device: Principal, actor: Actor, assistant_id: int, pin: str
) -> KnownAssistant:
    """The assistant who typed a PIN on a device of the own school.

    Raises `NotFound` ``unknown_assistant`` (another school's as well), `Invalid` ``wrong_pin``, and `Locked` ``pin_locked`` with
    ``until`` (an instant) for five minutes after `lock_after_failures` wrong ones. Attempts are counted before they are checked.
    """
    if device.room is None:
        raise NotFound("unknown_assistant")
    now, limit = clock.now(), settings.lock_after_failures
    assistant = await _counted_attempt(store, device.room, assistant_id, limit, now)
    if await matches(assistant.pin_hash, pin):
        async with store.write() as session:
            await session.execute(
                update(Assistant).where(Assistant.id == assistant.id).values(failures=0, locked_until=None)
            )
        return KnownAssistant(assistant.id, assistant.name)
    async with store.write() as session:
        await append(
            session,
            actor,
            "assistant.recognise",
            f"assistant:{assistant.id}",
            county=assistant.county,
            at=now,
            result="failed",
        )
    raise Invalid("wrong_pin")


async def _counted_attempt(
    store: Store, room: tuple[str, str, str | None], assistant_id: int, limit: int, now: datetime
) -> Assistant:
    async with store.write() as session:
        assistant = await session.get(Assistant, assistant_id, with_for_update=True)
        if assistant is None or assistant.disabled_at is not None:
            raise NotFound("unknown_assistant")
        if (assistant.county, assistant.school_code) != room[:2]:
            raise NotFound("unknown_assistant")
        if assistant.locked_until is not None:
            if assistant.locked_until > now:
                raise Locked("pin_locked", until=assistant.locked_until)
            assistant.failures, assistant.locked_until = 0, None
        assistant.failures += 1
        if assistant.failures >= limit:
            assistant.locked_until = now + LOCKED_FOR  # unless this one succeeds
        return assistant
