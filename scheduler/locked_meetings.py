"""Locked meetings: which of a county's locks can stand, and what a person who places a meeting anyway is excused from.

Plain arithmetic on the rules, like the judge: no solver, no search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scheduler.assemble import pairings_of
from scheduler.problem import Lock, Meeting, Plan, Problem
from scheduler.rules import RULES, Case, Ground, Violation

OVERRIDABLE = frozenset({"H1", "H2", "H3", "H5", "H6", "H7", "H8", "H9", "H10", "H11"})
"""Rules that a person may override for one meeting. What makes a synchronous meeting or an activity what it is cannot be."""
NEVER = frozenset({"rule_h8_many", "rule_h7_unasked"})
"""Breaches of those rules that stay breaches: lessons that nobody asks for."""


def same_meeting(one: Meeting, other: Meeting) -> bool:
    """Whether two meetings are the same one, whatever their codes and whoever attends."""
    return (one.family, one.ref, one.subject, one.lead_teacher, one.lead_room, one.slot, one.host_lesson) == (
        other.family,
        other.ref,
        other.subject,
        other.lead_teacher,
        other.lead_room,
        other.slot,
        other.host_lesson,
    )


def stands(lock: Lock, meetings: Iterable[Meeting]) -> bool:
    """Whether the locked meeting is among these, with everybody who is locked into it."""
    return any(
        same_meeting(lock.meeting, meeting)
        and set(lock.meeting.classes) <= set(meeting.classes)
        and set(lock.meeting.members) <= set(meeting.members)
        for meeting in meetings
    )


def excused(problem: Problem, meetings: Iterable[Meeting], violation: Violation) -> bool:
    """Whether a person overrode just this rule for a meeting that the violation names."""
    if violation.rule not in OVERRIDABLE or violation.code in NEVER:
        return False
    overriding = [lock for lock in problem.locks if violation.rule in lock.overrides]
    if not overriding:
        return False
    if not violation.meetings:  # limits of partners name schools, not meetings
        return any(violation.facts.get("school") in _schools(problem, lock.meeting) for lock in overriding)
    named = [meeting for meeting in meetings if meeting.code in violation.meetings]
    return any(stands(lock, named) for lock in overriding)


def _schools(problem: Problem, meeting: Meeting) -> set[str]:
    return {problem.teachers[meeting.lead_teacher].school} | {problem.classes[code].school for code in meeting.classes}


def rule_violations(case: Case) -> list[Violation]:
    """Every breach of H1–H13 that nobody was excused from. The plan's codes must be known to the problem."""
    problem, plan = case.problem, case.plan
    found = [violation for rule in RULES for violation in rule().violations(case)]
    return [violation for violation in found if not excused(problem, plan.meetings, violation)]


def standing_locks(problem: Problem) -> tuple[Lock, ...]:
    """The locks that can stand together: those made by hand before automatic ones, older before newer."""
    ordered = sorted(problem.locks, key=lambda lock: lock.origin != "manual")
    left = [lock for lock in ordered if problem.knows(lock.meeting)]
    ground = Ground(problem) if left else None
    while left:
        meetings = tuple(replace(lock.meeting, code=str(number)) for number, lock in enumerate(left))
        guilty: set[int] = set()
        for violation in rule_violations(Case(problem, sketch(problem, meetings), ground)):
            if violation.code == "rule_h13_left_out":  # whoever is free joins when the plan is made
                continue
            named = [int(code) for code in violation.meetings] or [
                number
                for number, lock in enumerate(left)
                if violation.facts.get("school") in _schools(problem, lock.meeting)
            ]
            if named and not guilty.intersection(named):
                guilty.add(max(named))
        if not guilty:
            break
        left = [lock for number, lock in enumerate(left) if number not in guilty]
    return tuple(left)


def sketch(problem: Problem, meetings: tuple[Meeting, ...]) -> Plan:
    """The meetings alone, as a plan without figures."""
    return Plan(meetings, pairings_of(problem, meetings), (), 0, 0, 0, 0, 0, 0.0, 0, "feasible")
