"""What an operator sees: accounts, units of the tree, devices and assistants within the operator's own subtree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.people.permissions import Permission
from rooms.people.scope import Principal
from rooms.tables import Account, AccountRole, Assistant, Device, OrgUnit, School, Session, Teacher

State = Literal["active", "first_password", "locked", "disabled", "expired"]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role and where it is held."""

    role: str
    org_id: int
    unit: str
    level: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as listed. `whole` says whether every role lies within the viewer's subtree, so that it may be changed."""

    id: int
    login: str
    name: str
    roles: tuple[HeldRole, ...]
    state: State
    teacher: tuple[str, str] | None
    """County and code of the teacher it belongs to; a code alone may be another's in another county."""
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    whole: bool


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A node of the tree to choose; `depth` counts from the viewer's own node."""

    id: int
    name: str
    level: str
    path: str
    depth: int
    county: str | None
    school_code: str | None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A classroom's device as listed."""

    id: int
    county: str
    school_code: str
    school: str
    room_code: str | None
    name: str
    state: Literal["waiting", "enrolled", "revoked", "lapsed"]
    enrolled_at: datetime | None
    enrol_expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssistantRow:
    """An assistant as listed, to the operator and (by name alone) to the devices of the school."""

    id: int
    county: str
    school_code: str
    school: str
    name: str
    state: Literal["active", "locked", "disabled"]


async def list_accounts(session: AsyncSession, by: Principal, now: datetime) -> list[AccountRow]:
    """Accounts that hold a role within the viewer's subtree, by login."""
    held: dict[int, list[tuple[HeldRole, str]]] = {}
    rows = await session.execute(
        select(AccountRole, OrgUnit).join(OrgUnit, OrgUnit.id == AccountRole.org_id).order_by(AccountRole.role)
    )
    for role, unit in rows.all():
        row = HeldRole(role.role, unit.id, unit.name, unit.level)
        held.setdefault(role.account_id, []).append((row, unit.path))
    seen = {
        account: places for account, places in held.items() if any(by.may_at("people.read", path) for _, path in places)
    }
    used = await _last_used(session, "account")
    accounts = await session.scalars(select(Account).order_by(Account.login))
    return [
        AccountRow(
            id=each.id,
            login=each.login,
            name=each.name,
            roles=tuple(role for role, path in seen[each.id] if by.may_at("people.read", path)),
            state=_account_state(each, now),
            teacher=(each.teacher_county, each.teacher_code) if each.teacher_county and each.teacher_code else None,
            created_at=each.created_at,
            expires_at=each.expires_at,
            last_used_at=used.get(each.id),
            whole=all(by.may_at("people.change", path) for _, path in seen[each.id]) and each.id != by.id,
        )
        for each in accounts
        if each.id in seen
    ]


def _account_state(account: Account, now: datetime) -> State:
    if account.disabled_at is not None:
        return "disabled"
    if account.expires_at is not None and account.expires_at <= now:
        return "expired"
    if account.locked_at is not None:
        return "locked"
    return "first_password" if account.must_change_password else "active"


async def _last_used(session: AsyncSession, kind: Literal["account", "device"]) -> dict[int, datetime]:
    whose = Session.account_id if kind == "account" else Session.device_id
    rows = await session.execute(select(whose, func.max(Session.used_at)).where(whose.is_not(None)).group_by(whose))
    return {whom: at for whom, at in rows.all() if whom is not None}


async def list_units(session: AsyncSession, by: Principal, permission: Permission = "people.change") -> list[UnitRow]:
    """The nodes of the tree where the viewer holds the permission, parents before children."""
    units = (await session.scalars(select(OrgUnit))).all()
    within = [unit for unit in units if by.may_at(permission, unit.path)]
    top = min((unit.path.count("/") for unit in within), default=0)
    keys = {unit.id: unit.school_code or unit.name for unit in within}

    def order(unit: OrgUnit) -> list[str]:
        return [keys.get(int(part), "") for part in unit.path.strip("/").split("/")]

    return [
        UnitRow(unit.id, unit.name, unit.level, unit.path, unit.path.count("/") - top, unit.county, unit.school_code)
        for unit in sorted(within, key=order)
    ]


async def list_devices(session: AsyncSession, by: Principal, now: datetime) -> list[DeviceRow]:
    """Devices of the schools where the viewer keeps people, by school and name."""
    names = await school_names(session)
    used = await _last_used(session, "device")
    devices = await session.scalars(select(Device).order_by(Device.county, Device.school_code, Device.name))
    return [
        DeviceRow(
            id=each.id,
            county=each.county,
            school_code=each.school_code,
            school=names.get((each.county, each.school_code), each.school_code),
            room_code=each.room_code,
            name=each.name,
            state=_device_state(each, now),
            enrolled_at=each.enrolled_at,
            enrol_expires_at=each.enrol_expires_at,
            last_used_at=used.get(each.id),
        )
        for each in devices
        if by.may("people.read", county=each.county, school=each.school_code) or by.may_at("people.read", "/")
    ]


def _device_state(device: Device, now: datetime) -> Literal["waiting", "enrolled", "revoked", "lapsed"]:
    if device.revoked_at is not None:
        return "revoked"
    if device.enrolled_at is not None:
        return "enrolled"
    lapsed = device.enrol_expires_at is not None and device.enrol_expires_at <= now
    return "lapsed" if lapsed else "waiting"


async def list_assistants(session: AsyncSession, by: Principal, now: datetime) -> list[AssistantRow]:
    """Assistants of the schools where the viewer keeps people, by school and name."""
    names = await school_names(session)
    found = await session.scalars(select(Assistant).order_by(Assistant.county, Assistant.school_code, Assistant.name))
    return [
        assistant_row(each, names, now)
        for each in found
        if by.may("people.read", county=each.county, school=each.school_code)
    ]


async def assistants_of(session: AsyncSession, county: str, school: str, now: datetime) -> list[AssistantRow]:
    """Assistants in use at a school, by name: what its classroom device offers to choose from."""
    names = await school_names(session, county)
    found = await session.scalars(
        select(Assistant)
        .where(Assistant.county == county, Assistant.school_code == school, Assistant.disabled_at.is_(None))
        .order_by(Assistant.name, Assistant.id)
    )
    return [assistant_row(each, names, now) for each in found]


def assistant_row(assistant: Assistant, names: dict[tuple[str, str], str], now: datetime) -> AssistantRow:
    """An assistant with the school's name."""
    state: Literal["active", "locked", "disabled"] = "active"
    if assistant.disabled_at is not None:
        state = "disabled"
    elif assistant.locked_until is not None and assistant.locked_until > now:
        state = "locked"
    school = names.get((assistant.county, assistant.school_code), assistant.school_code)
    return AssistantRow(assistant.id, assistant.county, assistant.school_code, school, assistant.name, state)


async def school_names(session: AsyncSession, county: str | None = None) -> dict[tuple[str, str], str]:
    """Names of schools by county and code."""
    chosen = select(School.county, School.code, School.name)
    rows = await session.execute(chosen if county is None else chosen.where(School.county == county))
    return {(row.county, row.code): row.name for row in rows.all()}


async def list_teachers(session: AsyncSession, by: Principal) -> list[tuple[str, str, str, str]]:
    """County, code, name and school code of the teachers for whom the viewer may make accounts."""
    rows = await session.scalars(
        select(Teacher).where(Teacher.retired.is_(False)).order_by(Teacher.county, Teacher.school_code, Teacher.name)
    )
    return [
        (each.county, each.code, each.name, each.school_code)
        for each in rows
        if by.may("people.change", county=each.county, school=each.school_code)
    ]
