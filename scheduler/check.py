"""The judge within: every hard rule, and every figure, of any plan. It never imports the solver.

Nothing is stored, shown or published that has not passed through here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from scheduler.locked_meetings import rule_violations, standing_locks, stands
from scheduler.problem import ClassCode, Pair, Plan, Problem, Subject
from scheduler.rules import Case, Violation
from scheduler.rules.base import clock
from scheduler.rules.needs import meetings_by_need
from scheduler.rules.partners import used_pairs


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Every violation of H1–H13 (docs/PLANNING.md), then of locks, of the plan's own lists and of its figures; empty for a legal plan.

    What a person overrode for a locked meeting is no violation of that meeting, and of no other.
    Codes that the problem does not know are reported alone: nothing else can be judged then.
    """
    unknown = list(_unknown_codes(problem, plan))
    if unknown:
        return unknown
    case = Case(problem, plan)
    found = rule_violations(case) + list(_locks(case))
    return found + list(_pairings(case)) + list(_unmet(case)) + list(_figures(case))


def _unknown_codes(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for meeting in plan.meetings:
        if not problem.knows(meeting):
            yield Violation("CODES", "rule_codes_unknown", (meeting.code,))
    codes = [meeting.code for meeting in plan.meetings]
    if len(set(codes)) < len(codes):
        yield Violation("CODES", "rule_codes_twice")


def _locks(case: Case) -> Iterator[Violation]:
    """Every locked meeting that can stand does."""
    if not case.problem.locks:
        return
    for lock in standing_locks(case.problem):
        if not stands(lock, case.plan.meetings):
            facts = {
                "code": lock.meeting.code,
                "teacher": lock.meeting.lead_teacher,
                "window": clock(lock.meeting.slot),
            }
            yield Violation("LOCK", "rule_lock_missing", (), facts)


def served_halves(case: Case) -> dict[tuple[ClassCode, Subject], int]:
    """Halves given to every need, never more than it asks for."""
    given = {key: sum(meeting.slot.halves for meeting in meetings) for key, meetings in meetings_by_need(case).items()}
    return {key: min(given.get(key, 0), need.halves) for key, need in case.problem.need_by_key.items()}


def _pairings(case: Case) -> Iterator[Violation]:
    """Every pair in use is listed with its subjects; beyond that, only agreements that already stood."""
    listed: dict[Pair, set[Subject]] = defaultdict(set)
    for planned in case.plan.pairings:
        listed[planned.pair].update(planned.subjects)
    used = used_pairs(case)
    for pair, meetings in used.items():
        if {meeting.subject for meeting in meetings} - listed.get(pair, set()):
            yield Violation("PAIRINGS", "rule_pairings_missing", (), {"lead": pair[0], "school": pair[1]})
    for pair in listed.keys() - used.keys() - {standing.pair for standing in case.problem.pairings}:
        yield Violation("PAIRINGS", "rule_pairings_unused", (), {"lead": pair[0], "school": pair[1]})


def _unmet(case: Case) -> Iterator[Violation]:
    """The list of unmet lessons is exactly what is missing."""
    served = served_halves(case)
    missing = {key: need.halves - served[key] for key, need in case.problem.need_by_key.items()}
    said: dict[tuple[ClassCode, Subject], int] = defaultdict(int)
    for unmet in case.plan.unmet:
        said[unmet.school_class, unmet.subject] += unmet.missing_halves
    for key in sorted(missing.keys() | said.keys()):
        if missing.get(key, 0) != said.get(key, 0):
            facts = {"school_class": key[0], "subject": key[1], "said": said.get(key, 0) / 2}
            yield Violation("UNMET", "rule_unmet", (), {**facts, "missing": missing.get(key, 0) / 2})


def _figures(case: Case) -> Iterator[Violation]:
    """Sums as the meetings have them, and a bound that is not below the service."""
    plan, needs, served = case.plan, case.problem.need_by_key, served_halves(case)
    true = {
        "needed_halves": sum(need.halves for need in needs.values()),
        "served_halves": sum(served.values()),
        "needed_weighted": sum(need.halves * need.priority for need in needs.values()),
        "served_weighted": sum(needs[key].priority * halves for key, halves in served.items()),
    }
    for name, value in true.items():
        if getattr(plan, name) != value:
            facts = {"name": name, "said": getattr(plan, name), "true": value}
            yield Violation("SUMMARY", "rule_summary", (), facts)
    if plan.bound_weighted < true["served_weighted"]:
        facts = {"name": "bound_weighted", "said": plan.bound_weighted, "true": true["served_weighted"]}
        yield Violation("SUMMARY", "rule_bound", (), facts)
