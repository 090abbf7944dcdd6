"""Accounts and the roles they hold. An operator acts within the subtree, and never on the operator's own account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.people.passwords import hashed, matches, new_password, require_good_password
from rooms.people.permissions import ACCOUNT_ROLES, Role
from rooms.people.scope import Principal
from rooms.people.sessions import end_sessions
from rooms.refusals import Conflict, Forbidden, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import Account, AccountRole, OrgUnit, Teacher

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
APART: frozenset[Role] = frozenset({"planner", "auditor", "operator"})
"""Duties of which one account holds at most one (三员分立)."""


@dataclass(frozen=True, slots=True)
class RoleAt:
    """A role to be held at a node of the tree."""

    role: Role
    org_id: int


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made. `teacher` is county and code of the teacher it belongs to."""

    login: str
    name: str
    roles: tuple[RoleAt, ...]
    teacher: tuple[str, str] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """What the operator hands over; it must be changed at the first sign-in and is shown once."""

    account_id: int
    login: str
    password: str


async def create_account(
    store: Store, clock: Clock, by: Principal, actor: Actor, new: NewAccount, *, password: str | None = None
) -> FirstPassword:
    """Make an account with a first password that must be changed; a given `password` (demo, tests) need not be.

    Raises `Invalid` for a malformed login or name and for roles that do not go together, `NotFound` ``unknown_org`` or
    ``unknown_teacher`` outside the caller's subtree, `Conflict` ``login_taken``.
    """
    login, name = new.login.strip().lower(), new.name.strip()
    if not LOGIN.fullmatch(login):
        raise Invalid("login_malformed")
    if not 1 <= len(name) <= 64:
        raise Invalid("name_missing")
    first = password or new_password()
    password_hash = await hashed(first)
    now = clock.now()
    async with store.write() as session:
        if await session.scalar(select(Account.id).where(Account.login == login)) is not None:
            raise Conflict("login_taken", login=login)
        await _require_teacher(session, by, new)
        account = Account(
            login=login,
            name=name,
            password_hash=password_hash,
            must_change_password=password is None,
            expires_at=new.expires_at,
            teacher_county=new.teacher[0] if new.teacher else None,
            teacher_code=new.teacher[1] if new.teacher else None,
            created_at=now,
        )
        session.add(account)
        await session.flush()
        units = await _hand_roles(session, by, account.id, new.roles)
        await append(
            session,
            actor,
            "account.create",
            f"account:{login}",
            county=units[0].county,
            at=now,
            facts={"roles": _described(new.roles)},
            personal={"name": name},
        )
        return FirstPassword(account.id, login, first)


def _described(roles: Sequence[RoleAt]) -> list[str]:
    return sorted(f"{each.role}@{each.org_id}" for each in roles)


async def _require_teacher(session: AsyncSession, by: Principal, new: NewAccount) -> None:
    if new.teacher is None:
        if any(each.role == "lead_teacher" for each in new.roles):
            raise Invalid("teacher_role_without_teacher")
        return
    county, code = new.teacher
    teacher = await session.get(Teacher, (county, code))
    school = await _school_unit(session, county, teacher.school_code) if teacher else None
    if school is None or not by.may_at("people.change", school.path):
        raise NotFound("unknown_teacher", teacher=code)


async def _school_unit(session: AsyncSession, county: str, school: str) -> OrgUnit | None:
    return await session.scalar(select(OrgUnit).where(OrgUnit.county == county, OrgUnit.school_code == school))


async def _hand_roles(session: AsyncSession, by: Principal, account_id: int, roles: Sequence[RoleAt]) -> list[OrgUnit]:
    if not roles:
        raise Invalid("role_missing")
    if len({each.role for each in roles} & APART) > 1:
        raise Invalid("roles_apart")
    units = []
    for each in dict.fromkeys(roles):
        if each.role not in ACCOUNT_ROLES:
            raise Invalid("unknown_role", role=each.role)
        unit = await session.get(OrgUnit, each.org_id)
        if unit is None or not by.may_at("people.change", unit.path):
            raise NotFound("unknown_org")
        units.append(unit)
        await session.execute(insert(AccountRole).values(account_id=account_id, role=each.role, org_id=unit.id))
    return units


async def require_manageable(session: AsyncSession, by: Principal, account_id: int) -> tuple[Account, str | None]:
    """The account and a county of its roles, where every role it holds lies within the caller's subtree."""
    account = await session.get(Account, account_id, with_for_update=True)
    rows = await session.execute(
        select(OrgUnit.path, OrgUnit.county)
        .join(AccountRole, AccountRole.org_id == OrgUnit.id)
        .where(AccountRole.account_id == account_id)
    )
    places = rows.all()
    if account is None or not places or not all(by.may_at("people.change", place.path) for place in places):
        raise NotFound("unknown_account")
    if by.kind == "account" and account.id == by.id:
        raise Forbidden("own_account")
    return account, places[0].county


