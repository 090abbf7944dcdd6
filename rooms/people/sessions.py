"""Signing in and staying signed in: opaque tokens, of which the store keeps the hash alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, case, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.people.passwords import digest, matches, new_token
from rooms.people.principals import account_principal, device_principal
from rooms.people.scope import Principal
from rooms.refusals import Forbidden, NotSignedIn
from rooms.store import Actor, Store
from rooms.tables import Account, Device, Session, SignInLink, UtcDateTime

TOUCH = timedelta(seconds=30)
"""How much older than the last request `used_at` may be: a write for each request would be too many."""

KEPT = timedelta(days=90)
"""How long sessions and links that are over are kept."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token for the cookie, known to nobody else, and who it is."""

    token: str
    principal: Principal


async def sign_in(
    store: Store, clock: Clock, settings: Settings, login: str, password: str, *, address: str, replaces: str = ""
) -> SignedIn:
    """Sign a person in by login and password; the session `replaces` (the caller's old cookie), if any, ends.

    Raises `NotSignedIn` ``wrong_credentials`` (fact ``limit``) for an unknown login, a wrong password and a locked account
    alike, after the same work; `Forbidden` ``account_disabled`` or ``account_expired`` only to who knows the password.
    An attempt is counted before the password is looked at, so that guesses at the same moment cannot exceed the limit.
    """
    login = login.strip().lower()[:64]
    limit = settings.lock_after_failures
    account = await _counted_attempt(store, clock, login, limit)
    if not await matches(account.password_hash if account else None, password):
        await _record_failure(store, clock, login, account, address)
        raise NotSignedIn("wrong_credentials", limit=limit)
    assert account is not None  # only a stored hash matches
    return await _admit(store, clock, account.id, "password", address, replaces)


async def _counted_attempt(store: Store, clock: Clock, login: str, limit: int) -> Account | None:
    """The account, where it may still be tried; the attempt is counted, and the last one allowed locks until it succeeds."""
    last = case((Account.failures + 1 >= limit, literal(clock.now(), UtcDateTime())), else_=None)
    async with store.write() as session:
        return await session.scalar(
            update(Account)
            .where(Account.login == login, Account.locked_at.is_(None))
            .values(failures=Account.failures + 1, locked_at=last)
            .returning(Account)
            .execution_options(populate_existing=True)
        )


async def _record_failure(store: Store, clock: Clock, login: str, account: Account | None, address: str) -> None:
    now = clock.now()
    async with store.write() as session:
        actor = Actor("stranger", "none", address)
        if account is None:  # unknown or locked: both leave the same entry
            await append(
                session, actor, "session.sign_in", "account:?", at=now, result="failed", personal={"login": login}
            )
            return
        named, county = f"account:{login}", (await account_principal(session, account)).home_county
        await append(session, actor, "session.sign_in", named, county=county, at=now, result="failed")
        if account.locked_at is not None:
            facts = {"failures": account.failures}
            await append(session, actor, "account.lock", named, county=county, at=now, facts=facts)


async def _admit(store: Store, clock: Clock, account_id: int, way: str, address: str, replaces: str) -> SignedIn:
    async with store.write() as session:
        return await admit_account(session, clock, account_id, way, address, replaces)


async def admit_account(
    session: AsyncSession, clock: Clock, account_id: int, way: str, address: str, replaces: str
) -> SignedIn:
    """Open a session for an account whose holder has been recognised; `way` says how (``password``, ``link``)."""
    now = clock.now()
    account = await session.get_one(Account, account_id)
    if account.disabled_at is not None:
        raise Forbidden("account_disabled")
    if account.expires_at is not None and account.expires_at <= now:
        raise Forbidden("account_expired")
    if way == "password":
        account.failures, account.locked_at = 0, None
    principal = await account_principal(session, account)
    token = await open_session(session, clock, address, account_id=account.id, replaces=replaces)
    actor = principal.actor(address)
    named, county = f"account:{account.login}", principal.home_county
    await append(session, actor, "session.sign_in", named, county=county, at=now, facts={"way": way})
    return SignedIn(token, principal)


