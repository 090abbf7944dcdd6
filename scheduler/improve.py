"""Improvement by neighbourhoods: free some needs, let CP-SAT seat them anew, keep what is not worse."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from random import Random

from scheduler.board import Board
from scheduler.model import SubModel
from scheduler.problem import RoomCode, SchoolCode


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The seats of some needs, with the lead rooms of their meetings."""

    seats: Mapping[int, tuple[int, ...]]
    rooms: Mapping[int, RoomCode]
    moves: int
    """How many changes of lead rooms the board had seen."""


def snapshot(board: Board, needs: Collection[int]) -> Snapshot:
    seats = {need: tuple(board.spots_of[need]) for need in needs if board.spots_of[need]}
    rooms = {number: board.sittings[number].room for numbers in seats.values() for number in numbers}
    return Snapshot(seats, rooms, len(board.moves))


def restore(board: Board, needs: Collection[int], before: Snapshot) -> None:
    """Puts the needs back as they were on this board; everybody else must sit where they sat, if perhaps in another room."""
    for need in needs:
        board.clear(need)
    board.undo_moves(before.moves)
    for need, numbers in before.seats.items():
        for number in numbers:
            if (need, number) not in board.kept:
                board.seat(need, number, before.rooms[number])


def rebuild(board: Board, state: Snapshot) -> None:
    """Makes the board the whole state of another board."""
    everyone = range(len(board.offers.wants))
    for need in everyone:
        board.clear(need)
    board.moves.clear()
    restore(board, everyone, replace(state, moves=0))


def apply_seats(
    board: Board, seats: Mapping[int, tuple[int, ...]], rooms: Mapping[int, RoomCode] | None = None
) -> None:
    """Seats the needs as far as everything fits, meetings with many receivers first so that they get the large rooms.

    `rooms`: lead rooms that meetings had before and get again where those are free and large enough.
    """
    receivers: dict[int, list[int]] = {}
    for need, numbers in sorted(seats.items()):
        for number in numbers:
            receivers.setdefault(number, []).append(need)
    rooms = rooms or {}
    for number, needs in sorted(receivers.items(), key=lambda item: (item[0] not in rooms, -len(item[1]), item[0])):
        spot = board.offers.spots[number]
        for need in needs:
            if board.may_meet(need, spot.teacher) and board.seat_free(need, number):
                room = None
                if number not in board.sittings:
                    barred = board.offers.wants[need].room
                    found = board.room_for(spot, len(needs), barred, rooms.get(number))
                    room = found[0] if found else None
                board.seat(need, number, room)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one neighbourhood."""

    gain: int
    proved: bool
    found: bool


def try_anew(
    board: Board,
    free: Collection[int],
    random: Random,
    seconds: float,
    *,
    leads: Collection[SchoolCode] | None = None,
    work: float | None = None,
) -> Step:
    """Seats the free needs anew; the board is never left worse than it was."""
    before, weighted = snapshot(board, free), board.weighted
    for need in free:
        board.clear(need)
    model = SubModel(board, free, random, leads)
    model.hint(dict(before.seats))
    answer = model.solve(seconds, random.randrange(1 << 30), work)
    if answer is not None:
        apply_seats(board, answer.seats)
    if answer is None or board.weighted < weighted:
        restore(board, free, before)
    gain = board.weighted - weighted
    return Step(gain, answer is not None and answer.proved, answer is not None)
