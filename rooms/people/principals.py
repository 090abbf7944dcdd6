"""From rows to a `Principal`: the roles of an account, or the room of a device, with what lies below them in the tree."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.people.permissions import ROLES, Role
from rooms.people.scope import Grant, Principal
from rooms.tables import Account, AccountRole, Device, OrgUnit

ABOVE_COUNTY = ("nation", "province", "city")


async def account_principal(session: AsyncSession, account: Account) -> Principal:
    """The principal of an account with every role it holds."""
    rows = await session.execute(
        select(AccountRole.role, OrgUnit)
        .join(OrgUnit, OrgUnit.id == AccountRole.org_id)
        .where(AccountRole.account_id == account.id)
    )
    grants = [await _grant(session, _role(role), unit) for role, unit in rows.all()]
    county, code = account.teacher_county, account.teacher_code
    return Principal(
        kind="account",
        id=account.id,
        login=account.login,
        name=account.name,
        grants=tuple(grants),
        language=account.language,
        must_change_password=account.must_change_password,
        teacher=(county, code) if county and code else None,
    )


async def device_principal(session: AsyncSession, device: Device) -> Principal:
    """The principal of a classroom's device: its school, and nothing of the teaching points below."""
    unit = await session.scalar(
        select(OrgUnit).where(OrgUnit.county == device.county, OrgUnit.school_code == device.school_code)
    )
    grant = Grant(
        role="device",
        org_id=unit.id if unit else 0,
        path=unit.path if unit else f"/device/{device.id}/",
        counties=frozenset({device.county}),
        schools=frozenset({device.school_code}),
    )
    return Principal(
        kind="device",
        id=device.id,
        login=f"device-{device.id}",
        name=device.name,
        grants=(grant,),
        room=(device.county, device.school_code, device.room_code),
    )


def system_principal() -> Principal:
    """Who acts on the server's own command line: an operator of the whole tree."""
    return Principal("account", 0, "system", "system", (Grant("operator", 0, "/", frozenset()),))


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)


async def _grant(session: AsyncSession, role: Role, unit: OrgUnit) -> Grant:
    if unit.level in ABOVE_COUNTY:
        found = await session.scalars(
            select(OrgUnit.county).where(OrgUnit.level == "county", OrgUnit.path.startswith(unit.path, autoescape=True))
        )
        return Grant(role, unit.id, unit.path, frozenset(county for county in found if county))
    counties = frozenset({unit.county}) if unit.county else frozenset()
    if unit.level == "county":
        return Grant(role, unit.id, unit.path, counties)
    schools = await session.scalars(
        select(OrgUnit.school_code).where(OrgUnit.path.startswith(unit.path, autoescape=True))
    )
    return Grant(role, unit.id, unit.path, counties, frozenset(school for school in schools if school))