async def set_roles(
    store: Store, clock: Clock, by: Principal, actor: Actor, account_id: int, roles: Sequence[RoleAt]
) -> None:
    """Replace the roles of an account; they hold from its next request on."""
    async with store.write() as session:
        account, county = await require_manageable(session, by, account_id)
        held = await session.execute(
            select(AccountRole.role, AccountRole.org_id).where(AccountRole.account_id == account_id)
        )
        before = sorted(f"{role}@{org}" for role, org in held.all())
        await session.execute(delete(AccountRole).where(AccountRole.account_id == account_id))
        await _hand_roles(session, by, account_id, roles)
        if account.teacher_code is None and any(each.role == "lead_teacher" for each in roles):
            raise Invalid("teacher_role_without_teacher")
        facts = {"before": before, "roles": _described(roles)}
        await append(
            session, actor, "account.roles", f"account:{account.login}", county=county, at=clock.now(), facts=facts
        )


async def reset_password(store: Store, clock: Clock, by: Principal, actor: Actor, account_id: int) -> FirstPassword:
    """A new first password, to be changed at the next sign-in; unlocks the account and ends its sessions."""
    password = new_password()
    password_hash = await hashed(password)
    async with store.write() as session:
        account, county = await require_manageable(session, by, account_id)
        account.password_hash, account.must_change_password = password_hash, True
        account.failures, account.locked_at = 0, None
        await end_sessions(session, clock, account_id=account.id)
        await append(session, actor, "account.reset", f"account:{account.login}", county=county, at=clock.now())
        return FirstPassword(account.id, account.login, password)


async def unlock(store: Store, clock: Clock, by: Principal, actor: Actor, account_id: int) -> None:
    """Let an account that was locked by wrong passwords try again."""
    async with store.write() as session:
        account, county = await require_manageable(session, by, account_id)
        account.failures, account.locked_at = 0, None
        await append(session, actor, "account.unlock", f"account:{account.login}", county=county, at=clock.now())


async def disable(store: Store, clock: Clock, by: Principal, actor: Actor, account_id: int) -> None:
    """Put an account out of use and end its sessions at once; the account and what it did stay."""
    async with store.write() as session:
        account, county = await require_manageable(session, by, account_id)
        account.disabled_at = clock.now()
        await end_sessions(session, clock, account_id=account.id)
        await append(session, actor, "account.disable", f"account:{account.login}", county=county, at=clock.now())


async def enable(store: Store, clock: Clock, by: Principal, actor: Actor, account_id: int) -> None:
    """Put an account back into use."""
    async with store.write() as session:
        account, county = await require_manageable(session, by, account_id)
        account.disabled_at = None
        await append(session, actor, "account.enable", f"account:{account.login}", county=county, at=clock.now())


async def change_password(
    store: Store, clock: Clock, settings: Settings, who: Principal, actor: Actor, old: str, new: str, *, keep: str = ""
) -> None:
    """A person's own change of password. Every other session ends; the one with the token `keep` stays.

    Raises `Invalid` ``wrong_password`` (and counts the attempt), ``password_unchanged``, or the rule the new one breaks.
    """
    require_good_password(new, who.login, settings.password_min_length)
    if new == old:
        raise Invalid("password_unchanged")
    await _require_own_password(store, settings, who.id, old)
    password_hash = await hashed(new)
    async with store.write() as session:
        account = await session.get_one(Account, who.id, with_for_update=True)
        account.password_hash, account.must_change_password, account.failures = password_hash, False, 0
        await end_sessions(session, clock, account_id=account.id, but=keep)
        named, county = f"account:{account.login}", who.home_county
        await append(session, actor, "account.password", named, county=county, at=clock.now())


async def _require_own_password(store: Store, settings: Settings, account_id: int, password: str) -> None:
    async with store.write() as session:
        account = await session.get_one(Account, account_id, with_for_update=True)
        stored = account.password_hash if account.failures < settings.lock_after_failures else None
        account.failures += 1
    if not await matches(stored, password):
        raise Invalid("wrong_password")


async def set_language(store: Store, account_id: int, language: str) -> None:
    """Keep the language a person chose. Not an act of the log: it concerns nobody else."""
    async with store.write() as session:
        account = await session.get_one(Account, account_id)
        account.language = language