async def open_session(
    session: AsyncSession,
    clock: Clock,
    address: str,
    *,
    account_id: int | None = None,
    device_id: int | None = None,
    replaces: str = "",
) -> str:
    """A fresh session row; the one replaced ends. Returns the token."""
    now, token = clock.now(), new_token()
    if replaces:
        await _end(session, clock, Session.token_hash == digest(replaces))
    session.add(
        Session(
            token_hash=digest(token),
            account_id=account_id,
            device_id=device_id,
            created_at=now,
            used_at=now,
            ended_at=None,
            address=address[:64],
        )
    )
    return token


async def sign_out(store: Store, clock: Clock, token: str, by: Principal, actor: Actor) -> None:
    """End the session. A token that is not in use is no error."""
    async with store.write() as session:
        if await _end(session, clock, Session.token_hash == digest(token)):
            await append(session, actor, "session.sign_out", actor.name, county=by.home_county, at=clock.now())


async def end_sessions(
    session: AsyncSession, clock: Clock, *, account_id: int | None = None, device_id: int | None = None, but: str = ""
) -> int:
    """End every session of an account or device (but the one with the token `but`); how many there were. A link that would open
    another one is spent."""
    linked = SignInLink.account_id == account_id if account_id is not None else SignInLink.device_id == device_id
    unused = linked & SignInLink.used_at.is_(None) & SignInLink.reusable.is_(False)
    await session.execute(update(SignInLink).where(unused).values(used_at=clock.now()))
    whose = Session.account_id == account_id if account_id is not None else Session.device_id == device_id
    return await _end(session, clock, whose & (Session.token_hash != digest(but)))


async def _end(session: AsyncSession, clock: Clock, which: ColumnElement[bool]) -> int:
    ended = await session.scalars(
        update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(Session.token_hash)
    )
    return len(ended.all())


async def principal_of(store: Store, clock: Clock, settings: Settings, token: str) -> Principal | None:
    """Who holds this token, with the roles held now; None where it is unknown, ended, idle too long or too old.

    A person's session ends after `session_idle_minutes` unused and `session_max_hours` in all; a device's lasts until the
    device is revoked. Roles, locks and revocations take effect with the next request.
    """
    if not token:
        return None
    now = clock.now()
    async with store.read() as session:
        row = await session.get(Session, digest(token))
        if row is None or row.ended_at is not None:
            return None
        touch = now - row.used_at >= TOUCH
        if row.device_id is not None:
            principal = await _device_behind(session, row.device_id)
        elif now - row.used_at >= timedelta(minutes=settings.session_idle_minutes) or (
            now - row.created_at >= timedelta(hours=settings.session_max_hours)
        ):
            return None
        else:
            principal = await _account_behind(session, row.account_id, clock)
    if principal is not None and touch:
        async with store.write() as session:
            await session.execute(update(Session).where(Session.token_hash == digest(token)).values(used_at=now))
    return principal


async def _account_behind(session: AsyncSession, account_id: int | None, clock: Clock) -> Principal | None:
    account = await session.get(Account, account_id)
    if account is None or account.disabled_at is not None:
        return None
    if account.expires_at is not None and account.expires_at <= clock.now():
        return None
    return await account_principal(session, account)


async def _device_behind(session: AsyncSession, device_id: int) -> Principal | None:
    device = await session.get(Device, device_id)
    if device is None or device.revoked_at is not None:
        return None
    return await device_principal(session, device)


async def live_sessions(session: AsyncSession, clock: Clock, settings: Settings) -> int:
    """How many people and devices are signed in now."""
    since = clock.now() - timedelta(minutes=settings.session_idle_minutes)
    found = await session.scalar(
        select(func.count())
        .select_from(Session)
        .where(Session.ended_at.is_(None), or_(Session.used_at > since, Session.device_id.is_not(None)))
    )
    return found or 0


async def clear_over(store: Store, clock: Clock, settings: Settings) -> None:
    """Removes sessions and links that have been over for `KEPT`; the newest session of an account or device stays, for it tells
    when that was last here."""
    before = clock.now() - KEPT
    too_old = Session.device_id.is_(None) & (Session.created_at < before - timedelta(hours=settings.session_max_hours))
    newer = aliased(Session)
    whose = or_(newer.account_id == Session.account_id, newer.device_id == Session.device_id)
    superseded = select(newer.token_hash).where(whose, newer.used_at > Session.used_at).exists()
    async with store.write() as session:
        for over in (
            delete(Session).where(or_(Session.ended_at < before, too_old), superseded),
            delete(SignInLink).where(SignInLink.expires_at < before),
        ):
            await session.execute(over.execution_options(synchronize_session=False))
