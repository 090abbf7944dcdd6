"""The monolithic baseline: all of delivery as one CP-SAT model, as an engineer would write it first. Only the bench uses it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from random import Random

from ortools.sat.python import cp_model

from scheduler.board import Board
from scheduler.improve import apply_seats
from scheduler.model import SubModel
from scheduler.offers import Offers


class _Teller(cp_model.CpSolverSolutionCallback):
    """Tells the weighted service of every solution."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        super().__init__()
        self._tell = tell

    def on_solution_callback(self) -> None:
        self._tell(round(self.objective_value))


def monolithic(
    offers: Offers, seconds: float, seed: int, *, workers: int = 1, tell: Callable[[int], None] = lambda weighted: None
) -> Board:
    """What one model with every need free finds in the time, its making included; an empty board where that is nothing.

    `tell` is called with the weighted service of every better solution.
    """
    began, board = time.monotonic(), Board(offers)
    whole = SubModel(board, range(len(offers.wants)), Random(seed), plain=True)  # noqa: S311 # no tie-breaks are drawn
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.monotonic() - began))
    if solver.solve(whole.model, _Teller(tell)) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        seats: dict[int, list[int]] = defaultdict(list)
        for (need, number), literal in whole.seat.items():
            if solver.boolean_value(literal):
                seats[need].append(number)
        apply_seats(board, {need: tuple(numbers) for need, numbers in seats.items()})
    return board
