"""What does not fit, and the judge that finds it: the rules on a plan that grows meeting by meeting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scheduler.locked_meetings import rule_violations, sketch
from scheduler.problem import ClassCode, Lesson, Meeting, Problem, SchoolCode, Unavailability
from scheduler.rules import Case, Violation
from scheduler.rules.base import Ground

LATER = frozenset({"rule_h13_left_out", "rule_h10_locked"})
"""What is no obstacle while a plan grows: whoever is free joins a course, and agreements are listed, when all the rest is in place."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A meeting of the old plan that cannot be carried: as a whole, or for one of those who attended.

    `reason` is a key of the ``plan`` catalogue: a rule's sentence, or one of ``roll_…``; `facts` fill its places.
    """

    meeting: Meeting
    who: str
    """Old code of the class or member who loses it; empty where the whole meeting is lost."""
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seat:
    """One class of one delivery meeting: where it sat, and where it would sit now."""

    before: Meeting
    who: ClassCode
    """The class by its old code."""
    after: Meeting
    """With the class by its new code alone."""
    weight: int
    """Halves × priority, of the whole old meeting and then of this class."""

    def lost(self, violation: Violation) -> Misfit:
        return Misfit(self.before, self.who, violation.code, violation.facts)


class Growing:
    """A legal plan of the new term while it grows.

    Whatever a rule says of a meeting, it says of people, rooms and partners of the schools that meet in it; so a new one is judged
    beside the meetings and local lessons of those schools alone.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.meetings: dict[str, Meeting] = {}
        self._at: dict[SchoolCode, set[str]] = defaultdict(set)
        self._lessons: dict[SchoolCode, list[Lesson]] = defaultdict(list)
        self._absences: dict[SchoolCode, list[Unavailability]] = defaultdict(list)
        for lesson in problem.lessons:
            self._lessons[lesson.school].append(lesson)
        owners: dict[str, Mapping[str, SchoolCode]] = {
            "teacher": {code: each.school for code, each in problem.teachers.items()},
            "room": {code: each.school for code, each in problem.rooms.items()},
            "class": {code: each.school for code, each in problem.classes.items()},
            "school": {code: code for code in problem.schools},
        }
        for gone in problem.unavailabilities:
            self._absences[owners[gone.resource][gone.code]].append(gone)
        self._grounds: dict[frozenset[SchoolCode], Ground] = {}

    def schools(self, meeting: Meeting) -> set[SchoolCode]:
        """Whose people and rooms the meeting takes."""
        problem = self.problem
        return {
            problem.teachers[meeting.lead_teacher].school,
            *(problem.classes[code].school for code in meeting.classes),
            *(problem.teachers[code].school for code in meeting.members),
        }

    def case(self, added: Sequence[Meeting], also: Iterable[SchoolCode] = ()) -> Case:
        """These meetings (in place of those of their codes) among all that the plan holds for their schools, and for others named."""
        touched = frozenset(school for meeting in added for school in self.schools(meeting)).union(also)
        codes = {code for school in touched for code in self._at[school]} - {meeting.code for meeting in added}
        meetings = [*(self.meetings[code] for code in sorted(codes)), *added]
        ground = self._ground(touched)
        return Case(ground.problem, sketch(ground.problem, tuple(meetings)), ground)

    def _ground(self, schools: frozenset[SchoolCode]) -> Ground:
        if schools not in self._grounds:
            lessons = tuple(lesson for school in sorted(schools) for lesson in self._lessons[school])
            absences = tuple(gone for school in sorted(schools) for gone in self._absences[school])
            self._grounds[schools] = Ground(replace(self.problem, lessons=lessons, unavailabilities=absences))
        return self._grounds[schools]

    def breaches(self, added: Sequence[Meeting]) -> list[Violation]:
        """What forbids the plan to take these meetings; `LATER` is passed over."""
        codes = {meeting.code for meeting in added}
        schools = {school for meeting in added for school in self.schools(meeting)}
        return [
            found
            for found in _violations(self.case(added))
            if codes.intersection(found.meetings) or (_of_schools(found) and found.facts.get("school") in schools)
        ]

    def add(self, added: Iterable[Meeting]) -> None:
        """Takes meetings, in place of those of their codes."""
        for meeting in added:
            self.meetings[meeting.code] = meeting
            for school in self.schools(meeting):
                self._at[school].add(meeting.code)


def _violations(case: Case) -> list[Violation]:
    return [found for found in rule_violations(case) if found.code not in LATER]


def _of_schools(violation: Violation) -> bool:
    """Whether a breach speaks for a school, and not for every meeting that has a part in it: partners, and a day's assistants."""
    return not violation.meetings or violation.rule == "H11"


def possible_alone(problem: Problem, seats: Sequence[Seat], misfits: list[Misfit]) -> list[Seat]:
    """The seats that no rule forbids whatever else is kept: each judged as a meeting of its own."""
    alone = [replace(seat.after, code=str(number)) for number, seat in enumerate(seats)]
    wrong: dict[int, Violation] = {}
    for violation in _violations(Case(problem, sketch(problem, tuple(alone)))):
        if len(violation.meetings) == 1 and not _of_schools(violation):
            wrong.setdefault(int(violation.meetings[0]), violation)
    misfits += [seats[number].lost(violation) for number, violation in wrong.items()]
    return [seat for number, seat in enumerate(seats) if number not in wrong]


def grow(growing: Growing, seats: Sequence[Seat], misfits: list[Misfit]) -> None:
    """Adds every seat in its turn where the rules let it stand beside those before it.

    Seats that no breach of all seats together names stand in no one's way (part of a legal plan of delivery is legal): they are taken
    at once.
    """
    suspects = _suspects(growing, seats)
    for seat in seats:
        if seat.after.code not in suspects:
            growing.add([_joined(growing, seat)])
    for seat in seats:
        if seat.after.code in suspects:
            meeting = _joined(growing, seat)
            found = growing.breaches([meeting])
            if found:
                misfits.append(seat.lost(found[0]))
            else:
                growing.add([meeting])


def _joined(growing: Growing, seat: Seat) -> Meeting:
    there = growing.meetings.get(seat.after.code)
    base = there or replace(seat.after, classes=())
    return replace(base, classes=tuple(sorted({*base.classes, *seat.after.classes})))


def _suspects(growing: Growing, seats: Sequence[Seat]) -> set[str]:
    """Codes of the meetings that a breach of all seats together names, or of the school that it names."""
    classes: dict[str, list[ClassCode]] = defaultdict(list)
    for seat in seats:
        classes[seat.after.code] += seat.after.classes
    last = {seat.after.code: seat.after for seat in seats}
    meetings = [replace(meeting, classes=tuple(sorted(classes[code]))) for code, meeting in last.items()]
    found: set[str] = set()
    for violation in _violations(Case(growing.problem, sketch(growing.problem, tuple(meetings)))):
        found.update(violation.meetings)
        if _of_schools(violation):
            school = violation.facts.get("school")
            found.update(meeting.code for meeting in meetings if school in growing.schools(meeting))
    return found
