"""Planning runs of the server: each in a process of its own, one at a time for a county, stored as a plan version at the end.

The row in ``plan_runs`` says what is going on to whoever asks; the bus topic ``plan:<run>`` hints at news. A run belongs to the
server that started it: `PlanRuns.recover` marks what a dead server left behind as failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, update

from config.settings import Settings
from rooms.audit import append
from rooms.bus import Bus
from rooms.clock import Clock
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.files import lessons
from rooms.planning.problem import problem_of
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Conflict, Invalid, NotFound, Refusal
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import County as CountyRow
from rooms.tables import PlanRun
from scheduler.outcome import Ended, Limits, Outcome, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.process import Run

log = structlog.get_logger()

ACTIVE = ("queued", "running", "stopping")
LONGEST = 3600
"""Seconds that one run may ask for."""
LOOK = 0.25
"""Seconds one look at the process takes at most."""
WRITE_EVERY = 1.0
"""Seconds between two updates of the row."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. Lessons a week, weighted by priority where the name says so."""

    id: int
    county: str
    state: str
    """queued, running, stopping, done or failed"""
    seed: int
    time_limit: int
    started_at: datetime
    ended_at: datetime | None
    by: str
    progress: Mapping[str, Any]
    """phase, seconds, served_weighted, bound, needed_weighted, steps; empty before the first news"""
    plan_id: int | None
    problem_code: str | None
    """Why it failed: a code of the ``plan`` or ``refusal`` catalogue, with its domain."""
    problem_facts: Mapping[str, Any]


