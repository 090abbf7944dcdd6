"""A legal plan of any county, and how it is made illegal: by a county that is a little stricter, or by a change to the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from scheduler.assemble import missing_of, plan_of
from scheduler.finish import stages
from scheduler.greedy import plain_greedy
from scheduler.improve import snapshot
from scheduler.offers import Offers
from scheduler.problem import (
    Meeting,
    Plan,
    Problem,
    Unmet,
)
from scheduler.windows import Grid

Case = tuple[Problem, Plan]
Mutation = Callable[[Problem, Plan], Iterator[Case]]
"""From a county and a legal plan to as many illegal cases as can be found."""


def legal_plan(problem: Problem) -> Plan:
    """A whole plan, activities and all, made by turns; nobody has asked for reasons yet. Quick, and legal for any county."""
    offers = Offers(problem, Grid(problem))
    board = plain_greedy(offers)
    most = sum(need.halves * need.priority for need in problem.needs)
    state = snapshot(board, range(len(offers.wants)))
    return next(stages(offers, state, None, {}, bound=most, seconds=0.0, seed=0, status="feasible"))


def again(problem: Problem, meetings: Sequence[Meeting]) -> Case:
    """The plan of these meetings, its lists and figures right: only H1–H13 are at stake."""
    reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    plan = plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=0, status="stopped")
    return problem, replace(plan, served_weighted=min(plan.served_weighted, most))


def changed(problem: Problem, plan: Plan, meeting: Meeting, **changes: object) -> Case:
    """The plan with one meeting changed."""
    return again(problem, [replace(m, **changes) if m is meeting else m for m in plan.meetings])  # type: ignore[arg-type]


def delivery(plan: Plan) -> list[Meeting]:
    return [meeting for meeting in plan.meetings if meeting.family == "delivery"]
