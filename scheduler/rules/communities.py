"""H12: online research communities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import EVEN, ODD, WEEK_NAMES, Community, Family, Meeting
from scheduler.rules.base import Case, Rule, Violation, codes_of


def meetings_by_ref(case: Case, family: Family) -> dict[str, list[Meeting]]:
    """Meetings of a family by community or course."""
    found: dict[str, list[Meeting]] = defaultdict(list)
    for meeting in case.plan.meetings:
        if meeting.family == family:
            found[meeting.ref].append(meeting)
    return found


class CommunityMeetsOnce(Rule):
    """H12: a community meets once in each of its weeks or is not held, with its host and enough of its members."""

    code: ClassVar[str] = "H12"

    def violations(self, case: Case) -> Iterator[Violation]:
        known = {community.code: community for community in case.problem.communities}
        for ref, meetings in meetings_by_ref(case, "master").items():
            community = known.get(ref)
            if community is None:
                yield Violation(self.code, "rule_h12_unknown", codes_of(meetings), {"community": ref})
                continue
            for week in (ODD, EVEN):
                count = sum(bool(meeting.slot.weeks & week) for meeting in meetings)
                if count != bool(community.weeks & week):
                    facts = {"community": ref, "count": count, "weeks": WEEK_NAMES[week]}
                    yield Violation(self.code, "rule_h12_weeks", codes_of(meetings), facts)
            for meeting in meetings:
                yield from self._attendance(community, meeting)

    def _attendance(self, community: Community, meeting: Meeting) -> Iterator[Violation]:
        facts = {"community": community.code, "attend": len(meeting.members), "members": len(community.members)}
        if (meeting.lead_teacher, meeting.subject) != (community.host, community.subject):
            yield Violation(self.code, "rule_h12_host", (meeting.code,), facts)
        strangers = set(meeting.members) - set(community.members)
        if strangers:
            yield Violation(self.code, "rule_h12_strangers", (meeting.code,), facts)
        present = len(meeting.members) - len(strangers)
        if present * 100 < community.min_attendance_pct * len(community.members) - 1e-9:
            yield Violation(self.code, "rule_h12_few", (meeting.code,), facts)
