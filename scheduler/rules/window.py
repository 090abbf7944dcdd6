"""H5: the minutes of a meeting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import Meeting
from scheduler.rules.base import Case, Rule, Violation, clock
from scheduler.windows import periods_touched, shortest


class WindowInsidePeriods(Rule):
    """H5: inside one period of the lead school, long enough, one or two periods of each receiving school.

    A community's window is free of bells and as long as the community says.
    """

    code: ClassVar[str] = "H5"

    def violations(self, case: Case) -> Iterator[Violation]:
        lengths = {community.code: community.length for community in case.problem.communities}
        for meeting in case.plan.meetings:
            if meeting.family != "master":
                yield from self._bells(case, meeting)
            elif meeting.slot.end - meeting.slot.start != lengths.get(meeting.ref):
                facts = {"window": clock(meeting.slot), "minutes": lengths.get(meeting.ref, 0)}
                yield Violation(self.code, "rule_h5_community", (meeting.code,), facts)

    def _bells(self, case: Case, meeting: Meeting) -> Iterator[Violation]:
        slot, schools = meeting.slot, case.problem.schools
        lead = case.lead_school(meeting)
        around = [
            period
            for period in schools[lead].periods.get(slot.weekday, ())
            if period[0] <= slot.start and slot.end <= period[1]
        ]
        facts = {"window": clock(slot), "school": lead}
        if not around:
            yield Violation(self.code, "rule_h5_outside", (meeting.code,), facts)
        elif all(slot.end - slot.start < shortest(period, case.problem.policy) for period in around):
            yield Violation(self.code, "rule_h5_short", (meeting.code,), facts)
        for school in sorted({case.problem.classes[code].school for code in meeting.classes}):
            if not 1 <= periods_touched(schools[school], slot) <= 2:
                yield Violation(
                    self.code, "rule_h5_touches", (meeting.code,), {"window": clock(slot), "school": school}
                )
