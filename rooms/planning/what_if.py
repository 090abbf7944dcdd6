"""What-ifs in the store: plans of a supposed county, which change nothing until somebody adopts one on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.county import County, policy_range
from rooms.planning.circumstance_rows import load_county_in_force, record
from rooms.planning.hypothesis import Happens, Hypothesis, PolicyIs, Supposition, first_misfit, from_json, suppose
from rooms.planning.meeting_locks import with_locks
from rooms.planning.turns import take_turn
from rooms.planning.versions import load_plan
from rooms.policy import hold_policy
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import County as CountyRow
from rooms.tables import PlanMeeting, PlanPairing, PlanUnmet, PlanVersion
from scheduler.check import check


def supposed_county(county: County, hypothesis: Iterable[Supposition]) -> County:
    """The county as it would be. Raises `Invalid` with the code of `rooms.planning.hypothesis.misfit`, or ``what_if_empty``."""
    wanted = tuple(hypothesis)
    if not wanted:
        raise Invalid("what_if_empty")
    if (found := first_misfit(county, wanted)) is not None:
        each, why = found
        raise Invalid(why, **_facts(each))
    return suppose(county, wanted)


def _facts(each: Supposition) -> dict[str, object]:
    """What the sentences of all misfits have places for."""
    if isinstance(each, Happens):
        return {"code": each.what.code}
    if isinstance(each, PolicyIs):
        least, most = policy_range(each.key)
        return {"code": each.key, "least": least, "most": most}
    return {"code": getattr(each, "school", "") or getattr(each, "bell_code", "")}


async def load_supposed_county(
    session: AsyncSession, code: str, hypothesis: Iterable[Mapping[str, Any]] | None
) -> County:
    """The county in force, or as a hypothesis (as JSON) supposes it. Raises as `supposed_county`."""
    county = await load_county_in_force(session, code)
    return county if hypothesis is None else supposed_county(county, from_json(hypothesis))


async def adopt(store: Store, actor: Actor, clock: Clock, county: str, number: int) -> PlanVersion:
    """Makes a what-if's suppositions the county's own, and the what-if a draft that can be published.

    Circumstances are recorded, policy values written. Refusals: unknown version, ``what_if_not`` (it is none), ``what_if_files``
    (a room or bell table has to come with the county's files), ``what_if_outdated`` (the county has changed since, and the plan is
    no longer legal in it), and those of `supposed_county`.
    """
    async with store.write() as session:
        await take_turn(session, county)
        version = await _what_if(session, county, number)
        hypothesis = from_json(version.hypothesis or ())
        if (bound := _needs_files(hypothesis)) is not None:
            raise Conflict("what_if_files", **_facts(bound))
        before = await load_county_in_force(session, county)
        supposed_county(before, hypothesis)
        for each in hypothesis:
            if isinstance(each, Happens):
                await record(session, actor, await load_county_in_force(session, county), each.what, at=clock.now())
            elif isinstance(each, PolicyIs):
                await hold_policy(session, actor, county, {each.key: each.value}, at=clock.now())
        problem = await with_locks(session, await load_county_in_force(session, county))
        plan = await load_plan(session, version.id)
        violations = await asyncio.to_thread(check, problem, plan)
        if violations:
            raise Conflict("what_if_outdated", rule=violations[0].rule, count=len(violations))
        header = await session.get_one(CountyRow, county)
        version.state, version.county_revision = "draft", header.revision
        facts = {"number": number, "suppositions": len(hypothesis)}
        await append(session, actor, "plan.adopt", f"plan:{version.id}", county=county, at=clock.now(), facts=facts)
        return version


def adoptable(hypothesis: Hypothesis) -> bool:
    """Whether a county can be made what is supposed of it without new files."""
    return _needs_files(hypothesis) is None


def _needs_files(hypothesis: Hypothesis) -> Supposition | None:
    return next((each for each in hypothesis if not isinstance(each, Happens | PolicyIs)), None)


async def discard(store: Store, actor: Actor, clock: Clock, county: str, number: int) -> None:
    """Forgets a what-if's meetings; its number is not given again. Refusals: unknown version, ``what_if_not``."""
    async with store.write() as session:
        version = await _what_if(session, county, number)
        version.state = "discarded"
        for table in (PlanMeeting, PlanPairing, PlanUnmet):
            await session.execute(delete(table).where(table.plan_id == version.id))
        later = update(PlanVersion).where(PlanVersion.previous_id == version.id)
        await session.execute(later.values(previous_id=version.previous_id))
        await append(
            session,
            actor,
            "plan.discard",
            f"plan:{version.id}",
            county=county,
            at=clock.now(),
            facts={"number": number},
        )


async def _what_if(session: AsyncSession, county: str, number: int) -> PlanVersion:
    wanted = (PlanVersion.county == county, PlanVersion.number == number, PlanVersion.state != "discarded")
    version = await session.scalar(select(PlanVersion).where(*wanted).with_for_update())
    if version is None:
        raise NotFound
    if version.state != "what_if":
        raise Conflict("what_if_not", number=number)
    return version
