"""H13: courses of the famous school network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import EVEN, ODD, ClassCode, Meeting, NetworkCourse
from scheduler.rules.base import Case, Resource, Rule, Violation, codes_of
from scheduler.rules.communities import meetings_by_ref
from scheduler.windows import periods_touched


class CourseIsWhole(Rule):
    """H13: all weekly meetings of a course or none, spread over the week, with all of its audience that is free."""

    code: ClassVar[str] = "H13"

    def violations(self, case: Case) -> Iterator[Violation]:
        known = {course.code: course for course in case.problem.courses}
        for ref, meetings in meetings_by_ref(case, "network").items():
            course = known.get(ref)
            if course is None:
                yield Violation(self.code, "rule_h13_unknown", codes_of(meetings), {"course": ref})
                continue
            given = sum(meeting.slot.halves for meeting in meetings)
            if given != course.halves:
                facts = {"course": ref, "given": given / 2, "asked": course.halves / 2}
                yield Violation(self.code, "rule_h13_number", codes_of(meetings), facts)
            if not self._spread(case, course, meetings):
                yield Violation(self.code, "rule_h13_days", codes_of(meetings), {"course": ref})
            for meeting in meetings:
                yield from self._meeting(case, course, meeting)

    def _spread(self, case: Case, course: NetworkCourse, meetings: list[Meeting]) -> bool:
        weekdays = len(case.problem.schools[case.problem.teachers[course.lead_teacher].school].periods)
        for week in (ODD, EVEN):
            days = [meeting.slot.weekday for meeting in meetings if meeting.slot.weeks & week]
            if len(set(days)) < min(len(days), weekdays):
                return False
        return True

    def _meeting(self, case: Case, course: NetworkCourse, meeting: Meeting) -> Iterator[Violation]:
        facts: dict[str, object] = {"course": course.code}
        if (meeting.lead_teacher, meeting.subject) != (course.lead_teacher, course.subject):
            yield Violation(self.code, "rule_h13_lead", (meeting.code,), facts)
        if set(meeting.classes) - set(course.audience):
            yield Violation(self.code, "rule_h13_strangers", (meeting.code,), facts)
        left_out = [
            code for code in course.audience if code not in meeting.classes and could_attend(case, meeting, code)
        ]
        if left_out:
            yield Violation(self.code, "rule_h13_left_out", (meeting.code,), {**facts, "classes": "、".join(left_out)})
        periods = case.problem.schools[case.lead_school(meeting)].periods.get(meeting.slot.weekday, ())
        asked = course.length or next((end - first for first, end in periods if first <= meeting.slot.start < end), 0)
        if meeting.slot.end - meeting.slot.start < asked:
            yield Violation(self.code, "rule_h13_short", (meeting.code,), {**facts, "minutes": asked})


def could_attend(case: Case, meeting: Meeting, code: ClassCode) -> bool:
    """Whether a class that is not listed is free, with its room; where assistants are required its school may lack one."""
    problem = case.problem
    group = problem.classes[code]
    if problem.policy.require_assistant or not problem.qualified(meeting.lead_teacher, meeting.subject, code):
        return False
    if not 1 <= periods_touched(problem.schools[group.school], meeting.slot) <= 2:
        return False
    room = group.receiving_room
    return case.free(Resource("class", code), meeting) and (room is None or case.free(Resource("room", room), meeting))
