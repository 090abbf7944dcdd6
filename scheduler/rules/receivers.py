"""H7: who may sit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import Meeting
from scheduler.rules.base import Case, Rule, Violation


class ReceiversFitTogether(Rule):
    """H7: enough seats, the same subject, a grade common to all, and no two known editions that differ."""

    code: ClassVar[str] = "H7"

    def violations(self, case: Case) -> Iterator[Violation]:
        for meeting in case.delivery:
            yield from self._seats(case, meeting)
            for code in meeting.classes:
                if (code, meeting.subject) not in case.problem.need_by_key:
                    facts = {"school_class": code, "subject": meeting.subject}
                    yield Violation(self.code, "rule_h7_unasked", (meeting.code,), facts)
            yield from self._together(case, meeting)

    def _seats(self, case: Case, meeting: Meeting) -> Iterator[Violation]:
        limit, seats = case.problem.policy.max_receivers, case.problem.rooms[meeting.lead_room].max_receivers
        limit = limit if seats is None else min(limit, seats)
        if not 1 <= len(meeting.classes) <= limit:
            facts = {"receivers": len(meeting.classes), "limit": limit}
            yield Violation(self.code, "rule_h7_seats", (meeting.code,), facts)

    def _together(self, case: Case, meeting: Meeting) -> Iterator[Violation]:
        groups = [case.problem.classes[code] for code in meeting.classes]
        facts = {"classes": "、".join(meeting.classes)}
        if groups and not frozenset.intersection(*(group.grades for group in groups)):
            yield Violation(self.code, "rule_h7_grade", (meeting.code,), facts)
        editions = {group.editions.get(meeting.subject, "") for group in groups} - {""}
        if case.problem.policy.match_edition and len(editions) > 1:
            yield Violation(self.code, "rule_h7_edition", (meeting.code,), facts)
