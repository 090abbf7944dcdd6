"""Sign-in links: printed by an operator for one use, or shown by a demonstration."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import literal, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.people.accounts import require_manageable
from rooms.people.passwords import digest, new_token
from rooms.people.principals import account_principal, device_principal
from rooms.people.scope import Principal
from rooms.people.sessions import SignedIn, admit_account, open_session
from rooms.refusals import Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import Account, Device, SignInLink


async def make_link(
    store: Store,
    clock: Clock,
    settings: Settings,
    actor: Actor,
    *,
    account_id: int | None = None,
    device_id: int | None = None,
    lasts: timedelta = timedelta(hours=1),
    reusable: bool = False,
) -> str:
    """A link's token for ``/link/{token}``, for an account or a device. `reusable` only where `settings.demo` is on."""
    if reusable and not settings.demo:
        raise Invalid("links_reusable_in_demo_only")
    if (account_id is None) == (device_id is None):
        raise ValueError("a link is for an account or for a device")
    now, token = clock.now(), new_token()
    async with store.write() as session:
        session.add(
            SignInLink(
                token_hash=digest(token),
                account_id=account_id,
                device_id=device_id,
                created_at=now,
                expires_at=now + lasts,
                reusable=reusable,
            )
        )
        whose, county = await _whose(session, account_id, device_id)
        await append(session, actor, "link.create", whose, county=county, at=now, facts={"reusable": reusable})
    return token


async def _whose(session: AsyncSession, account_id: int | None, device_id: int | None) -> tuple[str, str | None]:
    """Who may come in by a link, as the log names them, and the county whose auditors see it."""
    if account_id is None:
        return f"device:{device_id}", (await session.get_one(Device, device_id)).county
    account = await session.get_one(Account, account_id)
    return f"account:{account.login}", (await account_principal(session, account)).home_county


async def make_account_link(
    store: Store, clock: Clock, settings: Settings, by: Principal, actor: Actor, account_id: int
) -> str:
    """A link for one use within an hour, handed out by an operator whose subtree holds every role of the account."""
    async with store.read() as session:
        await require_manageable(session, by, account_id)
    return await make_link(store, clock, settings, actor, account_id=account_id)


async def follow_link(
    store: Store, clock: Clock, settings: Settings, token: str, *, address: str, replaces: str = ""
) -> SignedIn:
    """Sign in by a link. Raises `NotFound` ``link_spent`` where it is unknown, used or too old, all alike."""
    now = clock.now()
    async with store.write() as session:
        link = await session.scalar(
            update(SignInLink)
            .where(
                SignInLink.token_hash == digest(token),
                SignInLink.expires_at > now,
                or_(SignInLink.used_at.is_(None), SignInLink.reusable.is_(True) & literal(settings.demo)),
            )
            .values(used_at=now)
            .returning(SignInLink)
        )
        if link is None:
            raise NotFound("link_spent")
        if link.account_id is not None:
            account = await session.get_one(Account, link.account_id)
            return await admit_account(session, clock, account.id, "link", address, replaces)
        device = await session.get_one(Device, link.device_id)
        if device.revoked_at is not None:
            raise NotFound("link_spent")
        principal = await device_principal(session, device)
        secret = await open_session(session, clock, address, device_id=device.id, replaces=replaces)
        actor = principal.actor(address)
        await append(session, actor, "session.sign_in", actor.name, county=device.county, at=now, facts={"way": "link"})
        return SignedIn(secret, principal)
