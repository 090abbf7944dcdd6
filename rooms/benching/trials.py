"""One trial: one method on one county, in the process it is watched in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rooms.benching.fet import by_fet
from scheduler.assemble import bare, delivery_meetings, numbered
from scheduler.board import Board
from scheduler.check import check
from scheduler.greedy import plain_greedy
from scheduler.monolith import monolithic
from scheduler.offers import Offers
from scheduler.outcome import Limits, Progress, Solved
from scheduler.problem import Meeting, Plan, Problem
from scheduler.solve import solve
from scheduler.windows import Grid

Method = Literal["sanke", "plain greedy", "monolithic CP-SAT", "FET"]
BASELINES: tuple[Method, ...] = ("plain greedy", "monolithic CP-SAT", "FET")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a method made of a county. Service is weighted: halves × priority."""

    plan: Plan | None
    """None: the run ended without a plan."""
    proved: bool
    """Whether `plan.bound_weighted` is a bound that the method proved."""
    seconds: float
    steps: tuple[tuple[float, int], ...]
    """Seconds, and the weighted service that was reached then."""
    violations: int
    """Of the plan, and of the first plan that was told on the way."""
    facts: Mapping[str, object] = field(default_factory=dict)


def run(method: Method, problem: Problem, seed: int, seconds: float, workers: int) -> Trial:
    """Runs a method within its seconds; the judge's time is not counted."""
    if method == "sanke":
        return _sanke(problem, Limits(seconds=seconds, seed=seed, workers=workers))
    return _baseline(method, problem, seed, seconds, workers)


def _sanke(problem: Problem, limits: Limits) -> Trial:
    steps: list[tuple[float, int]] = []
    first: list[tuple[Meeting, ...]] = []

    def listen(progress: Progress) -> None:
        if progress.served_weighted is not None:
            steps.append((progress.seconds, progress.served_weighted))
            if progress.meetings is not None and not first:
                first.append(progress.meetings)

    began = time.monotonic()
    outcome = solve(problem, limits, report=listen)
    seconds = time.monotonic() - began
    violations = sum(len(check(problem, _bare(problem, meetings, seed=limits.seed))) for meetings in first)
    if not isinstance(outcome, Solved):
        return Trial(None, False, seconds, tuple(steps), violations, {"ended": outcome.reason})
    plan = outcome.plan
    return Trial(plan, True, seconds, tuple(steps), violations + len(check(problem, plan)), {"status": plan.status})


def _baseline(method: Method, problem: Problem, seed: int, seconds: float, workers: int) -> Trial:
    began = time.monotonic()
    steps: list[tuple[float, int]] = []
    offers = Offers(problem, Grid(problem))
    left = seconds - (time.monotonic() - began)
    board, facts = _board(method, offers, left, seed, workers, lambda w: steps.append((time.monotonic() - began, w)))
    taken = time.monotonic() - began
    steps.append((taken, board.weighted))
    plan = _bare(problem, numbered(delivery_meetings(board), None), seconds=taken, seed=seed)
    return Trial(plan, False, taken, tuple(steps), len(check(problem, plan)), facts)


def _board(
    method: Method, offers: Offers, seconds: float, seed: int, workers: int, tell: Callable[[int], None]
) -> tuple[Board, Mapping[str, object]]:
    if method == "FET":
        found = by_fet(offers, seconds, seed, tell)
        return found.board, {"offered": found.offered, "placed": found.placed, "dropped": found.dropped}
    if method == "monolithic CP-SAT":
        return monolithic(offers, seconds, seed, workers=workers, tell=tell), {}
    return plain_greedy(offers), {}


def _bare(problem: Problem, meetings: tuple[Meeting, ...] | list[Meeting], *, seconds: float = 0.0, seed: int) -> Plan:
    """A plan of the meetings alone, with all that is asked for as its bound."""
    most = sum(need.halves * need.priority for need in problem.needs)
    return bare(problem, meetings, bound=most, seconds=seconds, seed=seed)
