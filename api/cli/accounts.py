"""``sanke account …``: the first operator of a server, a forgotten password, and who there is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cyclopts import App
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.cli.running import settings_given, starting_told, store_open
from config.words import say_both
from rooms.clock import Clock, SystemClock
from rooms.people.accounts import FirstPassword, NewAccount, RoleAt, create_account, reset_password
from rooms.people.permissions import ACCOUNT_ROLES
from rooms.people.principals import system_principal
from rooms.people.roster import AccountRow, list_accounts
from rooms.people.setup import root_unit
from rooms.refusals import Invalid, NotFound, Refusal
from rooms.store import SYSTEM, Store
from rooms.tables import Account, OrgUnit

app = App(name="account", help="账号管理 / accounts")
T = TypeVar("T")


@app.command
def create(login: str, name: str, *, role: list[str], teacher: str = "") -> None:
    """新建账号 / make an account; its first password is printed once.

    Parameters
    ----------
    login
        登录账号 / the login.
    name
        姓名 / the person's name.
    role
        角色@单位，可多次 / role@unit, may be repeated: planner@county, operator@root, lead_teacher@county/school.
    teacher
        关联的教师：县代码/工号 / the teacher it belongs to: county/code.
    """

    async def act(store: Store, clock: Clock) -> FirstPassword:
        async with store.write() as session:
            roles = tuple([await _role_at(session, text) for text in role])
        county, _, code = teacher.partition("/")
        new = NewAccount(login, name, roles, (county, code) if teacher else None)
        return await create_account(store, clock, system_principal(), SYSTEM, new)

    made = _run(act)
    print(say_both("people.created", login=made.login, password=made.password))


@app.command
def reset(login: str) -> None:
    """重置密码并解锁 / reset a password and unlock; the first password is printed once."""

    async def act(store: Store, clock: Clock) -> FirstPassword:
        async with store.read() as session:
            found = await session.scalar(select(Account.id).where(Account.login == login.strip().lower()))
        if found is None:
            raise NotFound("unknown_account")
        return await reset_password(store, clock, system_principal(), SYSTEM, found)

    made = _run(act)
    print(say_both("people.reset_done", login=made.login, password=made.password))


@app.command(name="list")
def list_() -> None:
    """列出账号 / list the accounts."""

    async def act(store: Store, clock: Clock) -> list[AccountRow]:
        async with store.read() as session:
            return await list_accounts(session, system_principal(), clock.now())

    rows = _run(act)
    if not rows:
        print(say_both("people.no_accounts"))
        return
    table = Table(box=None)
    for heading in ("", "", "", ""):
        table.add_column(heading)
    for row in rows:
        roles = "\n".join(f"{say_both(f'common.role_{held.role}')} @ {held.unit}" for held in row.roles)
        table.add_row(row.login, row.name, roles, say_both(f"people.state_{row.state}"))
    Console().print(table)


async def _role_at(session: AsyncSession, text: str) -> RoleAt:
    name, _, place = text.partition("@")
    role = next((each for each in ACCOUNT_ROLES if each == name), None)
    county, _, school = place.partition("/")
    chosen = select(OrgUnit.id).where(OrgUnit.county == county)
    chosen = chosen.where(OrgUnit.school_code == school if school else OrgUnit.level == "county")
    unit = (await root_unit(session)).id if place == "root" else await session.scalar(chosen.limit(1))
    if role is None or unit is None:
        raise Invalid("role_at_unknown", text=text)
    return RoleAt(role, unit)


def _run(act: Callable[[Store, Clock], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with store_open(settings_given()) as store:
            return await act(store, SystemClock())

    try:
        with starting_told():
            return asyncio.run(whole())
    except Refusal as refusal:
        print(say_both(f"refusal.{refusal.code}", **refusal.facts), file=sys.stderr)
        sys.exit(1)
