"""The plain greedy: needs by priority, each given what it can have now, nothing ever moved.

It is the baseline of ``sanke bench plan`` and of no other use; `scheduler.construct` begins better.
"""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.board import Board
from scheduler.offers import Offers
from scheduler.problem import TeacherCode


def plain_greedy(offers: Offers) -> Board:
    """Serves needs by priority, then by lessons asked for."""
    board = Board(offers)
    wants = offers.wants
    place_in_order(board, sorted(range(len(wants)), key=lambda n: (-wants[n].need.priority, -wants[n].need.halves, n)))
    return board


def place_in_order(board: Board, needs: Iterable[int]) -> None:
    """Gives every need in turn the lead teacher who can do most for it now, joining meetings before opening new ones."""
    for need in needs:
        best: tuple[tuple[int, ...], TeacherCode, list[int]] | None = None
        for teacher, spots in board.offers.seats[need].items():
            if not board.may_meet(need, teacher):
                continue
            chosen, score = choose_spots(board, need, spots)
            if chosen:
                rank = (*score, -new_partner(board, need, teacher))
                if best is None or rank > best[0]:
                    best = (rank, teacher, chosen)
        if best is not None:
            for number in best[2]:
                board.seat(need, number)


def new_partner(board: Board, need: int, teacher: TeacherCode) -> int:
    pair = (board.offers.problem.teachers[teacher].school, board.offers.wants[need].school)
    return 0 if board.pair_use.get(pair) else 1


def choose_spots(board: Board, need: int, spots: Iterable[int]) -> tuple[list[int], tuple[int, int]]:
    """Spots of one teacher that fit together for the need now; the score is halves served, then meetings joined."""
    offers = board.offers
    want = offers.wants[need]
    busy = board.class_busy[want.need.school_class]
    left = want.need.halves - board.served[need]
    open_now = [n for n in spots if not offers.spots[n].mask & busy and board.seat_free(need, n)]
    open_now.sort(key=lambda n: (-offers.spots[n].slot.halves, n not in board.sittings, n))
    chosen: list[int] = []
    joined = 0
    fresh: dict[tuple[int, int], int] = {}
    for number in open_now:
        spot = offers.spots[number]
        slot = spot.slot
        if slot.halves > left or any(_beside(board, slot_number, number) for slot_number in chosen):
            continue
        if number in board.sittings:
            joined += 1
        elif not _within_load(board, number, fresh):
            continue
        chosen.append(number)
        left -= slot.halves
        if not left:
            break
    return chosen, (want.need.halves - left, joined)


def _beside(board: Board, first: int, second: int) -> bool:
    """Whether two spots cannot both be taken by one need."""
    one, two = board.offers.spots[first], board.offers.spots[second]
    if one.mask & two.mask:
        return True
    same_day = one.slot.weekday == two.slot.weekday and bool(one.slot.weeks & two.slot.weeks)
    return same_day and board.policy.one_lesson_per_day


def _within_load(board: Board, number: int, fresh: dict[tuple[int, int], int]) -> bool:
    """H9 for several new meetings at once; counts the spot where it fits."""
    spot = board.offers.spots[number]
    teacher = board.offers.problem.teachers[spot.teacher]
    weeks = [week for week in (1, 2) if week & spot.slot.weeks]
    for week in weeks:
        day = (spot.slot.weekday, week)
        if board.week_load[spot.teacher, week] + fresh.get((0, week), 0) >= teacher.week_limit:
            return False
        if board.day_load[spot.teacher, spot.slot.weekday, week] + fresh.get(day, 0) >= teacher.day_limit:
            return False
    for week in weeks:
        fresh[0, week] = fresh.get((0, week), 0) + 1
        fresh[spot.slot.weekday, week] = fresh.get((spot.slot.weekday, week), 0) + 1
    return True
