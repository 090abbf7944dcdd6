"""H1: who may lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.rules.base import Case, Rule, Violation


class LeadTeacherQualified(Rule):
    """H1: the lead teacher's school leads, and the teacher is qualified for the subject and a grade of every class."""

    code: ClassVar[str] = "H1"

    def violations(self, case: Case) -> Iterator[Violation]:
        problem = case.problem
        for meeting in case.plan.meetings:
            facts = {"teacher": meeting.lead_teacher, "subject": meeting.subject}
            if not problem.schools[case.lead_school(meeting)].leads:
                yield Violation(self.code, "rule_h1_school", (meeting.code,), facts)
            if meeting.subject not in problem.teachers[meeting.lead_teacher].subjects:
                yield Violation(self.code, "rule_h1_subject", (meeting.code,), facts)
                continue
            for code in meeting.classes:
                if not problem.qualified(meeting.lead_teacher, meeting.subject, code):
                    yield Violation(self.code, "rule_h1_grade", (meeting.code,), {**facts, "school_class": code})
