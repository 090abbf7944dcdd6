"""Before the run: input that contradicts itself, and needs that no plan can ever serve. Seconds, not minutes."""

from __future__ import annotations

from scheduler.explain import whatever_the_plan
from scheduler.offers import Offers
from scheduler.outcome import Finding
from scheduler.problem import Problem, SchoolCode
from scheduler.windows import Grid


def diagnose(problem: Problem) -> list[Finding]:
    """Contradictions within the input; none stops a run, each explains something a planner will wonder about."""
    found: list[Finding] = []
    policy = problem.policy
    per_lead: dict[SchoolCode, int] = {}
    per_receiver: dict[SchoolCode, int] = {}
    for standing in problem.pairings:
        if not standing.locked:
            continue
        lead, school = standing.pair
        if lead == school:
            found.append(Finding("locked_own_school", {"school": school}))
        per_lead[lead] = per_lead.get(lead, 0) + 1
        per_receiver[school] = per_receiver.get(school, 0) + 1
    for counts, limit, code in (
        (per_lead, policy.max_partners_per_lead, "locked_too_many_lead"),
        (per_receiver, policy.max_partners_per_receiver, "locked_too_many_receive"),
    ):
        for school, count in sorted(counts.items()):
            if count > limit:
                found.append(Finding(code, {"school": school, "count": count, "limit": limit}))
    if policy.max_receivers < 1:
        found.append(Finding("no_receivers_allowed", {"limit": policy.max_receivers}))
    if not any(school.leads for school in problem.schools.values()) and problem.needs:
        found.append(Finding("no_lead_school"))
    return found


def hopeless(problem: Problem) -> list[Finding]:
    """Needs that no plan can serve in full, with the certificate of each."""
    offers = Offers(problem, Grid(problem))
    found = []
    for number in range(len(offers.wants)):
        code, facts = whatever_the_plan(offers, number)
        if code:
            found.append(Finding(code, facts))
    return found
