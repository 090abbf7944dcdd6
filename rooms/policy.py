"""The county's policy as planners change it: values set here hold over those of the files, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables as t
from rooms.audit import append
from rooms.clock import Clock
from rooms.county import POLICY_KEYS, policy_range
from rooms.refusals import Invalid, NotFound
from rooms.store import Actor, Store
from scheduler.problem import Policy

DEFAULTS: Mapping[str, int] = {column.name: int(column.default) for column in fields(Policy)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One key: its default, what the file says, what was set here, by whom and when."""

    key: str
    default: int
    file: int | None
    here: int | None
    by: str = ""
    at: datetime | None = None

    @property
    def below(self) -> int:
        """What holds where nothing is set here."""
        return self.default if self.file is None else self.file

    @property
    def value(self) -> int:
        """What holds."""
        return self.below if self.here is None else self.here


async def policy_lines(session: AsyncSession, county: str) -> list[PolicyLine]:
    """Every key of the policy, in order."""
    values = await session.scalars(select(t.PolicyValue).where(t.PolicyValue.county == county))
    file = {row.key: int(row.value) for row in values}
    here = await session.scalars(select(t.PolicyOverride).where(t.PolicyOverride.county == county))
    set_here = {row.key: row for row in here}
    found = []
    for key in POLICY_KEYS:
        row = set_here.get(key)
        told = (row.value, row.by, row.at) if row is not None else (None, "", None)
        found.append(PolicyLine(key, DEFAULTS[key], file.get(key), *told))
    return found


async def set_policy(store: Store, actor: Actor, clock: Clock, county: str, wanted: Mapping[str, int]) -> int:
    """`hold_policy` in a transaction of its own."""
    async with store.write() as session:
        return await hold_policy(session, actor, county, wanted, at=clock.now())


async def hold_policy(
    session: AsyncSession, actor: Actor, county: str, wanted: Mapping[str, int], *, at: datetime
) -> int:
    """Makes these values hold; what the file (or the default) says anyway is not kept here. Returns how many values changed.

    A change is a new revision of the county, so that plans made before show as out of date. Raises `Invalid`
    ``policy_unknown`` or ``policy_range``.
    """
    for key, value in wanted.items():
        if key not in POLICY_KEYS:
            raise Invalid("policy_unknown", key=key)
        least, most = policy_range(key)
        if not least <= value <= most:
            raise Invalid("policy_range", key=key, least=least, most=most)
    header = await session.get(t.County, county, with_for_update=True)
    if header is None:
        raise NotFound("county_not_found", county=county)
    lines = {line.key: line for line in await policy_lines(session, county)}
    changes = {key: value for key, value in wanted.items() if lines[key].value != value}
    if changes:
        table = t.PolicyOverride
        await session.execute(delete(table).where(table.county == county, table.key.in_(changes)))
        session.add_all(
            table(county=county, key=key, value=value, by=actor.name, at=at)
            for key, value in changes.items()
            if value != lines[key].below
        )
        header.revision += 1
        before = {key: lines[key].value for key in changes}
        facts = {"revision": header.revision, "before": before, "after": changes}
        await append(session, actor, "policy.set", f"county:{county}", county=county, at=at, facts=facts)
    return len(changes)


async def reset_policy(store: Store, actor: Actor, clock: Clock, county: str) -> int:
    """Takes back everything that was set here: the file and the defaults hold again. Returns how many values changed."""
    async with store.read() as session:
        lines = await policy_lines(session, county)
    return await set_policy(
        store, actor, clock, county, {line.key: line.below for line in lines if line.here is not None}
    )
