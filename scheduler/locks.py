"""H10: a locked pairing is used where it can be, whatever else could be won without it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from scheduler.board import Board
from scheduler.improve import Snapshot, restore, snapshot
from scheduler.problem import Pair, SchoolCode
from scheduler.rebuild import reseat


def locks_used(board: Board) -> int:
    """How many locked pairings the board uses; the place that each holds by itself counts one use."""
    return sum(board.pair_use[pair] > 1 for pair in board.locked)


def honour_locked(board: Board) -> None:
    """H10: a locked pairing is used where it can be, at the least cost in service that is found.

    What the receiving school gets is seated anew; where that is not enough, what its partner gives to others as well.
    """
    for pair in board.locked:
        if board.pair_use[pair] > 1:  # the place it holds by itself counts one
            continue
        own = [need for need, want in enumerate(board.offers.wants) if want.school == pair.receive_school]
        if not _use(board, pair, own, own):
            _use(board, pair, own, sorted({*own, *_served_by(board, pair.lead_school)}))


def _served_by(board: Board, lead: SchoolCode) -> set[int]:
    teachers = board.offers.problem.teachers
    return {need for need, held in enumerate(board.teacher_of) if held is not None and teachers[held].school == lead}


def _use(board: Board, pair: Pair, own: Sequence[int], free: Sequence[int]) -> bool:
    """Seats one of the receiving school's `own` needs with the partner, and all that is `free` around it; the best such board."""
    random = Random(7)  # noqa: S311 # the order of a few tries, nothing secret
    before = snapshot(board, free)
    options: list[tuple[int, Snapshot]] = []
    for need in own:
        for _, spots in board.offers.by_lead[need].get(pair.lead_school, ()):
            restore(board, free, before)
            for other in free:
                board.clear(other)
            for number in spots:
                if board.seat_free(need, number):
                    board.seat(need, number)
            if board.spots_of[need]:
                reseat(board, [other for other in free if other != need], random)
                options.append((board.weighted, snapshot(board, free)))
    restore(board, free, before)
    if options:
        restore(board, free, max(options, key=lambda option: option[0])[1])
    return bool(options)
