"""Before the run: input that contradicts itself, and needs that no plan can ever serve in full. Seconds, not minutes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from scheduler.certificates import Certificates
from scheduler.locked_meetings import standing_locks
from scheduler.outcome import Finding
from scheduler.problem import ClassCode, Need, Problem


def diagnose(problem: Problem) -> list[Finding]:
    """What a planner should know before a run; none of it stops one.

    Contradictions of the input first, then classes that ask for more than their free time, then single needs with their certificates.
    """
    certificates = Certificates(problem)
    hopeless = {need: certificate for need in problem.needs if (certificate := certificates.of(need)) is not None}
    found = list(_contradictions(problem))
    found += _crowded_classes((need for need in problem.needs if need not in hopeless), certificates)
    found += [Finding(*each) for each in hopeless.values() if each.code != "no_receivers_allowed"]
    return found


def _contradictions(problem: Problem) -> Iterator[Finding]:
    policy = problem.policy
    locked = [standing.pair for standing in problem.pairings if standing.locked]
    for pair in locked:
        if pair.lead_school == pair.receive_school:
            yield Finding("locked_own_school", {"school": pair.lead_school})
    for schools, limit, code in (
        ([pair.lead_school for pair in locked], policy.max_partners_per_lead, "locked_too_many_lead"),
        ([pair.receive_school for pair in locked], policy.max_partners_per_receiver, "locked_too_many_receive"),
    ):
        for school, count in sorted(Counter(schools).items()):
            if count > limit:
                yield Finding(code, {"school": school, "count": count, "limit": limit})
    standing = standing_locks(problem)
    for lock in problem.locks:
        if lock not in standing:
            facts = {"code": lock.meeting.code, "teacher": lock.meeting.lead_teacher}
            yield Finding("lock_cannot_stand", facts)
    if policy.max_receivers < 1:
        yield Finding("no_receivers_allowed", {"limit": policy.max_receivers})
    if not any(school.leads for school in problem.schools.values()) and problem.needs:
        yield Finding("no_lead_school")


def _crowded_classes(hopeful: Iterable[Need], certificates: Certificates) -> Iterator[Finding]:
    """Classes whose needs could each be met, but not together: they are more than the windows the class is free for."""
    needs: dict[ClassCode, list[Need]] = defaultdict(list)
    for need in hopeful:
        needs[need.school_class].append(need)
    for code, asked in needs.items():
        most, halves = certificates.most_windows(asked), sum(need.halves for need in asked)
        if most < halves:
            yield Finding("class_too_few", {"school_class": code, "asked": halves / 2, "most": most / 2})
