"""Several processes on one problem: searchers that share their best state, a prover beside them, and one who watches.

The watcher keeps the best plan in its own memory, so that a process which dies, hangs or grows loses nothing. Searchers are told to
finish and are ended when they do not; limits of time and memory are kept from outside.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from random import Random

from scheduler.assemble import delivery_meetings, numbered
from scheduler.board import Board
from scheduler.bound import prove
from scheduler.explain import SchoolCeiling
from scheduler.finish import stages
from scheduler.improve import Snapshot, rebuild
from scheduler.offers import Offers
from scheduler.outcome import Limits
from scheduler.polish import Polish
from scheduler.problem import Meeting, Plan, PlanStatus, Problem, SchoolCode
from scheduler.resident import resident_mb
from scheduler.search import Search
from scheduler.windows import Grid

COOLED, COOLED_ALONE = 0.6, 0.8
"""Part of the search time after which ruin and recreate is cold and the exact solves take over; of a lone searcher, who has half
the tries in the same time, a later one (made-up county 5, 148 s, two seeds: 9164.5 and 9144 served by the first, 9186.5 and 9180 by the second; the
large open county with two searchers in 60 s is better off with the first by 10 to 14)."""
CYCLE_PER_NEED = 0.055
"""Seconds that one cooling takes for every need; small counties are warmed up again and again."""
REHEAT = 0.7
"""Warmth at which a later cycle begins."""
TELL_EVERY = 2.0
"""Seconds between two messages of a searcher with nothing urgent to say."""


@dataclass(frozen=True, slots=True)
class Found:
    """A searcher's best state."""

    weighted: int
    state: Snapshot
    stands: int
    """Seats that stand as they stood in the previous plan."""
    steps: int
    meetings: tuple[Meeting, ...]
    """The state as delivery meetings, for the case that nobody lives to finish it."""
    schools: Mapping[SchoolCode, int]
    """Weighted halves that each receiving school gets."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A bound of weighted service, and what is known of single schools."""

    weighted: int
    ceilings: Mapping[SchoolCode, SchoolCeiling]


@dataclass(frozen=True, slots=True)
class Finished:
    """A plan made of the best state, better than the one told before."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Adopt:
    """Order to a searcher: go on from this state."""

    state: Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """News for a searcher: what is proved for single schools."""

    ceilings: Mapping[SchoolCode, SchoolCeiling]


@dataclass(frozen=True, slots=True)
class Met:
    """News for the prover: schools that get in some plan what is proved to be the most they can get."""

    schools: frozenset[SchoolCode]


@dataclass(frozen=True, slots=True)
class Finish:
    """Order to a searcher: make the plan of this state and end."""

    state: Snapshot
    weighted: int
    bound: int
    ceilings: Mapping[SchoolCode, SchoolCeiling]
    seconds: float
    """Of the run so far, for the summary."""
    status: PlanStatus
    fit_until: float
    """Monotonic instant up to which activities may be fitted in."""
    settle: tuple[float, float]
    """Seconds for making the plan more comfortable, and the instant up to which."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process of the crew works on. `offers` is there where it was inherited by a fork."""

    problem: Problem
    limits: Limits
    offers: Offers | None
    previous: Plan | None
    until: float
    """Monotonic instant at which the search should have ended."""


# ---------------------------------------------------------------- in the processes


class Cycles:
    """The search time cut into equal coolings."""

    def __init__(self, began: float, until: float, needs: int, *, alone: bool) -> None:
        total = max(0.001, until - began)
        self.number = max(1, int(total / max(1.5, CYCLE_PER_NEED * needs)))
        self._began, self._length, self._seen = began, total / self.number, 0
        self._cooled = COOLED_ALONE if alone else COOLED

    def begins(self, now: float) -> bool:
        """True once at the begin of every cycle but the first."""
        cycle = min(self.number - 1, int((now - self._began) / self._length))
        fresh, self._seen = cycle > self._seen, cycle
        return fresh

    def warmth(self, now: float) -> float:
        """1 at the begin of the first cycle, less at that of later ones, 0 from the cooled part of each on."""
        part = (now - self._began - self._seen * self._length) / (self._cooled * self._length)
        return max(0.0, 1.0 - part) * (REHEAT if self._seen else 1.0)


