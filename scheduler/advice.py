"""What would help most: single changes in the county, each made on the finished plan and filled with the lessons that are missing.

A change is worth trying where it opens a place that nothing else closes: one lesson or absence fewer, one more lead room, partner,
assistant or meeting a week, one bell a few minutes earlier or later. It is made, the missing lessons it opens places for are placed
one after another with everything else standing, and the judge confirms each. So what is promised can be had; more may be possible.
The number of changes tried is counted, not timed: the same plan gets the same advice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scheduler.assemble import numbered
from scheduler.explain import Explainer
from scheduler.ledger import NOTHING, Fixed, Ledger, Thing, Things
from scheduler.places import EFFORT, Closed, Seeker
from scheduler.problem import (
    Advice,
    ClassCode,
    Fact,
    FactKind,
    Lesson,
    LessonRow,
    Meeting,
    Minute,
    Need,
    Place,
    Problem,
    School,
    SchoolCode,
    Slot,
    Subject,
)
from scheduler.relax import Surroundings, relaxed, violations
from scheduler.windows import Window, periods_touched

TRIED = 32
"""Changes that are made, those that open the most weight first."""
GIVEN = 6
"""Advice that is given."""
BELL: Minute = 15
"""The furthest that a bell is moved."""
CHANGEABLE: frozenset[FactKind] = frozenset({
    "teacher_lesson", "teacher_away", "class_lesson", "class_away", "room_lesson", "room_away",
    "lead_room", "week_limit", "day_limit", "partners_lead", "partners_receive", "assistants",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that would not hold, or a period that would begin so many minutes later."""

    fact: Fact
    minutes: Minute = 0


@dataclass(slots=True)
class Chance:
    """The needs for which a change opens places."""

    places: dict[Need, list[Place]] = field(default_factory=lambda: defaultdict(list))

    def most(self, missing: Mapping[Need, int]) -> int:
        """Weighted halves beyond which the change cannot bring anything; the half of an odd number may have other places."""
        return sum(
            need.priority * min(missing[need], 2 * len(found) + missing[need] % 2)
            for need, found in self.places.items()
        )


def advise(explainer: Explainer) -> tuple[Advice, ...]:
    """The changes that bring most on a finished plan, best first."""
    missing = dict(explainer.lacking())
    ordered = sorted(chances(explainer).items(), key=lambda item: (-item[1].most(missing), _name(item[0])))
    found: list[Advice] = []
    for change, chance in ordered[:TRIED]:
        if len(found) >= GIVEN and chance.most(missing) <= sorted(found, key=_worth)[GIVEN - 1].weighted:
            break
        advice = Trial(explainer, change).advice(chance, missing)
        if advice is not None:
            found.append(advice)
    return _best(found)


def chances(explainer: Explainer) -> dict[Change, Chance]:
    """Every single change that opens a place for a missing lesson."""
    found: dict[Change, Chance] = defaultdict(Chance)
    for need, halves in explainer.lacking():
        for closed in explainer.closed_by_one(need, halves):
            for change in _changes(explainer.problem, closed):
                found[change].places[need].append(closed.place)
    return found


def _best(found: Iterable[Advice]) -> tuple[Advice, ...]:
    """The best first; of those that bring the same lessons, the easiest before another that brings something else."""
    first: list[Advice] = []
    again: list[Advice] = []
    seen: set[tuple[ClassCode, Subject]] = set()
    for advice in sorted(found, key=_worth):
        brought = {(school_class, subject) for school_class, subject, _ in advice.lessons}
        (again if brought <= seen else first).append(advice)
        seen |= brought
    return tuple([*first, *again][:GIVEN])


def _worth(advice: Advice) -> tuple[object, ...]:
    return (-advice.weighted, -advice.halves, EFFORT[advice.fact.kind], _name(Change(advice.fact, advice.minutes)))


def _name(change: Change) -> tuple[object, ...]:
    fact = change.fact
    return (fact.kind, fact.who, fact.code, fact.slot or Slot(0, 0, 0), abs(change.minutes), change.minutes)


def _changes(problem: Problem, closed: Closed) -> Iterator[Change]:
    """What could be changed in the county so that one fact no longer closes a place."""
    fact = closed.facts[0]
    if fact.kind in CHANGEABLE:
        everywhere = fact.kind in ("lead_room", "assistants", "day_limit")
        yield Change(replace(fact, slot=None) if everywhere else fact)
    if fact.kind in ("class_lesson", "room_lesson"):
        lesson = problem.lesson_by_row[LessonRow(int(fact.code))]
        school = problem.schools[lesson.school]
        period = (lesson.slot.start, lesson.slot.end)
        slot = closed.place.slot
        for minutes in (slot.end - period[0], slot.start - period[1]):
            if 0 < abs(minutes) <= BELL and not school.leads and _can_move(school, period, minutes):
                bell = Fact("bells", school.code, school.code, slot=Slot(0, *period))
                yield Change(bell, minutes)


def _can_move(school: School, period: Window, minutes: Minute) -> bool:
    """Whether a period can begin so much later on every day that has it, between its neighbours."""
    start, end = period[0] + minutes, period[1] + minutes
    days = [periods for periods in school.periods.values() if period in periods]
    return bool(days) and all(
        other == period or end <= other[0] or other[1] <= start for periods in days for other in periods
    )


