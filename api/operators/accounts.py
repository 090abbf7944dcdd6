"""Accounts: who there is, making them, their roles, passwords, links and locks."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from api.operators.desk import routes
from api.routing import Call, Code, Nothing, RowId, Shape
from rooms.people import accounts as people
from rooms.people.accounts import NewAccount, RoleAt
from rooms.people.links import make_account_link
from rooms.people.permissions import ACCOUNT_ROLES, Role
from rooms.people.roster import list_accounts, list_teachers, list_units


class AccountPath(Shape):
    account: RowId


class RoleChoice(Shape):
    """A role at a unit of the tree."""

    role: Role
    org_id: RowId


class AccountForm(Shape):
    """A new account."""

    login: str = Field(max_length=64)
    name: str = Field(max_length=64)
    roles: list[RoleChoice] = Field(max_length=20)
    teacher_county: Code | None = None
    teacher_code: Code | None = None


class RolesForm(Shape):
    """The roles an account is to hold from now on."""

    roles: list[RoleChoice] = Field(max_length=20)


class Handed(Shape):
    """A first password to hand over; it is shown once."""

    account_id: int
    login: str
    password: str


class Link(Shape):
    """A sign-in link for one use."""

    url: str


@routes.get("/operator", needs="people.read", summary="The operator's desk: accounts", page=True)
async def accounts_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    now = call.app.clock.now()
    async with call.app.store.read() as session:
        rows = await list_accounts(session, call.principal, now)
        units, teachers = await list_units(session, call.principal), await list_teachers(session, call.principal)
    taken = {row.teacher for row in rows if row.teacher}
    return call.page(
        "operator/accounts.html", rows=rows, units=units, teachers=teachers, taken=taken, roles=ACCOUNT_ROLES
    )


@routes.post("/api/operator/accounts", needs="people.change", summary="Make an account", status=201)
async def make_account(call: Call[Nothing, Nothing, AccountForm]) -> Handed:
    app, body = call.app, call.body
    teacher = (body.teacher_county, body.teacher_code) if body.teacher_county and body.teacher_code else None
    new = NewAccount(body.login, body.name, _roles(body.roles), teacher)
    made = await people.create_account(app.store, app.clock, call.principal, call.actor, new)
    return Handed(account_id=made.account_id, login=made.login, password=made.password)


@routes.post("/api/operator/accounts/{account}/roles", needs="people.change", summary="Change an account's roles")
async def change_roles(call: Call[AccountPath, Nothing, RolesForm]) -> None:
    app = call.app
    await people.set_roles(app.store, app.clock, call.principal, call.actor, call.path.account, _roles(call.body.roles))


@routes.post("/api/operator/accounts/{account}/reset", needs="people.change", summary="Reset a password")
async def reset(call: Call[AccountPath, Nothing, Nothing]) -> Handed:
    app = call.app
    made = await people.reset_password(app.store, app.clock, call.principal, call.actor, call.path.account)
    return Handed(account_id=made.account_id, login=made.login, password=made.password)


@routes.post("/api/operator/accounts/{account}/link", needs="people.change", summary="Make a sign-in link")
async def link(call: Call[AccountPath, Nothing, Nothing]) -> Link:
    app = call.app
    token = await make_account_link(app.store, app.clock, app.settings, call.principal, call.actor, call.path.account)
    base = app.settings.public_url.rstrip("/") or str(call.request.url.origin())
    return Link(url=f"{base}/link/{token}")


@routes.post("/api/operator/accounts/{account}/unlock", needs="people.change", summary="Unlock an account")
async def unlock(call: Call[AccountPath, Nothing, Nothing]) -> None:
    await people.unlock(call.app.store, call.app.clock, call.principal, call.actor, call.path.account)


@routes.post("/api/operator/accounts/{account}/disable", needs="people.change", summary="Put an account out of use")
async def disable(call: Call[AccountPath, Nothing, Nothing]) -> None:
    await people.disable(call.app.store, call.app.clock, call.principal, call.actor, call.path.account)


@routes.post("/api/operator/accounts/{account}/enable", needs="people.change", summary="Put an account back into use")
async def enable(call: Call[AccountPath, Nothing, Nothing]) -> None:
    await people.enable(call.app.store, call.app.clock, call.principal, call.actor, call.path.account)


def _roles(chosen: list[RoleChoice]) -> tuple[RoleAt, ...]:
    return tuple(RoleAt(each.role, each.org_id) for each in chosen)
