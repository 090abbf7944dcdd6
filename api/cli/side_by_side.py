"""Several counties planned side by side, the time shared by their size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from threading import Event

from rooms.importing import Reading, read_county
from rooms.planning.files import write_plan
from rooms.planning.problem import problem_of
from scheduler.check import check
from scheduler.outcome import Ended, Limits, Outcome, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.process import Run
from scheduler.rules import Violation

OVERHEAD = 2.0
"""Seconds of a county after its run: the judge and the files, two counties at once."""
LEAST = 2.0
"""Seconds that a county searches at least, whatever the share."""
COUNTED = 3600.0
"""Seconds after which a county is ended that counts steps and not seconds."""
LOOK = 0.25
"""Seconds between two looks at a process."""


@dataclass(frozen=True, slots=True)
class County:
    """A county to plan. `name` is that of its folder or file, and of its output folder."""

    name: str
    problem: Problem
    previous: Plan | None
    out: Path

    @property
    def size(self) -> int:
        """Its part of the time; no county is so small that it needs none."""
        return len(self.problem.needs) + 10


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of a county."""

    county: County
    outcome: Outcome
    violations: tuple[Violation, ...]
    """Of the judge; a plan with any is not written."""
    seconds: float

    @property
    def plan(self) -> Plan | None:
        return self.outcome.plan if isinstance(self.outcome, Solved) and not self.violations else None


Tell = Callable[[County, Progress | Planned], None]


def read_all(folders: Sequence[Path], workers: int) -> list[Reading | Problem]:
    """The counties, or what is wrong with them, in order; read in processes of their own, for large ones take seconds."""
    with ProcessPoolExecutor(min(workers, len(folders)), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_read, folders))


def _read(folder: Path) -> Reading | Problem:
    reading = read_county(folder)
    return reading if reading.county is None else problem_of(reading.county)


def lanes_of(counties: Sequence[County], number: int) -> list[list[County]]:
    """The counties in so many lanes of about the same size, the largest first."""
    lanes: list[list[County]] = [[] for _ in range(max(1, min(number, len(counties))))]
    for county in sorted(counties, key=lambda county: (-county.size, county.name)):
        min(lanes, key=lambda lane: sum(each.size for each in lane)).append(county)
    return lanes


def plan_side_by_side(
    counties: Sequence[County], limits: Limits, deadline: float, tell: Tell, stopped: Event
) -> list[Planned]:
    """Plans every county until the monotonic instant `deadline`; files are written as soon as a plan is there.

    There are as many lanes as search processes, or as counties: two counties side by side make more of two cores than two processes
    on one county, for building up, proving and explaining are work of one process. Each lane shares its time by size. Once
    `stopped` is set, what runs ends with its best plan and the rest is left.
    """
    lanes = lanes_of(counties, limits.workers)
    each = replace(limits, workers=max(1, limits.workers // len(lanes)), memory_mb=limits.memory_mb // len(lanes))
    with ThreadPoolExecutor(len(lanes)) as pool:
        working = [pool.submit(_lane, lane, each, deadline, tell, stopped) for lane in lanes]
        try:
            return [planned for lane in working for planned in lane.result()]
        except KeyboardInterrupt:
            stopped.set()
            return [planned for lane in working for planned in lane.result()]


def _lane(lane: Sequence[County], limits: Limits, deadline: float, tell: Tell, stopped: Event) -> list[Planned]:
    done: list[Planned] = []
    for place, county in enumerate(lane):
        if stopped.is_set():
            planned = Planned(county, Ended("stopped"), (), 0.0)
        else:
            share = (deadline - time.monotonic()) * county.size / sum(other.size for other in lane[place:])
            seconds = COUNTED if limits.deterministic else max(LEAST, share - OVERHEAD)
            planned = _plan(county, replace(limits, seconds=seconds), tell, stopped)
        done.append(planned)
        tell(county, planned)
    return done


def _plan(county: County, limits: Limits, tell: Tell, stopped: Event) -> Planned:
    began = time.monotonic()
    run = Run(county.problem, limits, county.previous)
    try:
        asked = False
        while run.outcome is None:
            if stopped.is_set() and not asked:
                asked = True
                run.stop()
            for progress in run.poll(LOOK):
                tell(county, progress)
    finally:
        run.close()
    violations: tuple[Violation, ...] = ()
    if isinstance(run.outcome, Solved):
        violations = tuple(check(county.problem, run.outcome.plan))
        if not violations:
            write_plan(county.out, county.problem, run.outcome.plan, county.previous)
    return Planned(county, run.outcome, violations, time.monotonic() - began)
