"""One worker's attempt at one planning run: from the county's rows to a stored version, to a reason, or back into the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from rooms.clock import Clock
from rooms.planning.files import lessons
from rooms.planning.kept import Kept, packed, plan_of_kept, unpacked
from rooms.planning.lease import Job, beat, give_back, still_held
from rooms.planning.meeting_locks import with_locks
from rooms.planning.versions import load_plan, save_plan
from rooms.planning.what_if import load_supposed_county
from rooms.refusals import NotFound, Refusal
from rooms.store import Store
from rooms.tables import County as CountyRow
from scheduler.check import check
from scheduler.outcome import Ended, Limits, Outcome, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.process import Run

log = structlog.get_logger()

LONGEST = 3600
"""Seconds that one run may ask for; what counts steps in place of seconds may take them all."""
ATTEMPTS = 3
"""How often a run is begun in all where workers or solvers die; after that the best plan of any attempt is stored, or the run failed."""
LOOK = 0.25
"""Seconds one look at the process takes at most."""
BEAT = 1.0
"""Seconds between two signs of life, each with the latest figures."""
KEEP_EVERY = 10.0
"""Seconds between two best plans written into the row: what a dead worker may cost."""

Result = Literal["over", "again", "lost"]
"""The run is over; it waits for another attempt; it is another worker's by now."""


