"""The monolithic baseline: all of delivery as one CP-SAT model, as an engineer would write it first. Only the bench uses it."""

from __future__ import annotations

from random import Random

from scheduler.board import Board
from scheduler.improve import apply_seats
from scheduler.model import SubModel
from scheduler.offers import Offers


def monolithic(offers: Offers, seconds: float, seed: int) -> Board:
    """What one model with every need free finds in the time; an empty board where that is nothing."""
    board = Board(offers)
    model = SubModel(board, range(len(offers.wants)), Random(seed), plain=True)  # noqa: S311 # no tie-breaks are drawn
    answer = model.solve(seconds, seed)
    if answer is not None:
        apply_seats(board, answer.seats)
    return board
