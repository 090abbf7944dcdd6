"""Planning runs as people ask for them: start, look, stop. `rooms.planning.jobs` does the work, here or on another machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.attempt import LONGEST
from rooms.planning.lease import ACTIVE
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import County as CountyRow
from rooms.tables import PlanRun, PlanVersion


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is asked to do."""

    seconds: int
    seed: int = 1
    deterministic: bool = False
    """Counted steps in place of seconds: the same plan twice."""
    previous_id: int | None = None
    """The version to build on."""
    hypothesis: list[dict[str, Any]] | None = None
    """What-if: what is supposed of the county (`rooms.planning.hypothesis`, as JSON)."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. Lessons a week, weighted by priority where the name says so."""

    id: int
    county: str
    state: str
    """queued, running, stopping, done or failed"""
    seed: int
    time_limit: int
    deterministic: bool
    started_at: datetime
    """When it was asked for."""
    began_at: datetime | None
    """When a worker took it up, for the last time."""
    ended_at: datetime | None
    by: str
    owner: str | None
    """The worker that has it, or had it last."""
    attempt: int
    progress: Mapping[str, Any]
    """phase, seconds, served_weighted, bound, needed_weighted, steps; empty before the first news"""
    plan_id: int | None
    problem_code: str | None
    """Why it failed or was cut short: a code of the ``plan`` or ``refusal`` catalogue, with its domain."""
    problem_facts: Mapping[str, Any]
    hypothesis: list[dict[str, Any]] | None
    """What it supposes of the county (`rooms.planning.hypothesis`, as JSON); None where it plans the county as it is."""


class PlanRuns:
    """Starts, watches and stops planning runs. `kick` puts a run into the workers' queue."""

    def __init__(self, store: Store, clock: Clock, kick: Callable[[int], Awaitable[None]]) -> None:
        self._store, self._clock, self._kick = store, clock, kick

    async def start(self, actor: Actor, county: str, wish: Wish) -> int:
        """Begins a run and returns its id. Refusals: county unknown, ``plan_run_active``, ``plan_seconds_range``."""
        _check(wish)
        async with self._store.write() as session:
            busy = await self._active(session, county)
            if busy is not None:
                raise Conflict("plan_run_active", run=busy)
            run = await self._queue(session, actor, county, wish)
        await self._kick(run)
        return run

    async def start_each(self, actor: Actor, counties: Iterable[str], wish: Wish) -> dict[str, int]:
        """Begins a run of every county that is not planned already, each on the version it teaches by; county → run.

        Refusals as `start`, without ``plan_run_active``.
        """
        _check(wish)
        runs: dict[str, int] = {}
        async with self._store.write() as session:
            for county in sorted(set(counties)):
                if await self._active(session, county) is None:
                    standing = await session.scalar(
                        select(func.max(PlanVersion.id)).where(
                            PlanVersion.county == county, PlanVersion.state == "published"
                        )
                    )
                    runs[county] = await self._queue(session, actor, county, replace(wish, previous_id=standing))
        for run in runs.values():
            await self._kick(run)
        return runs

    async def _active(self, session: AsyncSession, county: str) -> int | None:
        """The county's unfinished run. The county's row is locked: two who start at once do so one after the other."""
        if await session.get(CountyRow, county, with_for_update=True) is None:
            raise NotFound
        return await session.scalar(
            select(PlanRun.id).where(PlanRun.county == county, PlanRun.state.in_(ACTIVE)).limit(1)
        )

    async def _queue(self, session: AsyncSession, actor: Actor, county: str, wish: Wish) -> int:
        row = await session.get_one(CountyRow, county)
        run = PlanRun(
            county=county,
            county_revision=row.revision,
            state="queued",
            seed=wish.seed,
            time_limit=wish.seconds,
            deterministic=wish.deterministic,
            previous_id=wish.previous_id,
            hypothesis=wish.hypothesis,
            started_at=self._clock.now(),
            by=actor.name,
            by_role=actor.role,
            progress={},
            problem_facts={},
        )
        session.add(run)
        await session.flush()
        facts = {"seconds": wish.seconds, "seed": wish.seed, "previous": wish.previous_id}
        if wish.deterministic:
            facts["deterministic"] = True
        if wish.hypothesis is not None:
            facts["suppositions"] = len(wish.hypothesis)
        await append(session, actor, "plan.run", f"plan_run:{run.id}", county=county, at=self._clock.now(), facts=facts)
        return run.id

    async def stop(self, actor: Actor, run_id: int) -> None:
        """Asks a run to end with its best plan so far; one that waits for its first worker ends at once.

        Stopping what is over changes nothing. Refusals: unknown run.
        """
        async with self._store.write() as session:
            row = await session.get(PlanRun, run_id, with_for_update=True)
            if row is None:
                raise NotFound
            if row.state not in ("queued", "running"):
                return
            row.state = "stopping"
            free = row.owner is None
            if free and await session.scalar(select(PlanRun.best.is_(None)).where(PlanRun.id == run_id)):
                row.state, row.ended_at = "failed", self._clock.now()
                row.problem_code = "plan.ended_stopped"
            await append(session, actor, "plan.run.stop", f"plan_run:{run_id}", county=row.county, at=self._clock.now())
        if free:
            await self._kick(run_id)

    async def run(self, run_id: int) -> RunView:
        """The run as it stands. Refusals: unknown run."""
        async with self._store.read() as session:
            row = await session.get(PlanRun, run_id)
            if row is None:
                raise NotFound
            return view_of(row)


def _check(wish: Wish) -> None:
    if not 2 <= wish.seconds <= LONGEST:
        raise Invalid("plan_seconds_range", least=2, most=LONGEST)


def view_of(row: PlanRun) -> RunView:
    """The run of a row."""
    return RunView(
        id=row.id,
        county=row.county,
        state=row.state,
        seed=row.seed,
        time_limit=row.time_limit,
        deterministic=row.deterministic,
        started_at=row.started_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        by=row.by,
        owner=row.owner,
        attempt=row.attempt,
        progress=row.progress,
        plan_id=row.plan_id,
        problem_code=row.problem_code,
        problem_facts=row.problem_facts,
        hypothesis=row.hypothesis,
    )
