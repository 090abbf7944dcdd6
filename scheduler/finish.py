"""From the best state of a search to a whole plan: nothing left that simply fits, activities placed, reasons given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from scheduler.advice import advise
from scheduler.assemble import delivery_meetings, numbered, plan_of
from scheduler.board import Board
from scheduler.explain import Explainer, SchoolCeiling
from scheduler.fit import ActivityFit
from scheduler.improve import Snapshot, rebuild
from scheduler.locks import honour_locked
from scheduler.offers import Offers
from scheduler.problem import Meeting, Plan, PlanStatus, Problem, SchoolCode, Unmet


def fill_up(board: Board) -> None:
    """Takes every seat that is simply free, so that no reason is ever asked for a lesson that would fit."""
    for need, want in enumerate(board.offers.wants):
        if board.served[need] >= want.need.halves:
            continue
        held = board.teacher_of[need]
        for teacher in [held] if held is not None else list(board.offers.seats[need]):
            if board.served[need] == want.need.halves:
                break
            for number in board.offers.seats[need].get(teacher, ()):
                if board.may_meet(need, teacher) and board.seat_free(need, number):
                    board.seat(need, number)


def finished(
    offers: Offers,
    state: Snapshot,
    previous: Plan | None,
    ceilings: Mapping[SchoolCode, SchoolCeiling],
    *,
    bound: int,
    seconds: float,
    seed: int,
    status: PlanStatus,
    go_on: Callable[[int], bool] = lambda tries: False,
) -> Plan:
    """The plan of a state. `bound` must be proved. `go_on` says, after so many tries, whether activities may be fitted in better still."""
    board = Board(offers)
    rebuild(board, state)
    honour_locked(board)
    fill_up(board)
    fit = ActivityFit(board, Random(seed))  # noqa: S311 # a seeded search, nothing secret
    tries = 0
    while not fit.complete and go_on(tries):
        fit.step()
        tries += 1
    meetings = numbered(delivery_meetings(board), previous) + fit.meetings
    explainer = Explainer(offers.problem, meetings, ceilings, previous)
    explainer.settle()
    reasons = {(lack.school_class, lack.subject): lack for lack in explainer.reasons()}
    meetings, problem = explainer.meetings, offers.problem
    plan = plan_of(problem, meetings, reasons, bound=bound, seconds=seconds, seed=seed, status=status)
    return replace(plan, advice=advise(explainer))


def bare(problem: Problem, meetings: Sequence[Meeting], *, bound: int, seconds: float, seed: int) -> Plan:
    """A plan of delivery meetings alone, for a run that was ended before it could finish: reasons were not looked for."""
    reasons = {
        (need.school_class, need.subject): Unmet(need.school_class, need.subject, 0, "run_ended")
        for need in problem.needs
    }
    return plan_of(problem, meetings, reasons, bound=bound, seconds=seconds, seed=seed, status="stopped")
