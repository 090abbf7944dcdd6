"""H9 and H11: what teachers can bear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import EVEN, ODD, Meeting, SchoolCode, Slot, TeacherCode
from scheduler.rules.base import Case, Resource, Rule, Violation, busier_week, by_weekday, clock, codes_of


class RemoteLimits(Rule):
    """H9: a teacher's remote meetings, led or attended, stay within the week's and the day's limit."""

    code: ClassVar[str] = "H9"

    def violations(self, case: Case) -> Iterator[Violation]:
        taken: dict[TeacherCode, list[Meeting]] = defaultdict(list)
        for meeting in case.plan.meetings:
            for code in {meeting.lead_teacher, *meeting.members}:
                taken[code].append(meeting)
        for code, meetings in taken.items():
            teacher = case.problem.teachers[code]
            count = busier_week([meeting.slot for meeting in meetings])
            if count > teacher.week_limit:
                facts = {"teacher": code, "count": count, "limit": teacher.week_limit}
                yield Violation(self.code, "rule_h9_week", codes_of(meetings), facts)
            for weekday, days in by_weekday(meetings).items():
                count = busier_week([meeting.slot for meeting in days])
                if count > teacher.day_limit:
                    facts = {"teacher": code, "count": count, "limit": teacher.day_limit, "weekday": weekday}
                    yield Violation(self.code, "rule_h9_day", codes_of(days), facts)


class AssistantsEnough(Rule):
    """H11: where assistants are required, a school has as many free teachers as classes in meetings, at any minute.

    A school that lists no teachers is exempt.
    """

    code: ClassVar[str] = "H11"

    def violations(self, case: Case) -> Iterator[Violation]:
        if not case.problem.policy.require_assistant:
            return
        staff: dict[SchoolCode, list[TeacherCode]] = defaultdict(list)
        for teacher in case.problem.teachers.values():
            staff[teacher.school].append(teacher.code)
        sat: dict[tuple[SchoolCode, int, int], list[Meeting]] = defaultdict(list)
        for meeting in case.plan.meetings:
            for code in meeting.classes:
                for week in (ODD, EVEN):
                    if meeting.slot.weeks & week:
                        sat[case.problem.classes[code].school, meeting.slot.weekday, week].append(meeting)
        for (school, weekday, week), meetings in sat.items():
            if staff[school]:
                yield from self._day(case, school, staff[school], Slot(weekday, 0, 0, week), meetings)

    def _day(
        self, case: Case, school: SchoolCode, staff: list[TeacherCode], day: Slot, meetings: list[Meeting]
    ) -> Iterator[Violation]:
        """The first minute of the day at which the school is short; counts grow only where something starts."""
        busy = [
            [
                hold.slot
                for hold in case.holds[Resource("teacher", code)]
                if hold.slot.weekday == day.weekday and hold.slot.weeks & day.weeks
            ]
            for code in staff
        ]
        starts = {meeting.slot.start for meeting in meetings} | {slot.start for slots in busy for slot in slots}
        for minute in sorted(starts):
            inside = [meeting for meeting in meetings if meeting.slot.start <= minute < meeting.slot.end]
            free = sum(not any(slot.start <= minute < slot.end for slot in slots) for slots in busy)
            if len(inside) > free:
                window = clock(Slot(day.weekday, minute, minute + 1, day.weeks))
                facts = {"school": school, "classes": len(inside), "free": free, "window": window}
                yield Violation(self.code, "rule_h11", tuple(sorted({meeting.code for meeting in inside})), facts)
                return