@dataclass(slots=True)
class _Live:
    """A run that this server works on."""

    task: asyncio.Task[None]
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class PlanRuns:
    """Starts, watches, stops and stores planning runs. Owns their tasks and processes."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, bus: Bus) -> None:
        self._store, self._clock, self._settings, self._bus = store, clock, settings, bus
        self._live: dict[int, _Live] = {}

    async def recover(self) -> int:
        """Marks runs that a dead server left unfinished as failed; returns how many. Call it once, before the first start."""
        async with self._store.write() as session:
            left = list(await session.scalars(select(PlanRun).where(PlanRun.state.in_(ACTIVE))))
            for row in left:
                row.state, row.ended_at = "failed", self._clock.now()
                row.problem_code, row.problem_facts = "plan.ended_restart", {}
                await append(
                    session, SYSTEM, "plan.run.lost", f"plan_run:{row.id}", county=row.county, at=self._clock.now()
                )
            return len(left)

    async def start(
        self, actor: Actor, county: str, *, seconds: int, seed: int = 1, previous_id: int | None = None
    ) -> int:
        """Begins a run and returns its id. Refusals: county unknown, ``plan_run_active``, ``plan_seconds_range``."""
        if not 2 <= seconds <= LONGEST:
            raise Invalid("plan_seconds_range", least=2, most=LONGEST)
        async with self._store.write() as session:
            row = await session.get(CountyRow, county)
            if row is None:
                raise NotFound
            busy = await session.scalar(
                select(PlanRun.id).where(PlanRun.county == county, PlanRun.state.in_(ACTIVE)).limit(1)
            )
            if busy is not None:
                raise Conflict("plan_run_active", run=busy)
            run = PlanRun(
                county=county,
                county_revision=row.revision,
                state="running",
                seed=seed,
                time_limit=seconds,
                started_at=self._clock.now(),
                ended_at=None,
                by=actor.name,
                progress={},
                plan_id=None,
                problem_code=None,
                problem_facts={},
            )
            session.add(run)
            await session.flush()
            facts = {"seconds": seconds, "seed": seed, "previous": previous_id}
            await append(
                session, actor, "plan.run", f"plan_run:{run.id}", county=county, at=self._clock.now(), facts=facts
            )
            run_id, revision = run.id, run.county_revision
        task = asyncio.create_task(
            self._work(run_id, actor, county, revision, seconds, seed, previous_id), name=f"plan run {run_id}"
        )
        self._live[run_id] = _Live(task)
        task.add_done_callback(lambda _: self._live.pop(run_id, None))
        return run_id

    async def stop(self, actor: Actor, run_id: int) -> None:
        """Asks a run to end with its best plan so far. Stopping what is over changes nothing. Refusals: unknown run."""
        async with self._store.write() as session:
            row = await session.get(PlanRun, run_id)
            if row is None:
                raise NotFound
            if row.state not in ("queued", "running"):
                return
            row.state = "stopping"
            await append(session, actor, "plan.run.stop", f"plan_run:{run_id}", county=row.county, at=self._clock.now())
        live = self._live.get(run_id)
        if live is not None:
            live.stop.set()

    async def run(self, run_id: int) -> RunView:
        """The run as it stands. Refusals: unknown run."""
        async with self._store.read() as session:
            row = await session.get(PlanRun, run_id)
            if row is None:
                raise NotFound
            return _view(row)

    async def latest(self, county: str, limit: int = 20) -> list[RunView]:
        """The county's runs, newest first."""
        async with self._store.read() as session:
            rows = await session.scalars(
                select(PlanRun).where(PlanRun.county == county).order_by(PlanRun.id.desc()).limit(limit)
            )
            return [_view(row) for row in rows]

    async def close(self) -> None:
        """Ends every run of this server; their rows say so."""
        tasks = [live.task for live in self._live.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------ the work

    async def _work(
        self, run_id: int, actor: Actor, county: str, revision: int, seconds: int, seed: int, previous_id: int | None
    ) -> None:
        """The task of one run: from the county's rows to a stored version, or to a reason."""
        try:
            problem, previous = await self._load(county, previous_id)
            limits = Limits(
                seconds=float(seconds),
                seed=seed,
                workers=self._settings.plan_workers,
                memory_mb=self._settings.plan_memory_mb,
            )
            outcome = await self._watch(run_id, problem, limits, previous)
            await self._store_outcome(run_id, actor, problem, outcome, revision, previous_id)
        except asyncio.CancelledError:
            await self._fail(run_id, "plan.ended_restart", {})
            raise
        except Refusal as refusal:
            await self._fail(run_id, f"refusal.{refusal.code}", refusal.facts)
        except Exception:
            # The task is the last who could know: whatever broke, the row must not stay "running" for ever.
            log.exception("plan_run_broke", run=run_id)
            await self._fail(run_id, "plan.ended_died", {})
        await self._bus.publish(f"plan:{run_id}", {"kind": "plan.run", "run": run_id})

    async def _load(self, code: str, previous_id: int | None) -> tuple[Problem, Plan | None]:
        async with self._store.read() as session:
            county = await load_county_in_force(session, code)
            previous = None if previous_id is None else await load_plan(session, previous_id)
        return await asyncio.to_thread(problem_of, county), previous

    async def _watch(self, run_id: int, problem: Problem, limits: Limits, previous: Plan | None) -> Outcome:
        needed = sum(need.halves * need.priority for need in problem.needs)
        run = await asyncio.to_thread(Run, problem, limits, previous)
        try:
            written, asked = self._clock.monotonic(), False
            while run.outcome is None:
                live = self._live.get(run_id)
                if live is not None and live.stop.is_set() and not asked:
                    asked = True
                    run.stop()
                news = await asyncio.to_thread(run.poll, LOOK)
                if news and self._clock.monotonic() - written > WRITE_EVERY:
                    written = self._clock.monotonic()
                    await self._tell(run_id, news[-1], needed)
            return run.outcome
        finally:
            await asyncio.shield(asyncio.to_thread(run.close))

    async def _tell(self, run_id: int, progress: Progress, needed: int) -> None:
        facts = {
            "phase": progress.phase,
            "seconds": round(progress.seconds, 1),
            "served_weighted": None if progress.served_weighted is None else lessons(progress.served_weighted),
            "bound": None if progress.bound_weighted is None else lessons(progress.bound_weighted),
            "needed_weighted": lessons(needed),
            "steps": progress.step,
        }
        async with self._store.write() as session:
            await session.execute(update(PlanRun).where(PlanRun.id == run_id).values(progress=facts))
        await self._bus.publish(f"plan:{run_id}", {"kind": "plan.run", "run": run_id, **facts})

    async def _store_outcome(
        self,
        run_id: int,
        actor: Actor,
        problem: Problem,
        outcome: Outcome,
        revision: int,
        previous_id: int | None,
    ) -> None:
        match outcome:
            case Ended(reason, facts):
                await self._fail(run_id, f"plan.ended_{reason}", facts)
            case Solved(plan):
                async with self._store.write() as session:
                    version = await save_plan(
                        session, actor, problem, plan, revision=revision, at=self._clock.now(), previous_id=previous_id
                    )
                    row = await session.get_one(PlanRun, run_id)
                    row.state, row.ended_at, row.plan_id = "done", self._clock.now(), version.id
                    row.progress = {
                        **row.progress,
                        "phase": "done",
                        "seconds": round(plan.seconds, 1),
                        "served_weighted": lessons(plan.served_weighted),
                        "needed_weighted": lessons(plan.needed_weighted),
                        "bound": lessons(plan.bound_weighted),
                    }

    async def _fail(self, run_id: int, code: str, facts: Mapping[str, object]) -> None:
        async with self._store.write() as session:
            row = await session.get_one(PlanRun, run_id)
            row.state, row.ended_at = "failed", self._clock.now()
            row.problem_code, row.problem_facts = code, dict(facts)


def _view(row: PlanRun) -> RunView:
    return RunView(
        id=row.id,
        county=row.county,
        state=row.state,
        seed=row.seed,
        time_limit=row.time_limit,
        started_at=row.started_at,
        ended_at=row.ended_at,
        by=row.by,
        progress=row.progress,
        plan_id=row.plan_id,
        problem_code=row.problem_code,
        problem_facts=row.problem_facts,
    )
