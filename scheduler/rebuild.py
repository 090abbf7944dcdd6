"""Ruin and recreate: some needs lose their seats and are seated again in another order. Thousands of small tries a minute.

A try is kept where service does not fall, or falls a little while the search is still warm. Everything works on one `Board`, whose
questions keep every hard rule, so each state is a legal plan.
"""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from scheduler.board import Board
from scheduler.problem import SchoolCode, TeacherCode


def reseat(board: Board, needs: Collection[int], random: Random, loose: float = 0.0) -> None:
    """Seats the needs one after another, those with the fewest ways first; `loose` (0 … 1) mixes the order."""
    left = list(needs)
    random.shuffle(left)
    if random.random() >= loose:
        ways = {need: len(board.offers.seats[need]) + random.random() * 30 for need in left}
        weight = {need: board.offers.wants[need].weight * board.offers.wants[need].need.halves for need in left}
        left.sort(key=lambda need: ways[need] / (1 + weight[need]))
    for need in left:
        seat_best(board, need, random)


ENOUGH = 3
"""Teachers who can give a need all it asks for, before the rest of a lead school group is left unasked."""


def seat_best(board: Board, need: int, random: Random) -> int:
    """Gives a need the lead teacher who can do most for it now; returns the halves served.

    Partners that stand are asked before new ones, since partners are scarce.
    """
    offers = board.offers
    want = offers.wants[need]
    asked = want.need.halves - board.served[need]
    if asked <= 0:
        return board.served[need]
    bound_to = board.teacher_of[need]
    busy = board.class_busy[want.need.school_class]
    standing, new = _leads(board, need, want.school, random)
    best_score, best_spots = 0.0, None
    for bonus, leads in ((1.0, standing), (0.0, new)):
        full = 0
        for lead in leads:
            for teacher, spots in offers.by_lead[need][lead]:
                if bound_to not in (None, teacher):
                    continue
                found = [n for n in spots if not offers.masks[n] & busy]
                if not found or 2 * len(found) < best_score - 1:
                    continue
                chosen, halves, joined = _fill(board, need, teacher, found, random)
                if halves:
                    score = halves + bonus + 0.4 * joined / len(chosen) + random.random() * 0.5
                    if score > best_score:
                        best_score, best_spots = score, chosen
                    full += halves == asked
            if full >= ENOUGH:
                break
        if best_score >= asked:
            break
    if best_spots is None:
        return 0
    for number in best_spots:
        board.seat(need, number)
    return board.served[need]


def _leads(board: Board, need: int, school: SchoolCode, random: Random) -> tuple[list[SchoolCode], list[SchoolCode]]:
    """Lead schools that are partners of the school, and those that could become one, those with most places left first."""
    policy = board.policy
    open_to_new = board.receive_partners[school] < policy.max_partners_per_receiver
    standing, new = [], []
    for lead in board.offers.by_lead[need]:
        if board.pair_use.get((lead, school)):
            standing.append(lead)
        elif open_to_new and board.lead_partners[lead] < policy.max_partners_per_lead:
            new.append((board.lead_partners[lead] + 4 * random.random(), lead))
    random.shuffle(standing)
    return standing, [lead for _, lead in sorted(new)]


def _fill(
    board: Board, need: int, teacher: TeacherCode, spots: list[int], random: Random
) -> tuple[list[int], int, int]:
    """Spots of one teacher for the need: as many halves as fit, meetings that stand before new ones."""
    offers = board.offers
    sittings, masks, days, halves = board.sittings, offers.masks, offers.days, offers.halves
    want = offers.wants[need]
    left = asked = want.need.halves - board.served[need]
    one_a_day = board.policy.one_lesson_per_day
    room_busy = board.room_busy[want.room] if want.room is not None else 0
    held_by_teacher = board.teacher_busy[teacher]
    joins = [n for n in spots if n in sittings]
    hosted, alone_busy = offers.hosted, room_busy | held_by_teacher
    fresh = [n for n in spots if n not in sittings and not masks[n] & (room_busy if hosted[n] else alone_busy)]
    if len(fresh) > 1:
        turn = int(random.random() * len(fresh))
        fresh = fresh[turn:] + fresh[:turn]
        if random.random() < 0.8:  # a meeting across two periods of the receiving school costs its room twice
            fresh.sort(key=offers.two_periods[need].__contains__)
    chosen: list[int] = []
    used_days = used_mask = opened_days = 0
    for number in board.spots_of[need]:  # a locked meeting
        used_days |= days[number]
    for number in joins:
        if halves[number] > left or masks[number] & used_mask or (one_a_day and days[number] & used_days):
            continue
        if board.can_join(need, number):
            chosen.append(number)
            used_mask |= masks[number]
            used_days |= days[number]
            left -= halves[number]
            if not left:
                return chosen, asked, len(chosen)
    joined = len(chosen)
    week_left = board.week_left(teacher)
    for number in fresh:
        if (
            halves[number] > left
            or masks[number] & used_mask
            or days[number] & (used_days if one_a_day else opened_days)
        ):
            continue
        if week_left <= 0:
            break
        if board.can_open(need, number):
            chosen.append(number)
            used_mask |= masks[number]
            used_days |= days[number]
            opened_days |= days[number]
            week_left -= 1
            left -= halves[number]
            if not left:
                break
    return chosen, asked - left, joined