def searcher(line: Connection, task: Task, number: int) -> None:
    """A searching process: tells better states, takes orders between two tries, ends with its parent."""
    parent = os.getppid()
    offers = task.offers or Offers(task.problem, Grid(task.problem))
    random = Random(task.limits.seed * 1009 + number)  # noqa: S311 # a seeded search, nothing secret
    search = Search(offers, random)
    if number == 0:
        search.construct(task.previous, faithful=task.limits.workers > 1)
    else:
        search.construct()  # free to find something better than what stood
    polish = Polish(search)
    cycles = Cycles(time.monotonic(), task.until, len(offers.wants), alone=task.limits.workers == 1)
    told_at, told = 0.0, -1
    while os.getppid() == parent:
        now = time.monotonic()
        if (search.best_weighted > told and now - told_at > TELL_EVERY) or told < 0:
            state = search.best()
            told, told_at = search.best_weighted, now
            meetings = meetings_of(offers, state, task.previous)
            line.send(
                Found(told, state, search.stands(state.seats.items()), search.steps, meetings, given(offers, state))
            )
        if line.poll():
            order = line.recv()
            if isinstance(order, Finish):
                state = search.best() if search.best_weighted > order.weighted else order.state
                for plan in _finish(offers, state, order, task):
                    line.send(Finished(plan))
                line.close()
                return
            if isinstance(order, Adopt) and cycles.number == 1:
                search.adopt(order.state)
            if isinstance(order, Known):
                search.ceilings = order.ceilings
        if cycles.begins(now):
            search.adopt(search.best())
        warmth = cycles.warmth(now)
        if polish.due(warmth):
            polish.step(min(2.5, max(0.1, task.until - now)))
        else:
            search.step(warmth)
        if search.board.weighted > search.best_weighted and now - told_at > TELL_EVERY:
            search.best()


def _finish(offers: Offers, state: Snapshot, order: Finish, task: Task) -> Iterator[Plan]:
    return stages(
        offers,
        state,
        task.previous,
        order.ceilings,
        bound=order.bound,
        seconds=order.seconds,
        seed=task.limits.seed,
        status=order.status,
        go_on=lambda tries: time.monotonic() < order.fit_until,
        settle_on=Allowance(*order.settle),
    )


class Allowance:
    """So many seconds from the first question on, but not beyond an instant."""

    def __init__(self, seconds: float, until: float) -> None:
        self._seconds, self._until = seconds, until

    def __call__(self, tries: int) -> bool:
        now = time.monotonic()
        if tries == 0:
            self._until = min(self._until, now + self._seconds)
        return now < self._until


def meetings_of(offers: Offers, state: Snapshot, previous: Plan | None) -> tuple[Meeting, ...]:
    """The delivery meetings of a state, with codes."""
    board = Board(offers)
    rebuild(board, state)
    return tuple(numbered(delivery_meetings(board), previous))


def given(offers: Offers, state: Snapshot) -> Mapping[SchoolCode, int]:
    """Weighted halves that each receiving school gets in a state."""
    found: Counter[SchoolCode] = Counter()
    for need, numbers in state.seats.items():
        want = offers.wants[need]
        found[want.school] += want.weight * sum(offers.halves[number] for number in numbers)
    return found


def prover(line: Connection, task: Task) -> None:
    """The process that lowers the bound until nothing more can be proved."""
    parent = os.getppid()
    met: set[SchoolCode] = set()

    def is_met(school: SchoolCode) -> bool:
        while line.poll():
            news = line.recv()
            assert isinstance(news, Met)
            met.update(news.schools)
        return school in met

    prove(
        task.problem,
        lambda bound, ceilings: line.send(Proved(bound, dict(ceilings))),
        lambda: os.getppid() == parent,
        seconds=8.0,
        met=is_met,
    )


# ---------------------------------------------------------------- the watcher


