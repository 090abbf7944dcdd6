"""H4: a lead teacher's own lesson that carries receivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.rules.base import Case, Rule, Violation, host_fault


class HostLessonMatches(Rule):
    """H4: a synchronous meeting has the teacher, subject, window and a grade of the lesson it names."""

    code: ClassVar[str] = "H4"

    def violations(self, case: Case) -> Iterator[Violation]:
        for meeting in case.plan.meetings:
            if meeting.host_lesson is None:
                continue
            fault = host_fault(case.problem, meeting)
            if fault is not None:
                yield Violation(self.code, f"rule_h4_{fault}", (meeting.code,), {"row": meeting.host_lesson})
