"""Where a delivery meeting could be put by hand, and what each place would break: said before the choice. Pure.

Breaches come from the rules themselves (`scheduler.rules`), judged on the part of the county that the meeting can touch: the
schools of its lead and its receivers with all that is planned for them. What was broken before the meeting came is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from scheduler.locked_meetings import NEVER, OVERRIDABLE, rule_violations, sketch
from scheduler.problem import Meeting, Plan, Problem, RoomCode, SchoolCode, Slot, TeacherCode
from scheduler.rules import Case, Ground, Violation
from scheduler.rules.base import host_fault
from scheduler.windows import Window, windows_in


@dataclass(frozen=True, slots=True)
class Cell:
    """The best way to hold the meeting in one period of the lead school."""

    period: Slot
    meeting: Meeting
    joined: str | None
    """Code of the standing meeting that it would join; None: it stands by itself."""
    breaches: tuple[Violation, ...]

    @property
    def possible(self) -> bool:
        """Whether somebody may place it here, anyway or without breaking anything."""
        return all(overridable(breach) for breach in self.breaches)


def overridable(breach: Violation) -> bool:
    """Whether a person may override what is broken."""
    return breach.rule in OVERRIDABLE and breach.code not in NEVER


class Places:
    """The places of one meeting. `wanted` says who attends, in which subject and weeks; `moved` is its code where it stands already."""

    def __init__(self, problem: Problem, plan: Plan, wanted: Meeting, moved: str | None = None) -> None:
        self.problem, self.wanted, self.moved = problem, wanted, moved
        self._others = tuple(meeting for meeting in plan.meetings if meeting.code != moved)
        self._standing = next((meeting for meeting in plan.meetings if meeting.code == moved), None)

    @cached_property
    def teachers(self) -> tuple[TeacherCode, ...]:
        """Those who may teach it (H1): whoever teaches these classes this subject by now first, then by school and code."""
        problem, wanted = self.problem, self.wanted
        able = [
            code
            for code, teacher in problem.teachers.items()
            if problem.schools[teacher.school].leads
            and all(problem.qualified(code, wanted.subject, group) for group in wanted.classes)
            and any(room.can_lead for room in problem.rooms.values() if room.school == teacher.school)
            and all(problem.classes[group].school != teacher.school for group in wanted.classes)
        ]
        present = {
            meeting.lead_teacher
            for meeting in (*self._others, *([self._standing] if self._standing else []))
            if meeting.subject == wanted.subject and set(meeting.classes) & set(wanted.classes)
        }
        return tuple(sorted(able, key=lambda code: (code not in present, problem.teachers[code].school, code)))

    def cells(self, teacher: TeacherCode) -> list[Cell]:
        """One cell for each teaching period of the teacher's school, in order of time."""
        ground = self._ground(self.problem.teachers[teacher].school)
        return [ground.best(self.wanted, teacher, period) for period in ground.periods(teacher, self.wanted.slot.weeks)]

    def breaches(self, meeting: Meeting, joined: str | None = None) -> tuple[Violation, ...]:
        """What a meeting would break; `joined` is the standing meeting whose place it takes."""
        return self._ground(self.problem.teachers[meeting.lead_teacher].school).broken(meeting, joined)

    def _ground(self, lead: SchoolCode) -> _Part:
        schools = {lead, *(self.problem.classes[code].school for code in self.wanted.classes)}
        return _Part(self.problem, [each for each in self._others if _schools(self.problem, each) & schools], schools)


