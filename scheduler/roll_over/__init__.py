"""Last term's plan carried into a new term: what still fits stays, and of the rest it is said why it does not. No solver.

A delivery meeting is carried seat by seat: where one of its classes does not fit any more, the others keep it. A community or course
is carried whole or not at all, with whoever of it is free. The largest service is kept first; what is locked stands before all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scheduler.assemble import missing_of, plan_of
from scheduler.locked_meetings import same_meeting, standing_locks
from scheduler.problem import Meeting, Plan, Problem, Unmet
from scheduler.roll_over.activities import carry_activities
from scheduler.roll_over.classes import Followed, follow_classes, school_year
from scheduler.roll_over.judge import Growing, Misfit, grow, possible_alone
from scheduler.roll_over.seats import Carrier

__all__ = ["Followed", "Misfit", "RolledOver", "follow_classes", "roll_over", "school_year"]


@dataclass(frozen=True, slots=True)
class RolledOver:
    """What became of an old plan in a new term."""

    plan: Plan
    """A legal plan of the new term: every meeting kept its code. Its bound is all that is needed."""
    kept: tuple[tuple[Meeting, Meeting], ...]
    """Every meeting that was carried: as it stood, and as it stands now."""
    misfits: tuple[Misfit, ...]
    """What was not, in the order of the old plan."""


def roll_over(old: Plan, problem: Problem, classes: Followed) -> RolledOver:
    """Carries an old plan into the county of a new term. `classes`: see `follow_classes`; a class that is not in it keeps its code."""
    growing, misfits = Growing(problem), list[Misfit]()
    growing.add(_locked(problem, old))
    carrier = Carrier(problem, classes)
    seats = [
        seat for meeting in old.meetings if meeting.family == "delivery" for seat in carrier.seats(meeting, misfits)
    ]
    seats.sort(key=lambda seat: (-seat.weight, seat.before.slot, seat.before.code, seat.who))
    grow(growing, possible_alone(problem, seats, misfits), misfits)
    carry_activities(growing, carrier, old.meetings, misfits)
    now = growing.meetings
    order = {meeting.code: number for number, meeting in enumerate(old.meetings)}
    return RolledOver(
        plan=_plan(problem, sorted(now.values(), key=lambda meeting: (meeting.slot, meeting.code))),
        kept=tuple((meeting, now[meeting.code]) for meeting in old.meetings if meeting.code in now),
        misfits=tuple(sorted(misfits, key=lambda each: (order[each.meeting.code], each.who))),
    )


def _locked(problem: Problem, old: Plan) -> Iterator[Meeting]:
    """The locked meetings that can stand, under the codes of the old plan where it had them."""
    for number, lock in enumerate(standing_locks(problem), 1):
        known = next((meeting.code for meeting in old.meetings if same_meeting(meeting, lock.meeting)), None)
        yield replace(lock.meeting, code=known or f"L{number:04}")


def _plan(problem: Problem, meetings: Sequence[Meeting]) -> Plan:
    missing = missing_of(problem, meetings)
    reasons = {key: Unmet(*key, halves, "not_rolled_over") for key, halves in missing.items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=0, status="feasible")
