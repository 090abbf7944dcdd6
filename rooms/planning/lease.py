"""Whose a planning run is. Every change is one statement that holds only while the run is as the writer believes it to be.

A worker takes up a waiting run and beats: it raises a number in the row. Nobody compares clocks of two machines: a run is
lost when whoever watches saw the same owner and the same beat for the length of a lease, measured on the watcher's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.store import Actor
from rooms.tables import PlanRun

ACTIVE = ("queued", "running", "stopping")
HELD = ("running", "stopping")


@dataclass(frozen=True, slots=True)
class Job:
    """A run as a worker took it up."""

    run: int
    owner: str
    attempt: int
    county: str
    actor: Actor
    """Who asked for the run; the address is in the audit entry of the start alone."""
    seconds: int
    seed: int
    deterministic: bool
    previous_id: int | None
    hypothesis: list[dict[str, Any]] | None
    stopping: bool
    """Somebody asked to stop before a worker was there."""
    best: bytes | None
    """What the worker before left: see `rooms.planning.kept`."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unfinished run as the watcher sees it."""

    run: int
    county: str
    state: str
    owner: str | None
    attempt: int
    beat: int

    @property
    def free(self) -> bool:
        """Nobody works on it, and it waits for a worker."""
        return self.owner is None and self.state != "running"


async def unfinished(session: AsyncSession) -> list[Waiting]:
    """Every unfinished run, oldest first."""
    row = PlanRun
    found = await session.execute(
        select(row.id, row.county, row.state, row.owner, row.attempt, row.beat)
        .where(row.state.in_(ACTIVE))
        .order_by(row.id)
    )
    return [Waiting(*each) for each in found]


async def claim(session: AsyncSession, run: int, owner: str, now: datetime) -> Job | None:
    """Takes up a run that waits; None where another worker has it or nothing is left to do."""
    row = await session.scalar(
        update(PlanRun)
        .where(PlanRun.id == run, PlanRun.owner.is_(None), PlanRun.state.in_(("queued", "stopping")))
        .values(
            owner=owner,
            attempt=PlanRun.attempt + 1,
            beat=PlanRun.beat + 1,
            began_at=now,
            state=case((PlanRun.state == "queued", "running"), else_=PlanRun.state),
        )
        .returning(PlanRun)
    )
    if row is None:
        return None
    return Job(
        run=run,
        owner=owner,
        attempt=row.attempt,
        county=row.county,
        actor=Actor(row.by, row.by_role),
        seconds=row.time_limit,
        seed=row.seed,
        deterministic=row.deterministic,
        previous_id=row.previous_id,
        hypothesis=row.hypothesis,
        stopping=row.state == "stopping",
        best=await session.scalar(select(PlanRun.best).where(PlanRun.id == run)),
    )


async def beat(session: AsyncSession, job: Job, news: Mapping[str, Any]) -> str | None:
    """Says that the owner is alive, with news for the row (``progress``, ``best``); the run's state, None where the run was lost."""
    return await session.scalar(
        update(PlanRun).where(*_held(job)).values(beat=PlanRun.beat + 1, **news).returning(PlanRun.state)
    )


async def still_held(session: AsyncSession, job: Job) -> PlanRun | None:
    """The row, locked to the end of the transaction, while the run is the job's; what is stored with it is stored once."""
    return await session.scalar(select(PlanRun).where(*_held(job)).with_for_update())


async def give_back(session: AsyncSession, job: Job, best: bytes | None, *, counted: bool) -> bool:
    """Lets a run wait for the next worker; `counted` where the attempt was one. False where it was lost before."""
    attempt = job.attempt if counted else job.attempt - 1
    return await _freed(session, _held(job), attempt=attempt, best=best)


async def take_away(session: AsyncSession, seen: Waiting) -> bool:
    """Lets a run whose owner fell silent wait for the next worker. False where it beat after all."""
    owner = PlanRun.owner.is_(None) if seen.owner is None else PlanRun.owner == seen.owner
    return await _freed(session, (PlanRun.id == seen.run, owner, PlanRun.beat == seen.beat))


async def _freed(session: AsyncSession, where: Iterable[Any], **news: object) -> bool:
    freed = await session.scalar(
        update(PlanRun)
        .where(PlanRun.state.in_(HELD), *where)
        .values(
            owner=None,
            state=case((PlanRun.state == "running", "queued"), else_=PlanRun.state),
            **news,
        )
        .returning(PlanRun.id)
    )
    return freed is not None


def _held(job: Job) -> tuple[Any, ...]:
    return PlanRun.id == job.run, PlanRun.owner == job.owner, PlanRun.attempt == job.attempt, PlanRun.state.in_(HELD)


class Silence:
    """Remembers when each owner was last heard by this watcher."""

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._heard: dict[int, tuple[tuple[str | None, int], float]] = {}

    def lost(self, runs: Iterable[Waiting], now: float) -> list[Waiting]:
        """The runs whose owner has been silent for a lease. `now` is monotonic seconds."""
        held = {each.run: each for each in runs if not each.free}
        self._heard = {run: heard for run, heard in self._heard.items() if run in held}
        for each in held.values():
            sign = each.owner, each.beat
            if self._heard.get(each.run, (None, 0.0))[0] != sign:
                self._heard[each.run] = sign, now
        return [each for each in held.values() if now - self._heard[each.run][1] >= self._lease]