def rung(problem: Problem, school: SchoolCode, period: Window, minutes: Minute) -> Problem:
    """The county in which one period of a school begins so many minutes later, on every day that has it, with its lessons."""
    moved = (period[0] + minutes, period[1] + minutes)
    record = problem.schools[school]
    periods = {
        day: tuple(sorted(moved if each == period else each for each in these)) for day, these in record.periods.items()
    }
    lessons = tuple(
        replace(lesson, slot=lesson.slot._replace(start=moved[0], end=moved[1]))
        if _in_period(lesson, school, period)
        else lesson
        for lesson in problem.lessons
    )
    schools = {**problem.schools, school: replace(record, periods=periods)}
    return replace(problem, schools=schools, lessons=lessons)


def _in_period(lesson: Lesson, school: SchoolCode, period: Window) -> bool:
    return lesson.school == school and (lesson.slot.start, lesson.slot.end) == period


def changed(
    problem: Problem, meetings: Iterable[Meeting], fact: Fact, minutes: Minute = 0
) -> tuple[Problem, tuple[Meeting, ...]]:
    """The county with a change made, and the meetings in it."""
    if minutes:
        assert fact.slot is not None
        return rung(problem, SchoolCode(fact.code), (fact.slot.start, fact.slot.end), minutes), tuple(meetings)
    after = relaxed(problem, meetings, (fact,))
    return after.problem, after.meetings


class Trial:
    """One change, made."""

    def __init__(self, explainer: Explainer, change: Change) -> None:
        self.change, self.base = change, explainer.ledger
        self.problem, meetings = changed(explainer.problem, self.base.meetings.values(), change.fact, change.minutes)
        gone: Things = NOTHING
        fixed: Fixed | None = None
        if change.minutes:
            lessons = [lesson for lesson in explainer.problem.lessons if self._moves(lesson)]
            fixed = self.base.fixed.moved(lessons, change.minutes)
        elif change.fact.kind.endswith("_lesson"):
            gone = frozenset({Thing("lesson", change.fact.code)})
        elif change.fact.kind.endswith("_away"):
            gone = frozenset({Thing("absence", change.fact.code)})
        self.ledger = Ledger(self.problem, meetings, like=self.base, gone=gone, fixed=fixed)

    def _moves(self, lesson: Lesson) -> bool:
        slot = self.change.fact.slot
        return slot is not None and _in_period(lesson, SchoolCode(self.change.fact.code), (slot.start, slot.end))

    def advice(self, chance: Chance, missing: Mapping[Need, int]) -> Advice | None:
        """What the change brings; None where nothing, or where a meeting that stands would have to move."""
        if self.change.minutes and not self._stand():
            return None
        new: list[tuple[Need, Place, Meeting]] = []
        for need in sorted(chance.places, key=lambda need: (-need.priority, need.school_class, need.subject)):
            new += self._fill(need, missing[need], {place.teacher for place in chance.places[need]})
        if not new or not self._confirmed(new):
            return None
        lessons: dict[Need, int] = defaultdict(int)
        for need, place, _ in new:
            lessons[need] += place.slot.halves
        return Advice(
            self.change.fact,
            tuple((need.school_class, need.subject, halves) for need, halves in lessons.items()),
            sum(need.priority * halves for need, halves in lessons.items()),
            self.change.minutes,
        )

    def _fill(self, need: Need, missing: int, teachers: set[str]) -> Iterator[tuple[Need, Place, Meeting]]:
        """Places the lessons of one need, one after another, with the teachers that the change opens."""
        while missing > 0:
            seeker = Seeker(self.ledger, need, missing)
            open_now = [
                closed for code in seeker.teachers if code in teachers for closed in seeker.with_teacher(code, 0)
            ]
            if not open_now:
                return
            place = min(open_now, key=lambda closed: closed.rank).place
            meeting = seeker.meeting_in(place)
            if not place.joins:
                meeting = numbered([meeting], None, beside=self.ledger.meetings.values())[0]
            self.ledger.add(meeting)
            missing -= place.slot.halves
            yield need, place, meeting

    def _stand(self) -> bool:
        """Whether every meeting of the school can stay where it is when the bell has moved."""
        school = self.problem.schools[SchoolCode(self.change.fact.code)]
        moving = {Thing("lesson", str(lesson.row)) for lesson in self.problem.lessons if lesson.school == school.code}
        for meeting in self.ledger.meetings.values():
            groups = [self.problem.classes[code] for code in meeting.classes]
            here = [group for group in groups if group.school == school.code]
            if not here:
                continue
            held: set[Thing] = set()
            for group in here:
                held |= self.ledger.held("class", group.code, meeting.slot)
                if group.receiving_room is not None:
                    held |= self.ledger.held("room", group.receiving_room, meeting.slot)
            if held & moving or not 1 <= periods_touched(school, meeting.slot) <= 2:
                return False
            if self.ledger.short_of_staff(school.code, meeting.slot, NOTHING, 0, None):
                return False
        return True

    def _confirmed(self, new: Sequence[tuple[Need, Place, Meeting]]) -> bool:
        """Whether the judge finds nothing against the new lessons, each in all that it can touch."""
        around = Surroundings(self.problem, list(self.ledger.meetings.values()))
        return all(not violations(*around.of(need, place)) for need, place, _ in new)
