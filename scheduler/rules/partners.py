"""H10: who is paired with whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import Meeting, Pair
from scheduler.rules.base import Case, Rule, Violation, codes_of


def used_pairs(case: Case) -> dict[Pair, list[Meeting]]:
    """Lead and receiving school of every delivery meeting."""
    found: dict[Pair, list[Meeting]] = defaultdict(list)
    for meeting in case.delivery:
        for school in {case.problem.classes[code].school for code in meeting.classes}:
            found[Pair(case.lead_school(meeting), school)].append(meeting)
    return found


class PartnersWithinLimits(Rule):
    """H10: partners of lead and receiving schools, locked pairings, never one's own school."""

    code: ClassVar[str] = "H10"

    def violations(self, case: Case) -> Iterator[Violation]:
        policy, pairs = case.problem.policy, used_pairs(case)
        for school, count in Counter(pair.lead_school for pair in pairs).items():
            if count > policy.max_partners_per_lead:
                facts = {"school": school, "count": count, "limit": policy.max_partners_per_lead}
                yield Violation(self.code, "rule_h10_lead", (), facts)
        for school, count in Counter(pair.receive_school for pair in pairs).items():
            if count > policy.max_partners_per_receiver:
                facts = {"school": school, "count": count, "limit": policy.max_partners_per_receiver}
                yield Violation(self.code, "rule_h10_receive", (), facts)
        for pair, meetings in pairs.items():
            if pair.lead_school == pair.receive_school:
                yield Violation(self.code, "rule_h10_own", codes_of(meetings), {"school": pair.lead_school})
        listed = {planned.pair for planned in case.plan.pairings}
        for standing in case.problem.pairings:
            if standing.locked and standing.pair not in listed:
                facts = {"lead": standing.pair.lead_school, "school": standing.pair.receive_school}
                yield Violation(self.code, "rule_h10_locked", (), facts)
