"""H10: a locked pairing is used where it can be, whatever else could be won without it."""

from __future__ import annotations

from random import Random

from scheduler.board import Board
from scheduler.improve import Snapshot, restore, snapshot
from scheduler.rebuild import reseat


def locks_used(board: Board) -> int:
    """How many locked pairings the board uses; the place that each holds by itself counts one use."""
    return sum(board.pair_use[pair] > 1 for pair in board.locked)


def honour_locked(board: Board) -> None:
    """H10: a locked pairing is used where it can be, at the least cost in service that is found."""
    offers, random = board.offers, Random(7)  # noqa: S311 # the order of a few tries, nothing secret
    for pair in board.locked:
        if board.pair_use[pair] > 1:  # the place it holds by itself counts one
            continue
        free = [need for need, want in enumerate(offers.wants) if want.school == pair.receive_school]
        before = snapshot(board, free)
        options: list[tuple[int, Snapshot]] = []
        for need in free:
            for _, spots in offers.by_lead[need].get(pair.lead_school, ()):
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
