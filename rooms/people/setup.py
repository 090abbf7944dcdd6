"""The first day of a server: an operator of the whole tree, who makes everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from rooms.audit.log import locked_head
from rooms.clock import Clock
from rooms.organisation import NATION
from rooms.people.accounts import FirstPassword, NewAccount, RoleAt, create_account
from rooms.people.links import make_link
from rooms.people.principals import system_principal
from rooms.refusals import Conflict
from rooms.store import SYSTEM, Store
from rooms.tables import Account, OrgUnit

LINK_LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FirstOperator:
    """What is printed once: the link's token, and the first password, which has to be changed."""

    token: str
    first: FirstPassword


async def first_operator(store: Store, clock: Clock, settings: Settings, name: str) -> FirstOperator | None:
    """Makes the first operator where there is no account yet; None where there is one, or another server makes it now."""
    async with store.write() as session:
        await locked_head(session)  # two servers may have their first start at the same time
        if await session.scalar(select(func.count()).select_from(Account)):
            return None
        root = await root_unit(session)
    new = NewAccount("operator", name, (RoleAt("operator", root.id),))
    try:
        first = await create_account(store, clock, system_principal(), SYSTEM, new)
    except (Conflict, IntegrityError):
        return None
    token = await make_link(store, clock, settings, SYSTEM, account_id=first.account_id, lasts=LINK_LASTS)
    return FirstOperator(token, first)


async def root_unit(session: AsyncSession) -> OrgUnit:
    """The root of the tree, made where nothing was imported yet."""
    root = await session.scalar(
        select(OrgUnit).where(OrgUnit.level == "nation", OrgUnit.name == NATION).order_by(OrgUnit.id)
    )
    if root is None:
        root = OrgUnit(level="nation", name=NATION, path="")
        session.add(root)
        await session.flush()
        root.path = f"/{root.id}/"
    return root
