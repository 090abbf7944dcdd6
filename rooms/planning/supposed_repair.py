"""A what-if by repair: the standing plan mended for a supposed county, in about a second."""

from __future__ import annotations

from rooms.clock import Clock
from rooms.planning.apart import apart
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.hypothesis import Hypothesis, to_json
from rooms.planning.meeting_locks import with_locks
from rooms.planning.repairs import GRACE_SECONDS, SOLVE_SECONDS, behind
from rooms.planning.versions import load_plan, load_version, save_plan
from rooms.planning.what_if import supposed_county
from rooms.store import Actor, Store
from rooms.tables import County, PlanVersion
from scheduler.problem import Plan, Problem
from scheduler.repair import follow_bells


async def repair_supposed(
    store: Store, actor: Actor, clock: Clock, county: str, hypothesis: Hypothesis, base_id: int
) -> PlanVersion:
    """Mends a version for the county as it is supposed, with the fewest moved meetings, and keeps the plan as a what-if.

    Refusals: unknown version, those of `supposed_county`, `Unavailable` ``took_too_long``.
    """
    async with store.read() as session:
        version = await load_version(session, base_id)
        standing, stale = await load_plan(session, base_id), await behind(session, version)
        now = await load_county_in_force(session, county)
        revision = (await session.get_one(County, county)).revision
        before, after = await with_locks(session, now), await with_locks(session, supposed_county(now, hypothesis))
    plan = await apart(2 * SOLVE_SECONDS + GRACE_SECONDS, _mended, before, after, standing, stale)
    async with store.write() as session:
        return await save_plan(
            session, actor, after, plan, revision=revision, at=clock.now(), previous_id=base_id, origin="repair",
            hypothesis=to_json(hypothesis),
        )  # fmt: skip


def _mended(before: Problem, after: Problem, standing: Plan, stale: bool) -> Plan:
    """The work of the process. `stale`: the plan is of an earlier county, whose bound says nothing of this one."""
    from scheduler.repair.mend import repair  # the solver's library is loaded in this process alone

    carried = follow_bells(standing, before, after) if before.schools != after.schools else standing
    return repair(after, carried, before=None if stale else before, seconds=SOLVE_SECONDS).plan
