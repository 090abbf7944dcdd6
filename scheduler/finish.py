"""From the best state of a search to a whole plan: nothing left that simply fits, activities placed, reasons given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.activities import place_activities
from scheduler.assemble import delivery_meetings, numbered, plan_of
from scheduler.board import Board
from scheduler.explain import SchoolCeiling, explain
from scheduler.improve import Snapshot, rebuild
from scheduler.offers import Offers
from scheduler.problem import Meeting, Plan, PlanStatus, Problem, SchoolCode, Unmet


def fill_up(board: Board) -> None:
    """Takes every seat that is simply free, so that no reason is ever asked for a lesson that would fit."""
    for need, want in enumerate(board.offers.wants):
        held = board.teacher_of[need]
        for teacher in [held] if held is not None else list(board.offers.seats[need]):
            if board.served[need] == want.need.halves:
                break
            for number in board.offers.seats[need][teacher]:
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
) -> Plan:
    """The plan of a state. `bound` must be proved; it is raised to nothing, only checked."""
    board = Board(offers)
    rebuild(board, state)
    fill_up(board)
    meetings = numbered(delivery_meetings(board), previous) + place_activities(board)
    reasons = {(unmet.school_class, unmet.subject): unmet for unmet in explain(board, ceilings)}
    return plan_of(offers.problem, meetings, reasons, bound=bound, seconds=seconds, seed=seed, status=status)


def bare(problem: Problem, meetings: Sequence[Meeting], *, bound: int, seconds: float, seed: int) -> Plan:
    """A plan of delivery meetings alone, for a run that was ended before it could finish: reasons were not looked for."""
    reasons = {
        (need.school_class, need.subject): Unmet(need.school_class, need.subject, 0, "run_ended")
        for need in problem.needs
    }
    return plan_of(problem, meetings, reasons, bound=bound, seconds=seconds, seed=seed, status="stopped")
