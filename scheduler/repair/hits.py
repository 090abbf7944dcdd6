"""Which meetings of a standing plan cannot stay, and the proof that fewer would not do.

Every breach of a rule names meetings that cannot all stay. A smallest set that meets all these demands is found; where what is left
breaks another rule, that demand joins the others. Each demand holds for every plan, so the last set is smallest of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ortools.sat.python import cp_model

from scheduler.locked_meetings import rule_violations, sketch
from scheduler.problem import EVEN, ODD, Meeting, Pair, Problem
from scheduler.rules import Case, Ground, Violation

ADDED_LATER = frozenset({"rule_h13_left_out", "rule_h13_number", "rule_h12_weeks"})
"""Breaches that further meetings or listeners cure: nobody has to move for them."""
ROUNDS = 40
"""Rounds of demands after which everybody named goes, without a proof."""


@dataclass(frozen=True, slots=True)
class Demand:
    """At least so many of these groups of meetings must go; a group goes when all of its meetings do."""

    groups: tuple[frozenset[str], ...]
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Hits:
    """The meetings that must move, by code, each with the breach that names it."""

    moved: frozenset[str]
    reasons: Mapping[str, Violation]
    proved: bool
    """Whether no smaller set would do."""


def what_must_move(problem: Problem, meetings: Sequence[Meeting], fixed: Sequence[Meeting] = ()) -> Hits:
    """The fewest meetings that must move so that the others keep every rule together with those that are `fixed`."""
    reasons = {meeting.code: violation for meeting in meetings for violation in _unknown(problem, meeting)}
    moved = frozenset(reasons)
    demands: list[Demand] = [Demand((frozenset({code}),)) for code in sorted(moved)]
    ground = Ground(problem)
    movable = {meeting.code for meeting in meetings}
    weights = {meeting.code: _weight(problem, meeting) for meeting in meetings}
    proved = True
    for turn in count():
        kept = tuple(meeting for meeting in meetings if meeting.code not in moved)
        case = Case(problem, sketch(problem, (*kept, *fixed)), ground)
        fresh: list[Demand] = []
        for violation in rule_violations(case):
            for demand in _demands(case, violation, movable):
                fresh.append(demand)
                for code in frozenset[str]().union(*demand.groups):
                    reasons.setdefault(code, violation)
        if not fresh:
            break
        if turn >= ROUNDS:  # too many ways to choose: whoever is named goes
            fresh = [Demand((group,)) for demand in fresh for group in demand.groups]
        demands += fresh
        moved, exact = _smallest(demands, weights)
        proved = proved and exact and turn < ROUNDS
    return Hits(moved, {code: reasons[code] for code in moved}, proved)


def _unknown(problem: Problem, meeting: Meeting) -> Iterable[Violation]:
    """Codes and needs that the county no longer has."""
    known = (
        meeting.lead_teacher in problem.teachers
        and meeting.lead_room in problem.rooms
        and all(code in problem.classes for code in meeting.classes)
        and all(code in problem.teachers for code in meeting.members)
    )
    if not known:
        yield Violation("CODES", "rule_codes_unknown", (meeting.code,))


def _weight(problem: Problem, meeting: Meeting) -> int:
    """What leaves with a meeting, for a choice between sets of one size."""
    needs = [problem.need_by_key.get((code, meeting.subject)) for code in meeting.classes]
    return meeting.slot.halves * sum(need.priority for need in needs if need) + len(meeting.members)


def _demands(case: Case, violation: Violation, movable: set[str]) -> Iterator[Demand]:
    if violation.code in ADDED_LATER:
        return
    if violation.code in ("rule_h10_lead", "rule_h10_receive"):
        yield from _partners(case, violation, movable)
        return
    named = set(violation.meetings)
    if violation.code in ("rule_h9_week", "rule_h9_day", "rule_h8_day"):
        limit = 1 if violation.code == "rule_h8_day" else _int(violation, "limit")
        yield from _too_many(case, named, movable, limit)
        return
    if violation.rule == "H11":
        named |= _who_might_assist(case, violation)
    if named & movable:
        yield Demand(tuple(frozenset({code}) for code in sorted(named & movable)))


def _too_many(case: Case, named: set[str], movable: set[str], limit: int) -> Iterator[Demand]:
    """H8, H9: at most so many of the meetings in odd weeks, and in even weeks."""
    for week in (ODD, EVEN):
        within = {meeting.code for meeting in case.plan.meetings if meeting.code in named and meeting.slot.weeks & week}
        can_go = sorted(within & movable)
        over = min(len(within) - limit, len(can_go))
        if over > 0:
            yield Demand(tuple(frozenset({code}) for code in can_go), over)


def _int(violation: Violation, name: str) -> int:
    value = violation.facts[name]
    assert isinstance(value, int)
    return value


def _partners(case: Case, violation: Violation, movable: set[str]) -> Iterator[Demand]:
    """H10: whole partnerships must go, each with all of its meetings; one that a fixed meeting holds cannot."""
    school = violation.facts["school"]
    place = 0 if violation.code == "rule_h10_lead" else 1
    by_pair: dict[Pair, set[str]] = defaultdict(set)
    for meeting in case.delivery:
        for code in meeting.classes:
            pair = Pair(case.lead_school(meeting), case.problem.classes[code].school)
            if pair[place] == school:
                by_pair[pair].add(meeting.code)
    groups = tuple(frozenset(codes) for _, codes in sorted(by_pair.items()) if codes <= movable)
    over = _int(violation, "count") - _int(violation, "limit")
    if groups:
        yield Demand(groups, min(over, len(groups)))


def _who_might_assist(case: Case, violation: Violation) -> set[str]:
    """Meetings that hold a teacher of the school on that weekday: without them somebody more could assist."""
    school = violation.facts["school"]
    days = {meeting.slot.weekday for meeting in case.plan.meetings if meeting.code in violation.meetings}
    return {
        meeting.code
        for meeting in case.plan.meetings
        if meeting.slot.weekday in days
        and any(case.problem.teachers[code].school == school for code in (meeting.lead_teacher, *meeting.members))
    }


def _smallest(demands: Sequence[Demand], weights: Mapping[str, int]) -> tuple[frozenset[str], bool]:
    """A smallest set that meets all demands, the least weight among those; and whether it is proved smallest."""
    single = {code for demand in demands if len(demand.groups) == 1 for code in demand.groups[0]}
    open_demands = [demand for demand in demands if not _met(demand, single)]
    if not open_demands:
        return frozenset(single), True
    model = cp_model.CpModel()
    goes: dict[str, cp_model.IntVar] = {}
    for demand in open_demands:
        gone = []
        for group in demand.groups:
            for code in group - goes.keys():
                goes[code] = model.new_bool_var(code)
                if code in single:
                    model.add(goes[code] == 1)
            if len(group) == 1:
                gone.append(goes[next(iter(group))])
            else:
                whole = model.new_bool_var("")
                for code in sorted(group):
                    model.add_implication(whole, goes[code])
                gone.append(whole)
        model.add(sum(gone) >= demand.at_least)
    most = 1 + sum(weights[code] for code in goes)
    model.minimize(sum(literal * (most + weights[code]) for code, literal in sorted(goes.items())))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = 5.0
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return frozenset(single | goes.keys()), False
    chosen = {code for code, literal in goes.items() if solver.boolean_value(literal)}
    return frozenset(single | chosen), status == cp_model.OPTIMAL


def _met(demand: Demand, gone: set[str]) -> bool:
    return sum(group <= gone for group in demand.groups) >= demand.at_least
