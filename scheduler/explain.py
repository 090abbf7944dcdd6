"""Why a lesson is missing: a code, the facts that forbid it, and never a guess.

Two kinds of reason, told apart in words. *Whatever the plan*: nobody is qualified, no minutes are in common, no teacher could give so
many lessons a week, or the school's own classes and receiving rooms have no time for all it asks for (proved in
`scheduler.bound`). *As the plan stands*: every seat that the need could take was asked again on the finished board, and what closes it was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scheduler.board import Board
from scheduler.offers import Offers
from scheduler.problem import EVEN, ODD, SchoolCode, TeacherCode, Unmet

Cause = Literal[
    "partners", "class_time", "room_time", "day", "staff", "group", "seats", "teacher", "limit", "lead_room"
]
"""What closes one seat, in the order in which it is asked."""


@dataclass(frozen=True, slots=True)
class SchoolCeiling:
    """What was proved for a receiving school, in halves × priority and in halves."""

    weighted: int
    most_halves: int
    asked_halves: int


def explain(board: Board, ceilings: Mapping[SchoolCode, SchoolCeiling]) -> list[Unmet]:
    """A reason for every need that lacks lessons on the board."""
    wants = board.offers.wants
    at_ceiling = _at_ceiling(board, ceilings)
    return [
        _reason(board, number, ceilings.get(want.school) if want.school in at_ceiling else None)
        for number, want in enumerate(wants)
        if board.served[number] < want.need.halves
    ]


def _at_ceiling(board: Board, ceilings: Mapping[SchoolCode, SchoolCeiling]) -> set[SchoolCode]:
    """Schools that get all that can be proved possible, though not all they ask for."""
    weighted: Counter[SchoolCode] = Counter()
    halves: Counter[SchoolCode] = Counter()
    for number, want in enumerate(board.offers.wants):
        weighted[want.school] += board.served[number] * want.weight
        halves[want.school] += board.served[number]
    return {
        school
        for school, ceiling in ceilings.items()
        if ceiling.most_halves < ceiling.asked_halves
        and (weighted[school] >= ceiling.weighted or halves[school] >= ceiling.most_halves)
    }


def _reason(board: Board, number: int, full: SchoolCeiling | None) -> Unmet:
    want = board.offers.wants[number]
    missing = want.need.halves - board.served[number]
    code, facts = whatever_the_plan(board.offers, number)
    if not code and full is not None:
        code = "school_full"
        facts = {"school": want.school, "asked": full.asked_halves / 2, "most": full.most_halves / 2}
    if not code:
        code, facts = _as_it_stands(board, number)
    return Unmet(want.need.school_class, want.need.subject, missing, code, facts)


# ---------------------------------------------------------------- whatever the plan


def whatever_the_plan(offers: Offers, number: int) -> tuple[str, dict[str, object]]:
    """A certificate that holds for every plan, or an empty code. Also asked before a run."""
    want, problem = offers.wants[number], offers.problem
    facts: dict[str, object] = {"school_class": want.need.school_class, "subject": want.need.subject}
    able = [
        teacher
        for teacher in problem.teachers.values()
        if problem.schools[teacher.school].leads
        and teacher.school != want.school
        and problem.qualified(teacher.code, want.need.subject, want.need.school_class)
    ]
    if not able:
        return "no_teacher", facts
    facts["teachers"] = len(able)
    if not any(offers.leadable[teacher.school] for teacher in able):
        return "no_lead_room", facts
    if not offers.seats[number]:
        return ("class_never_free", facts) if not _ever_open(offers, number) else ("no_common_window", facts)
    teacher, most = _best_alone(offers, number)
    if most < want.need.halves:
        return "teacher_too_few", {**facts, "teacher": teacher, "most": most / 2, "asked": want.need.halves / 2}
    return "", {}


def _ever_open(offers: Offers, number: int) -> bool:
    code = offers.wants[number].need.school_class
    return any(opened[code] for opened in offers.open_class)


def _best_alone(offers: Offers, number: int) -> tuple[TeacherCode, int]:
    """The teacher who could give the need most if it were the only one in the county."""
    asked = offers.wants[number].need.halves
    one_a_day = offers.problem.policy.one_lesson_per_day
    best: tuple[int, TeacherCode] | None = None
    for teacher, spots in offers.seats[number].items():
        slots = [offers.spots[spot].slot for spot in spots]
        weeks = {
            ((slot.weekday, week) if one_a_day else (slot, week))
            for slot in slots
            for week in (ODD, EVEN)
            if slot.weeks & week
        }
        most = min(asked, len(weeks))
        if best is None or most > best[0]:
            best = (most, teacher)
    assert best is not None
    return best[1], best[0]


# ---------------------------------------------------------------- as the plan stands


def _as_it_stands(board: Board, number: int) -> tuple[str, dict[str, object]]:
    """What closes the seats that the need could still take, and the cause that closes most of them."""
    offers = board.offers
    want = offers.wants[number]
    held = board.teacher_of[number]
    causes: Counter[Cause] = Counter()
    teachers = [held] if held is not None else list(offers.seats[number])
    for teacher in teachers:
        spots = [spot for spot in offers.seats[number].get(teacher, ()) if spot not in board.spots_of[number]]
        if not board.may_meet(number, teacher):
            causes["partners"] += len(spots)
            continue
        for spot in spots:
            causes[closed_by(board, number, spot)] += 1
    cause: Cause = max(causes, key=causes.__getitem__, default="class_time")
    facts: dict[str, object] = {
        "school_class": want.need.school_class,
        "subject": want.need.subject,
        "school": want.school,
        "teachers": len(offers.seats[number]),
        "teacher": held or "",
        "seats": sum(causes.values()),
        "closed": causes[cause],
        "room": want.room or "",
    }
    prefix = "stands_with_teacher" if held is not None else "stands"
    return f"{prefix}_{cause}", facts


def closed_by(board: Board, number: int, spot_number: int) -> Cause:
    """The first rule that keeps a need out of a seat on this board; the seat must be closed."""
    offers = board.offers
    want, spot = offers.wants[number], offers.spots[spot_number]
    if spot.mask & board.class_busy[want.need.school_class]:
        return "class_time"
    if board.policy.one_lesson_per_day and any(
        offers.days[spot_number] & offers.days[n] for n in board.spots_of[number]
    ):
        return "day"
    if board.served[number] + spot.slot.halves > want.need.halves:
        return "day"
    if not board.staff_left(want.school, spot.mask):
        return "staff"
    sitting = board.sittings.get(spot_number)
    if sitting is not None:
        others = [offers.wants[other] for other in sitting.needs]
        grades = want.grades.intersection(*(other.grades for other in others))
        editions = {want.edition, *(other.edition for other in others)} - {""}
        if sitting.subject != want.need.subject or not grades or len(editions) > 1:
            return "group"
        if len(sitting.needs) >= board.widest(sitting):
            return "seats"
        return "room_time"
    if want.room is not None and spot.mask & board.room_busy[want.room]:
        return "room_time"
    if spot.host is None and spot.mask & board.teacher_busy[spot.teacher]:
        return "teacher"
    if not board.load_left(spot):
        return "limit"
    if board.room_for(spot, 1, want.room) is None:
        return "lead_room"
    return "teacher"
