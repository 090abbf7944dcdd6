"""Where the meetings of a plan that stood before would stand on a board: what a new plan should keep, service allowing."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.board import Board
from scheduler.offers import Offers
from scheduler.problem import Plan, RoomCode, Subject


@dataclass(frozen=True, slots=True)
class Home:
    """A delivery meeting that stood: the spots it could take (with or without a host lesson), its room and its needs."""

    spots: tuple[int, ...]
    room: RoomCode
    subject: Subject
    needs: tuple[int, ...]


def homes_of(offers: Offers, previous: Plan | None) -> list[Home]:
    """The meetings that could stand again: teacher, window and room are there, and everybody may still attend."""
    if previous is None:
        return []
    problem = offers.problem
    numbers = {(want.need.school_class, want.need.subject): number for number, want in enumerate(offers.wants)}
    found = []
    for meeting in previous.meetings:
        keys = [(code, meeting.subject) for code in meeting.classes]
        if meeting.family == "delivery" and problem.knows(meeting) and all(key in numbers for key in keys):
            needs = tuple(sorted(numbers[key] for key in keys))
            offered = [set(offers.seats[need].get(meeting.lead_teacher, ())) for need in needs]
            spots = [spot for spot in set.intersection(*offered) if offers.spots[spot].slot == meeting.slot]
            if spots:
                found.append(Home(tuple(sorted(spots)), meeting.lead_room, meeting.subject, needs))
    return found


def at_home(board: Board, home: Home) -> bool:
    """Whether the meeting stands as it stood; others may have joined."""
    return any(
        sitting.subject == home.subject and sitting.room == home.room and set(home.needs) <= set(sitting.needs)
        for sitting in (board.sittings[spot] for spot in home.spots if spot in board.sittings)
    )


def bring_home(board: Board, home: Home) -> None:
    """Seats the needs where they sat, as far as they may and fit now."""
    for number in home.spots:
        spot = board.offers.spots[number]
        for need in home.needs:
            if (
                number not in board.spots_of[need]
                and board.may_meet(need, spot.teacher)
                and board.seat_free(need, number)
            ):
                fits = number not in board.sittings and home.room != board.offers.wants[need].room
                room = home.room if fits and board.room_open(spot, home.room) else None
                board.seat(need, number, room)
