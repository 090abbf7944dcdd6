"""The people of the made-up county: one account for each desk, a device and an assistant for each classroom of a due lesson."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from config.settings import Settings
from rooms.clock import Clock
from rooms.demo.past import DEMO
from rooms.demo.today import DueClass, DueLesson
from rooms.people.accounts import NewAccount, RoleAt, create_account
from rooms.people.assistants import create_assistant
from rooms.people.devices import create_device
from rooms.people.links import make_link
from rooms.people.permissions import Role
from rooms.people.principals import account_principal, system_principal
from rooms.people.scope import Principal
from rooms.store import Store
from rooms.tables import Account, Assistant, County, Device, OrgUnit, Teacher

PIN = "2580"
"""The PIN of every assistant of the demonstration."""
PASSWORD = "Qingxi-demo-2026"  # noqa: S105 - it is printed for everybody; the server is on this machine alone
LINK_LASTS = timedelta(days=7)
DESKS: dict[Role, tuple[str, str]] = {
    "planner": ("planner", "王规划"),
    "auditor": ("auditor", "李督导"),
    "operator": ("operator", "赵运维"),
}
"""Role → login and name; the names say what the person does."""


async def desk_link(store: Store, clock: Clock, settings: Settings, county: str, role: Role) -> str:
    """A reusable link's token for the account of a desk; the account is made where it is missing."""
    login, name = DESKS[role]
    async with store.read() as session:
        known = await session.scalar(select(Account.id).where(Account.login == login))
        node = (await session.get_one(County, county)).org_id
        nation = await session.scalar(select(OrgUnit.id).where(OrgUnit.level == "nation").order_by(OrgUnit.id))
    if known is None:
        place = nation if role == "operator" and nation else node
        known = await _account(store, clock, NewAccount(login, name, (RoleAt(role, place),)))
    return await make_link(store, clock, settings, DEMO, account_id=known, lasts=LINK_LASTS, reusable=True)


async def teacher_link(store: Store, clock: Clock, settings: Settings, county: str, teacher: str) -> str:
    """A reusable link's token for a lead teacher."""
    login = f"teacher-{teacher.lower()}"
    async with store.read() as session:
        known = await session.scalar(select(Account.id).where(Account.login == login))
        row = await session.get_one(Teacher, (county, teacher))
        node = await session.scalar(
            select(OrgUnit.id).where(OrgUnit.county == county, OrgUnit.school_code == row.school_code)
        )
        name = row.name
    assert node is not None, "every school has a node"
    if known is None:
        new = NewAccount(login, name, (RoleAt("lead_teacher", node),), teacher=(county, teacher))
        known = await _account(store, clock, new)
    return await make_link(store, clock, settings, DEMO, account_id=known, lasts=LINK_LASTS, reusable=True)


async def _account(store: Store, clock: Clock, new: NewAccount) -> int:
    made = await create_account(store, clock, system_principal(), DEMO, new, password=PASSWORD)
    return made.account_id


async def classroom_links(store: Store, clock: Clock, settings: Settings, county: str, lesson: DueLesson) -> list[str]:
    """A reusable link's token for the device of each receiving room of the lesson, in the order of its classes."""
    async with store.read() as session:
        operator = await account_principal(session, (await session.scalars(_OPERATOR)).one())
    tokens = []
    for group in lesson.classes:
        device = await _device(store, clock, operator, county, group)
        await _assistant(store, clock, operator, county, group.school_code)
        tokens.append(await make_link(store, clock, settings, DEMO, device_id=device, lasts=LINK_LASTS, reusable=True))
    return tokens


_OPERATOR = select(Account).where(Account.login == DESKS["operator"][0])


async def _device(store: Store, clock: Clock, by: Principal, county: str, group: DueClass) -> int:
    school, room = group.school_code, group.room_code
    async with store.read() as session:
        known = await session.scalar(
            select(Device.id).where(Device.county == county, Device.room_code == room, Device.revoked_at.is_(None))
        )
    if known is not None:
        return known
    made = await create_device(store, clock, by, DEMO, county, school, room, f"{room} 大屏")
    return made.device_id


async def _assistant(store: Store, clock: Clock, by: Principal, county: str, school: str) -> None:
    """An assistant of the school, named after one of its teachers."""
    async with store.read() as session:
        known = await session.scalar(
            select(Assistant.id).where(Assistant.county == county, Assistant.school_code == school)
        )
        name = await session.scalar(
            select(Teacher.name).where(Teacher.county == county, Teacher.school_code == school).order_by(Teacher.code)
        )
    if known is None:
        await create_assistant(store, clock, by, DEMO, county, school, name or "辅助教师", PIN)
