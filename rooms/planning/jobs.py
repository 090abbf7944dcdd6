"""The worker's side of planning: takes runs from the queue, so many at a time, and sees to it that none is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket

import structlog
from sqlalchemy.exc import SQLAlchemyError
from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.exceptions import SendTaskError
from taskiq.receiver import Receiver

from config.settings import Settings
from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.attempt import ATTEMPTS, Attempt, Result
from rooms.planning.lease import Silence, Waiting, claim, take_away, unfinished
from rooms.store import SYSTEM, Store
from rooms.tables import PlanRun

log = structlog.get_logger()

TASK = "plan.run"
SWEEP = 2.0
"""Seconds between two looks at all unfinished runs."""
REMIND = 60.0
"""Seconds after which a run that still waits is put into the queue again: its message may be lost."""
PAUSE = 1.0
"""Seconds between two tries to reach a queue that is away."""


class PlanJobs:
    """Works on planning runs, `settings.plan_jobs` at once; with none, it only keeps watch.

    Every server and every worker runs one: whoever first sees that a run's owner fell silent puts the run back into the queue.
    Owns two tasks from `start` to `close`, and one for every run it works on.
    """

    def __init__(self, store: Store, clock: Clock, settings: Settings, broker: AsyncBroker) -> None:
        self._store, self._clock, self._settings, self._broker = store, clock, settings, broker
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"

        async def plan_run(run: int) -> None:
            await self.work(run)

        self._task = broker.register_task(plan_run, task_name=TASK)
        self._receiver = Receiver(
            broker,
            max_async_tasks=max(1, settings.plan_jobs),
            ack_type=AcknowledgeType.WHEN_RECEIVED,  # what must not be lost is in the row
        )
        self._silence = Silence(settings.plan_lease_seconds)
        self._kicked: dict[int, float] = {}
        self._working: dict[int, asyncio.Task[Result | None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Begins to watch, and to work."""
        self._tasks = [asyncio.create_task(self._watch(), name="plan runs watched")]
        if self._settings.plan_jobs:
            self._tasks.append(asyncio.create_task(self._listen(), name="plan runs taken up"))

    async def close(self) -> None:
        """Ends every run of this process and gives it back to the queue."""
        self._closing.set()
        for working in list(self._working.values()):
            working.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._broker.shutdown()

    async def kick(self, run: int) -> None:
        """Puts a run into the queue. A queue that is away is no error: the watch reminds it."""
        self._kicked[run] = self._clock.monotonic()
        try:
            await self._task.kiq(run)
        except SendTaskError as error:
            log.warning("plan_queue_away", run=run, error=type(error.__cause__).__name__)
            self._kicked.pop(run, None)  # unless a sweep forgot it meanwhile, or another try of it failed, too

    async def work(self, run: int) -> None:
        """The one task of the queue: takes up a run where it waits for a worker."""
        if self._closing.is_set() or run in self._working:
            return
        working = asyncio.create_task(self._attempt(run), name=f"plan run {run}")
        self._working[run] = working
        await asyncio.wait({working})
        del self._working[run]
        if not working.cancelled() and working.result() == "again":
            await self.kick(run)

    async def _attempt(self, run: int) -> Result | None:
        try:
            async with self._store.write() as session:
                job = await claim(session, run, self.owner, self._clock.now())
            if job is None:
                return None
            log.info("plan_run_taken", run=run, attempt=job.attempt, owner=job.owner)
            result = await Attempt(self._store, self._clock, self._settings, job).run()
        except (SQLAlchemyError, OSError) as error:  # the store is away: the watch finds the run again
            log.warning("plan_run_left", run=run, error=type(error).__name__)
            return None
        log.info("plan_run_left", run=run, result=result)
        return result

    # ------------------------------------------------------------ the queue

    async def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                await self._receiver.listen(self._closing)
            except Exception as error:  # a task group wraps what the queue raised; none of it may end the worker
                log.warning("plan_queue_away", error=type(error).__name__)
                await self._pause(PAUSE)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    # ------------------------------------------------------------ the watch

    async def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                await self.sweep()
            except (SQLAlchemyError, OSError) as error:
                log.warning("plan_watch_missed", error=type(error).__name__)
            except Exception:  # whatever it was, the next run that is lost must be found
                log.exception("plan_watch_failed")
            await self._pause(SWEEP)

    async def sweep(self) -> None:
        """Frees the runs of workers that fell silent, and reminds the queue of those that wait."""
        now = self._clock.monotonic()
        async with self._store.read() as session:
            runs = await unfinished(session)
        for seen in self._silence.lost(runs, now):
            if await self._freed(seen):
                await self.kick(seen.run)
        waiting = [each.run for each in runs if each.free and each.run not in self._working]
        self._kicked = {run: at for run, at in self._kicked.items() if any(each.run == run for each in runs)}
        for run in waiting:
            if now - self._kicked.get(run, -REMIND) >= REMIND:
                await self.kick(run)

    async def _freed(self, seen: Waiting) -> bool:
        """Whether the run waits for a worker again. One that ended every worker, the last one's rescue included, failed."""
        async with self._store.write() as session:
            if not await take_away(session, seen):
                return False
            gone = seen.attempt > ATTEMPTS
            if gone:
                row = await session.get_one(PlanRun, seen.run)
                row.state, row.ended_at, row.best = "failed", self._clock.now(), None
                row.problem_code, row.problem_facts = "plan.ended_died", {"attempts": ATTEMPTS}
            facts = {"owner": seen.owner, "attempt": seen.attempt}
            await append(
                session, SYSTEM, "plan.run.lost", f"plan_run:{seen.run}",
                county=seen.county, at=self._clock.now(), facts=facts,
            )  # fmt: skip
        log.warning("plan_run_freed", run=seen.run, **facts)
        return not gone