class Attempt:
    """Works on a job that was claimed. Owns a child process and a heart-beating task, both from `run` to its end."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, job: Job) -> None:
        self._store, self._clock, self._settings, self._job = store, clock, settings, job
        self._stop, self._lost = asyncio.Event(), asyncio.Event()
        self._progress: dict[str, Any] = {"phase": "read"}
        self._left = unpacked(job.best)
        """The best plan of the attempts before."""
        self._best = self._written = self._left
        """The best plan of all attempts, and what of it stands in the row."""
        self._written_at = clock.monotonic()

    async def run(self) -> Result:
        """Works until the run is over or lost. Cancelled, it gives the run back: another worker goes on."""
        beating = asyncio.create_task(self._live(), name=f"plan run {self._job.run} lives")
        try:
            return await self._work()
        except asyncio.CancelledError:
            await self._give_back(counted=False)
            raise
        except Refusal as refusal:
            return await self._fail(f"refusal.{refusal.code}", refusal.facts)
        except Exception:
            # Whatever broke, the row must not stay "running": where even this cannot be written, the lease runs out.
            log.exception("plan_run_broke", run=self._job.run)
            return await self._fail("plan.ended_broke", {})
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    # ------------------------------------------------------------ signs of life

    async def _live(self) -> None:
        heard = self._clock.monotonic()
        while not self._lost.is_set():
            await asyncio.sleep(BEAT)
            state: str | None = None
            fresh = self._best if self._clock.monotonic() - self._written_at > KEEP_EVERY else self._written
            news: dict[str, Any] = {"progress": self._progress}
            if fresh is not None and fresh is not self._written:
                news["best"] = packed(fresh)
            try:
                async with self._store.write() as session:
                    state = await beat(session, self._job, news)
            except (SQLAlchemyError, OSError) as error:
                log.warning("plan_beat_missed", run=self._job.run, error=type(error).__name__)
                if self._clock.monotonic() - heard < self._settings.plan_lease_seconds:
                    continue
            else:
                heard = self._clock.monotonic()
                if "best" in news:
                    self._written, self._written_at = fresh, heard
            if state is None:
                self._lost.set()
            elif state == "stopping":
                self._stop.set()

    def _hear(self, progress: Progress, problem: Problem, meetings: Kept | None) -> None:
        needed = sum(need.halves * need.priority for need in problem.needs)
        if meetings is not None and (self._best is None or meetings.weighted > self._best.weighted):
            self._best = meetings
        self._progress = {
            "phase": progress.phase,
            "seconds": round(progress.seconds, 1),
            "served_weighted": None if progress.served_weighted is None else lessons(progress.served_weighted),
            "bound": None if progress.bound_weighted is None else lessons(progress.bound_weighted),
            "needed_weighted": lessons(needed),
            "steps": progress.step,
        }

    # ------------------------------------------------------------ the work

    async def _work(self) -> Result:
        job = self._job
        problem, previous, revision = await self._load()
        if job.stopping:
            outcome: Outcome | None = Ended("stopped")
        elif job.attempt > ATTEMPTS:
            outcome = Ended("died")
        else:
            outcome = await self._planned(problem, previous)
        if outcome is None:
            log.warning("plan_run_lost", run=job.run, owner=job.owner)
            return "lost"
        if _died(outcome) and job.attempt < ATTEMPTS and not self._stop.is_set():
            log.warning("plan_run_died", run=job.run, attempt=job.attempt)
            return await self._give_back(counted=True)
        return await self._conclude(problem, await asyncio.to_thread(self._better, problem, outcome), revision)

    async def _load(self) -> tuple[Problem, Plan | None, int]:
        async with self._store.read() as session:
            row = await session.get(CountyRow, self._job.county)
            if row is None:
                raise NotFound
            revision = row.revision
            county = await load_supposed_county(session, self._job.county, self._job.hypothesis)
            problem = await with_locks(session, county)
            previous = None if self._job.previous_id is None else await load_plan(session, self._job.previous_id)
        return problem, previous, revision

    def _limits(self) -> Limits:
        return Limits(
            seconds=float(LONGEST if self._job.deterministic else self._job.seconds),
            seed=self._job.seed,
            workers=self._settings.plan_workers,
            memory_mb=self._settings.plan_memory_mb,
            deterministic=self._job.deterministic,
        )

    async def _planned(self, problem: Problem, previous: Plan | None) -> Outcome | None:
        """What the child process says, however it ends; None where the run was lost meanwhile."""
        starting = asyncio.ensure_future(asyncio.to_thread(Run, problem, self._limits(), previous))
        try:
            run = await asyncio.shield(starting)
        except asyncio.CancelledError:
            (await starting).close()
            raise
        try:
            asked = False
            while run.outcome is None and not self._lost.is_set():
                if self._stop.is_set() and not asked:
                    asked = True
                    run.stop()
                for progress in await asyncio.to_thread(run.poll, LOOK):
                    self._hear(progress, problem, _kept(progress, run))
            return run.outcome
        finally:
            await asyncio.shield(asyncio.to_thread(run.close))

    def _better(self, problem: Problem, outcome: Outcome) -> Outcome:
        """The outcome, or what the worker before left where that serves more and the county still allows it."""
        if self._left is None or (isinstance(outcome, Solved) and outcome.plan.served_weighted >= self._left.weighted):
            return outcome
        left = plan_of_kept(problem, self._left, self._job.seed)
        if check(problem, left):
            return outcome
        return Solved(left, outcome if isinstance(outcome, Ended) else Ended("died"))

    async def _conclude(self, problem: Problem, outcome: Outcome, revision: int) -> Result:
        match outcome:
            case Solved(plan, cut):
                return await self._store_plan(problem, plan, cut, revision)
            case Ended("died"):
                return await self._fail("plan.ended_died", {"attempts": min(self._job.attempt, ATTEMPTS)})
            case Ended(reason, facts):
                return await self._fail(f"plan.ended_{reason}", facts)

    async def _give_back(self, *, counted: bool) -> Result:
        """Lets the run wait for another attempt, with the best plan of this one and those before."""
        best = None if self._best is None else packed(self._best)
        async with self._store.write() as session:
            return "again" if await give_back(session, self._job, best, counted=counted) else "lost"

    async def _store_plan(self, problem: Problem, plan: Plan, cut: Ended | None, revision: int) -> Result:
        """Version and row in one transaction: a run makes one version, and only while it is this worker's."""
        async with self._store.write() as session:
            row = await still_held(session, self._job)
            if row is None:
                log.warning("plan_run_lost", run=self._job.run, owner=self._job.owner)
                return "lost"
            at = self._clock.now()
            version = await save_plan(
                session, self._job.actor, problem, plan, revision=revision, at=at, previous_id=self._job.previous_id,
                hypothesis=self._job.hypothesis,
            )  # fmt: skip
            row.state, row.ended_at, row.plan_id, row.county_revision = "done", at, version.id, revision
            if cut is not None and cut.reason != "stopped":
                row.problem_code, row.problem_facts = f"plan.cut_{cut.reason}", dict(cut.facts)
            row.best = None
            row.progress = {
                **self._progress,
                "phase": "done",
                "seconds": round(plan.seconds, 1),
                "served_weighted": lessons(plan.served_weighted),
                "needed_weighted": lessons(plan.needed_weighted),
                "bound": lessons(plan.bound_weighted),
            }
        return "over"

    async def _fail(self, code: str, facts: Mapping[str, object]) -> Result:
        async with self._store.write() as session:
            row = await still_held(session, self._job)
            if row is None:
                return "lost"
            row.state, row.ended_at, row.best = "failed", self._clock.now(), None
            row.problem_code, row.problem_facts = code, dict(facts)
        return "over"


def _died(outcome: Outcome) -> bool:
    """Whether processes were ended from outside, be it after a first plan."""
    cut = outcome.cut if isinstance(outcome, Solved) else outcome
    return cut is not None and cut.reason == "died"


def _kept(progress: Progress, run: Run) -> Kept | None:
    if run.best is None or progress.served_weighted is None:
        return None
    return Kept(progress.served_weighted, round(progress.seconds, 1), run.best)
