"""H8: what one need may get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import ClassCode, Meeting, Subject
from scheduler.rules.base import Case, Rule, Violation, busier_week, by_weekday, codes_of


def meetings_by_need(case: Case) -> dict[tuple[ClassCode, Subject], list[Meeting]]:
    """The delivery meetings of every (class, subject)."""
    found: dict[tuple[ClassCode, Subject], list[Meeting]] = defaultdict(list)
    for meeting in case.delivery:
        for code in meeting.classes:
            found[code, meeting.subject].append(meeting)
    return found


class OneLeadTeacherPerNeed(Rule):
    """H8: one lead teacher a need, never more than it asks for, one a day where the policy says so."""

    code: ClassVar[str] = "H8"

    def violations(self, case: Case) -> Iterator[Violation]:
        for (code, subject), meetings in meetings_by_need(case).items():
            facts: dict[str, object] = {"school_class": code, "subject": subject}
            if len({meeting.lead_teacher for meeting in meetings}) > 1:
                yield Violation(self.code, "rule_h8_teachers", codes_of(meetings), facts)
            need = case.problem.need_by_key.get((code, subject))
            if need and sum(meeting.slot.halves for meeting in meetings) > need.halves:
                yield Violation(self.code, "rule_h8_many", codes_of(meetings), facts)
            if case.problem.policy.one_lesson_per_day:
                for weekday, days in by_weekday(meetings).items():
                    if busier_week([meeting.slot for meeting in days]) > 1:
                        yield Violation(self.code, "rule_h8_day", codes_of(days), {**facts, "weekday": weekday})