class _Part:
    """A few schools with all that is planned for them."""

    def __init__(self, whole: Problem, meetings: Sequence[Meeting], schools: set[SchoolCode]) -> None:
        self.meetings = tuple(meetings)
        known = schools.union(*(_schools(whole, meeting) for meeting in meetings))
        members = {code for each in whole.communities for code in (each.host, *each.members)}
        self.problem = replace(
            whole,
            rooms={code: room for code, room in whole.rooms.items() if room.school in known},
            teachers={
                code: teacher for code, teacher in whole.teachers.items() if teacher.school in known or code in members
            },
            classes={code: group for code, group in whole.classes.items() if group.school in known},
            lessons=tuple(lesson for lesson in whole.lessons if lesson.school in known),
            pairings=tuple(each for each in whole.pairings if each.pair.lead_school in schools),
            courses=(),
        )
        unavailable = tuple(each for each in whole.unavailabilities if self._has(each.resource, each.code, known))
        self.problem = replace(self.problem, unavailabilities=unavailable)
        self._ground = Ground(self.problem)
        self._before = set(map(_same, self._violations(self.meetings)))

    def _has(self, resource: str, code: str, known: set[SchoolCode]) -> bool:
        holders: dict[str, object] = {
            "teacher": self.problem.teachers, "room": self.problem.rooms, "class": self.problem.classes, "school": known
        }  # fmt: skip
        return code in holders[resource]  # type: ignore[operator] # each of them is a container

    def _violations(self, meetings: tuple[Meeting, ...]) -> list[Violation]:
        held = rule_violations(Case(self.problem, sketch(self.problem, meetings), self._ground))
        return [
            each for each in held if each.rule not in ("H12", "H13")
        ]  # activities are not judged by parts of a county

    def periods(self, teacher: TeacherCode, weeks: int) -> Iterator[Slot]:
        school = self.problem.schools[self.problem.teachers[teacher].school]
        for weekday, periods in sorted(school.periods.items()):
            yield from (Slot(weekday, *period, weeks) for period in periods)

    def best(self, wanted: Meeting, teacher: TeacherCode, period: Slot) -> Cell:
        """The way that breaks the fewest rules, then has the fewest breaches; those nobody may override count most."""
        tried = [
            Cell(period, meeting, joined, self.broken(meeting, joined))
            for meeting, joined in self._ways(wanted, teacher, period)
        ]
        return min(tried, key=_badness)

    def _ways(self, wanted: Meeting, teacher: TeacherCode, period: Slot) -> Iterator[tuple[Meeting, str | None]]:
        for other in self.meetings:
            if (other.lead_teacher, other.subject, other.family) == (teacher, wanted.subject, "delivery") and (
                _within(other.slot, period) and other.slot.weeks == period.weeks
            ):
                yield replace(other, classes=tuple(dict.fromkeys((*other.classes, *wanted.classes)))), other.code
        for room in self._rooms(wanted, teacher):
            for start, end in self._windows(wanted, period):
                slot = period._replace(start=start, end=end)
                plain = replace(wanted, lead_teacher=teacher, lead_room=room, slot=slot, host_lesson=None)
                yield self._hosted(plain), None

    def _rooms(self, wanted: Meeting, teacher: TeacherCode) -> list[RoomCode]:
        school = self.problem.teachers[teacher].school
        rooms = [room.code for room in self.problem.rooms.values() if room.school == school and room.can_lead]
        return sorted(rooms, key=lambda code: (code != wanted.lead_room, code))

    def _windows(self, wanted: Meeting, period: Slot) -> Sequence[Window]:
        there = {self.problem.classes[code].school for code in wanted.classes}
        bells = (self.problem.schools[code].periods.get(period.weekday, ()) for code in there)
        breaks = {minute for periods in bells for other in periods for minute in other}
        whole = (period.start, period.end)
        return list(dict.fromkeys([whole, *windows_in(whole, self.problem.policy, sorted(breaks))]))

    def _hosted(self, meeting: Meeting) -> Meeting:
        """With the teacher's own lesson of that window as its host, where they fit together (H4)."""
        for lesson in self.problem.lessons:
            if lesson.teacher == meeting.lead_teacher and lesson.slot.clashes(meeting.slot):
                hosted = replace(meeting, host_lesson=lesson.row)
                if host_fault(self.problem, hosted) is None:
                    return hosted
        return meeting

    def broken(self, meeting: Meeting, joined: str | None) -> tuple[Violation, ...]:
        others = tuple(other for other in self.meetings if other.code != joined)
        return tuple(each for each in self._violations((*others, meeting)) if _same(each) not in self._before)


def _badness(cell: Cell) -> tuple[bool, int, int]:
    return not cell.possible, len({each.rule for each in cell.breaches}), len(cell.breaches)


def _schools(problem: Problem, meeting: Meeting) -> set[SchoolCode]:
    people = (meeting.lead_teacher, *meeting.members)
    return {problem.teachers[code].school for code in people} | {
        problem.classes[code].school for code in meeting.classes
    }


def _within(slot: Slot, period: Slot) -> bool:
    return slot.weekday == period.weekday and period.start <= slot.start and slot.end <= period.end


def _same(violation: Violation) -> tuple[str, str, tuple[str, ...], str]:
    return violation.rule, violation.code, violation.meetings, repr(sorted(violation.facts.items()))