class Crew:
    """Starts the processes, gathers what they say, ends them."""

    def __init__(self, problem: Problem, limits: Limits, previous: Plan | None, until: float) -> None:
        context = _context()
        offers = Offers(problem, Grid(problem)) if isinstance(context, ForkContext) else None
        task = Task(problem, limits, offers, previous, until)
        self.best: Found | None = None
        self.bound = sum(need.halves * need.priority for need in problem.needs)
        """All that is asked for, until something better is proved."""
        self.ceilings: Mapping[SchoolCode, SchoolCeiling] = {}
        self.plan: Plan | None = None
        self.steps: dict[int, int] = {}
        self._given: dict[SchoolCode, int] = {}
        """Most weighted halves that any plan so far gives a school."""
        self._met: set[SchoolCode] = set()
        self._lines: dict[Connection, BaseProcess] = {}
        self.searchers: list[Connection] = []
        for number in range(max(1, limits.workers)):
            self.searchers.append(self._start(context, searcher, (task, number)))
        self._prover = self._start(context, prover, (task,))

    def _start(
        self, context: ForkContext | SpawnContext, work: Callable[..., None], arguments: tuple[object, ...]
    ) -> Connection:
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, *arguments), daemon=True)
        process.start()
        there.close()
        self._lines[here] = process
        return here

    def listen(self, seconds: float) -> bool:
        """Takes in what comes within the time; True where something did."""
        heard = False
        for line in wait([line for line in self._lines if not line.closed], seconds):
            assert isinstance(line, Connection)
            try:
                message = line.recv()
            except (EOFError, OSError):
                self._gone(line)
                continue
            heard = True
            if isinstance(message, Found):
                self.steps[id(line)] = message.steps
                for school, weighted in message.schools.items():
                    self._given[school] = max(weighted, self._given.get(school, 0))
                best = self.best
                if best is None or (message.weighted, message.stands) > (best.weighted, best.stands):
                    self.best = message
            elif isinstance(message, Proved):
                self.bound = min(self.bound, message.weighted)
                self.ceilings = message.ceilings
                for searcher_line in list(self.searchers):
                    self._order(searcher_line, Known(message.ceilings))
            elif isinstance(message, Finished):
                self.plan = message.plan
        if heard:
            self._tell_met()
        return heard

    def _tell_met(self) -> None:
        """Tells the prover once of every school at its ceiling: what a plan reaches cannot be lowered."""
        fresh = frozenset(
            school
            for school, ceiling in self.ceilings.items()
            if school not in self._met and self._given.get(school, 0) >= ceiling.weighted
        )
        if fresh and not self._prover.closed:
            self._met |= fresh
            self._order(self._prover, Met(fresh))

    def _gone(self, line: Connection) -> None:
        line.close()
        if line in self.searchers:
            self.searchers.remove(line)

    def share(self) -> None:
        """Every searcher goes on from the best state."""
        if self.best is not None:
            for line in self.searchers:
                self._order(line, Adopt(self.best.state))

    def finish(self, seconds: float, status: PlanStatus, fit_until: float, settle: tuple[float, float]) -> bool:
        """Asks a searcher for the plan of the best state; the others end. False where nobody is left to ask."""
        assert self.best is not None
        while self.searchers:
            asked, *others = self.searchers
            for line in others:
                self._end(line)
            best = self.best
            order = Finish(best.state, best.weighted, self.bound, self.ceilings, seconds, status, fit_until, settle)
            if self._order(asked, order):
                return True
        return False

    def _order(self, line: Connection, order: object) -> bool:
        try:
            line.send(order)
        except (OSError, ValueError):
            self._gone(line)
            return False
        return True

    def memory_mb(self) -> float:
        """Resident memory of the crew, shared pages counted once."""
        return sum(resident_mb(process.pid) for process in self._lines.values() if process.pid and process.is_alive())

    def _end(self, line: Connection) -> None:
        process = self._lines[line]
        process.kill()
        process.join()
        self._gone(line)

    def close(self) -> None:
        """Ends whoever is left."""
        for line, process in self._lines.items():
            process.kill()
            process.join()
            line.close()


def _context() -> ForkContext | SpawnContext:
    """A fork shares what is already computed; it is safe only where this process has one thread."""
    if threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")
