"""One planning run, from a problem to an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from scheduler.assemble import bare
from scheduler.bound import prove
from scheduler.crew import COOLED, Crew
from scheduler.explain import SchoolCeiling
from scheduler.finish import finished, stages
from scheduler.offers import Offers
from scheduler.outcome import Ended, Limits, Outcome, Phase, Progress, Solved
from scheduler.polish import Polish
from scheduler.problem import Plan, PlanStatus, Problem, SchoolCode
from scheduler.search import Search
from scheduler.windows import Grid

Report = Callable[[Progress], None]
Stop = Callable[[], bool]

SHARE_AT = (0.5, 0.68, 0.82, 0.92)
"""Parts of the search time at which every searcher goes on from the best state."""


FIT_SECONDS = 8.0
"""The longest time that activities are fitted in for."""
FIT_PART, SETTLED_PART = 0.3, 0.62
"""The parts of the time left after which fitting, and the comfort that follows the reasons, must be over; what would help most needs the rest."""
FIT_TRIES = 40
"""The same in deterministic mode."""
SETTLE_SECONDS = 4.0
"""The longest time that a plan of fixed service is made more comfortable for."""
SETTLE_LEAST, SETTLE_MOST = 0.03, 0.1
"""Parts of the run that this may take: the first is kept free for it, up to the second where nothing else wants the time."""
SETTLE_TRIES = 10
"""Tries for every step of the search in deterministic mode."""


def reserve(seconds: float) -> float:
    """Seconds kept at the end of a run for activities, comfort, reasons and the judge."""
    return min(6.5, 0.3 + 0.1 * seconds) + min(SETTLE_SECONDS, SETTLE_LEAST * seconds)


def solve(
    problem: Problem,
    limits: Limits,
    *,
    previous: Plan | None = None,
    report: Report = lambda progress: None,
    stop: Stop = lambda: False,
) -> Outcome:
    """Plans a county within the limits.

    `previous` is a plan that stood before: meetings that stay keep their codes. `report` is called with every news, `stop` is
    asked several times a second; a stopped run ends with the best plan so far. Works in child processes that are forked
    from the caller where it has one thread, else spawned.
    """
    if limits.deterministic:
        return _alone(problem, limits, previous, report, stop)
    return _Run(problem, limits, previous, report, stop).outcome()


class _Run:
    """A run of a crew against the clock."""

    def __init__(self, problem: Problem, limits: Limits, previous: Plan | None, report: Report, stop: Stop) -> None:
        self.problem, self.limits, self.report, self.stop = problem, limits, report, stop
        self.began = time.monotonic()
        self.search_seconds = limits.seconds - reserve(limits.seconds)
        self.crew = Crew(problem, limits, previous, self.began + self.search_seconds)
        self.status: PlanStatus = "feasible"
        self._told = -1

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def outcome(self) -> Outcome:
        try:
            ended = self._search()
            if self.crew.best is None:
                return ended or Ended("time", {"seconds": round(self.limits.seconds)})
            return Solved(self._finish(), ended)
        finally:
            self.crew.close()

    def _search(self) -> Ended | None:
        """Until the time is up, the bound is met, memory runs out or somebody says stop."""
        shares = [part * self.search_seconds for part in SHARE_AT]
        checked = 0.0
        while True:
            best = self.crew.best
            over = self.seconds > self.search_seconds
            if over and (best is not None or self.seconds > self.limits.seconds):
                return None
            if self.crew.listen(0.1):
                self._tell("improve" if self.crew.best else "construct")
            if best is not None and best.weighted >= self.crew.bound:
                return None
            if self.stop():
                self.status = "stopped"
                return Ended("stopped")
            if not self.crew.searchers:
                self.status = "stopped"
                return Ended("died")
            if self.seconds - checked > 1.0:
                checked = self.seconds
                if self.crew.memory_mb() > self.limits.memory_mb:
                    self.status = "stopped"
                    return Ended("memory", {"limit": self.limits.memory_mb})
            if shares and self.seconds > shares[0]:
                shares.pop(0)
                self.crew.share()

    def _tell(self, phase: Phase) -> None:
        best = self.crew.best
        fresh = best is not None and best.weighted != self._told
        self._told = best.weighted if best is not None else self._told
        self.report(
            Progress(
                phase,
                self.seconds,
                served_weighted=best.weighted if best else None,
                bound_weighted=self.crew.bound,
                step=sum(self.crew.steps.values()),
                meetings=best.meetings if best and fresh else None,
            )
        )

    def _finish(self) -> Plan:
        """The best state as a whole plan; as bare meetings where nobody finished it in time."""
        best = self.crew.best
        assert best is not None
        self.report(Progress("explain", self.seconds, served_weighted=best.weighted, bound_weighted=self.crew.bound))
        deadline = self.began + max(self.limits.seconds, self.search_seconds + 1.0) - 0.1
        now = time.monotonic()
        fit_until, settle = now, (0.0, now)
        if self.status == "feasible":
            left = max(0.0, deadline - now)
            fit_until += min(FIT_SECONDS, FIT_PART * left)
            settle = min(SETTLE_SECONDS, SETTLE_MOST * self.limits.seconds), now + SETTLED_PART * left
        if self.crew.finish(self.seconds, self.status, fit_until, settle):
            while self.crew.searchers and time.monotonic() < deadline:
                self.crew.listen(0.1)
        if self.crew.plan is not None:
            return self.crew.plan
        return bare(
            self.problem,
            best.meetings,
            bound=self.crew.bound,
            seconds=self.seconds,
            seed=self.limits.seed,
            status=self.status,
        )


def _alone(problem: Problem, limits: Limits, previous: Plan | None, report: Report, stop: Stop) -> Outcome:
    """Deterministic: one process, counted steps, the solver's deterministic time; no figure depends on the clock."""
    ceilings: dict[SchoolCode, SchoolCeiling] = {}
    bound = prove(problem, lambda _, known: ceilings.update(known), lambda: True, seconds=600.0, work=2.0)
    offers = Offers(problem, Grid(problem))
    search = Search(offers, Random(limits.seed))  # noqa: S311 # a seeded search, nothing secret
    search.construct(previous)
    search.ceilings = ceilings
    polish = Polish(search)
    status: PlanStatus = "feasible"
    for step in range(limits.steps):
        if stop():
            status = "stopped"
            break
        if search.best_weighted >= bound:
            break
        warmth = max(0.0, 1.0 - step / (COOLED * limits.steps))
        if polish.due(warmth):
            polish.step(600.0, 0.5)
        else:
            search.step(warmth)
        search.best()
        if step % 50 == 0:
            report(Progress("improve", 0.0, search.best_weighted, bound, step))
    plan = finished(
        stages(
            offers,
            search.best(),
            previous,
            ceilings,
            bound=bound,
            seconds=0.0,
            seed=limits.seed,
            status=status,
            go_on=lambda tries: tries < FIT_TRIES,
            settle_on=lambda tries: tries < SETTLE_TRIES * limits.steps,
        )
    )
    return Solved(plan)
