"""H2: where a meeting may be led from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.rules.base import Case, Rule, Violation


class LeadRoomCanLead(Rule):
    """H2: the lead room belongs to the lead teacher's school and can lead."""

    code: ClassVar[str] = "H2"

    def violations(self, case: Case) -> Iterator[Violation]:
        for meeting in case.plan.meetings:
            room = case.problem.rooms[meeting.lead_room]
            facts = {"room": room.code, "teacher": meeting.lead_teacher}
            if room.school != case.lead_school(meeting):
                yield Violation(self.code, "rule_h2_school", (meeting.code,), facts)
            elif not room.can_lead:
                yield Violation(self.code, "rule_h2_kind", (meeting.code,), facts)
