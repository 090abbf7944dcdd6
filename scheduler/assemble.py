"""From a board to a plan: codes, pairings, what is missing, figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from scheduler.problem import (
    ClassCode,
    Meeting,
    Pair,
    Plan,
    PlannedPair,
    PlanStatus,
    Problem,
    Subject,
    Unmet,
)

if TYPE_CHECKING:  # the judge reads lists from here, and a board reads the judge
    from scheduler.board import Board


def delivery_meetings(board: Board) -> list[Meeting]:
    """The board's sittings, in order of time; codes are given by `numbered`."""
    offers = board.offers
    found = []
    for sitting in board.sittings.values():
        spot = offers.spots[sitting.spot]
        classes = tuple(sorted(offers.wants[need].need.school_class for need in sitting.needs))
        found.append(
            Meeting(
                "", "delivery", sitting.subject, spot.teacher, sitting.room, spot.slot, classes, host_lesson=spot.host
            )
        )
    return sorted(found, key=lambda meeting: (meeting.slot, meeting.lead_teacher))


def numbered(meetings: Iterable[Meeting], previous: Plan | None, beside: Iterable[Meeting] = ()) -> list[Meeting]:
    """Codes ``D0001`` …; a meeting that stood before (teacher, subject, window) keeps its code. `beside` have theirs already."""
    stood = previous.meetings if previous else ()
    given = {meeting.code for meeting in beside}
    before = {
        (old.lead_teacher, old.subject, old.slot): old.code
        for old in stood
        if old.family == "delivery" and old.code not in given
    }
    taken = given.union(old.code for old in stood)
    fresh = (code for code in (f"D{number:04}" for number in count(1)) if code not in taken)
    return [replace(new, code=before.get((new.lead_teacher, new.subject, new.slot)) or next(fresh)) for new in meetings]


def pairings_of(problem: Problem, meetings: Iterable[Meeting]) -> tuple[PlannedPair, ...]:
    """Every pair that delivery uses, and the locked agreements, which stand even unused (H10)."""
    subjects: dict[Pair, set[Subject]] = defaultdict(set)
    for meeting in meetings:
        if meeting.family == "delivery":
            lead = problem.teachers[meeting.lead_teacher].school
            for code in meeting.classes:
                subjects[Pair(lead, problem.classes[code].school)].add(meeting.subject)
    for standing in problem.pairings:
        if standing.locked and standing.pair not in subjects:
            subjects[standing.pair] = set(standing.subjects)
    return tuple(PlannedPair(pair, frozenset(subjects[pair])) for pair in sorted(subjects))


def missing_of(problem: Problem, meetings: Iterable[Meeting]) -> dict[tuple[ClassCode, Subject], int]:
    """Halves that no meeting serves, by need; only where some are missing."""
    given: dict[tuple[ClassCode, Subject], int] = defaultdict(int)
    for meeting in meetings:
        if meeting.family == "delivery":
            for code in meeting.classes:
                given[code, meeting.subject] += meeting.slot.halves
    missing = {key: need.halves - given[key] for key, need in problem.need_by_key.items()}
    return {key: halves for key, halves in missing.items() if halves > 0}


def plan_of(
    problem: Problem,
    meetings: Sequence[Meeting],
    reasons: Mapping[tuple[ClassCode, Subject], Unmet],
    *,
    bound: int,
    seconds: float,
    seed: int,
    status: PlanStatus,
) -> Plan:
    """A plan with its figures, from its meetings. Every missing need must have a reason."""
    missing = missing_of(problem, meetings)
    needed = sum(need.halves for need in problem.needs)
    needed_weighted = sum(need.halves * need.priority for need in problem.needs)
    lost = sum(halves * problem.need_by_key[key].priority for key, halves in missing.items())
    served_weighted = needed_weighted - lost
    return Plan(
        meetings=tuple(meetings),
        pairings=pairings_of(problem, meetings),
        unmet=tuple(replace(reasons[key], missing_halves=halves) for key, halves in sorted(missing.items())),
        needed_halves=needed,
        served_halves=needed - sum(missing.values()),
        needed_weighted=needed_weighted,
        served_weighted=served_weighted,
        bound_weighted=bound,
        seconds=seconds,
        seed=seed,
        status="optimal" if bound == served_weighted and status == "feasible" else status,
    )


def bare(
    problem: Problem,
    meetings: Sequence[Meeting],
    *,
    bound: int,
    seconds: float,
    seed: int,
    status: PlanStatus = "stopped",
) -> Plan:
    """A plan of delivery meetings alone, for a run that was ended before it could finish: reasons were not looked for."""
    reasons = {(lack.school_class, lack.subject): lack for lack in not_asked(problem)}
    return plan_of(problem, meetings, reasons, bound=bound, seconds=seconds, seed=seed, status=status)


def not_asked(problem: Problem) -> list[Unmet]:
    """What is said of a missing lesson before its reason was looked for."""
    return [Unmet(need.school_class, need.subject, 0, "run_ended") for need in problem.needs]
