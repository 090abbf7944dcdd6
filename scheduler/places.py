"""Every place a missing lesson could have, and everything that keeps it out of each.

A place is a qualified lead teacher of another school in a window of that school's periods: alone, synchronous with a lesson of the
teacher's own (H4), or in a delivery meeting of the teacher that stands. Places that no change in the county could ever open are none:
outside the receiving school's day, over the class's own meetings of the same need, with receivers of other grades.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from scheduler.ledger import NOTHING, Holder, Ledger, Thing, Things
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    Fact,
    FactKind,
    Lesson,
    LessonRow,
    Meeting,
    Need,
    Pair,
    Place,
    RoomCode,
    SchoolCode,
    Slot,
    TeacherCode,
)
from scheduler.windows import periods_touched

EFFORT: dict[FactKind, int] = {
    "week_limit": 1, "day_limit": 1, "lead_room": 2, "seats": 2, "partners_lead": 2, "partners_receive": 2, "assistants": 2,
    "teacher_lesson": 3, "teacher_away": 3, "class_lesson": 3, "class_away": 3, "room_lesson": 3, "room_away": 3, "edition": 3,
    "school_closed": 5, "bells": 5, "one_a_day": 6, "other_teacher": 9,
    "teacher_meeting": 9, "class_meeting": 9, "room_meeting": 9,
}  # fmt: skip
"""Between sets of facts of one size: what somebody in the county can change comes before what only another plan would change."""


FURTHEST = 12
"""Facts against one place beyond which nobody would read them."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A place, and all that keeps the lesson out of it; nothing where the place is open."""

    place: Place
    facts: tuple[Fact, ...]

    @property
    def effort(self) -> int:
        return sum(EFFORT[fact.kind] for fact in self.facts)

    @property
    def rank(self) -> tuple[object, ...]:
        """The fewest facts first, then the easiest, then the order of the week."""
        place = self.place
        return (len(self.facts), self.effort, place.slot, place.teacher, place.joins, place.host_lesson or 0)


class _Window(NamedTuple):
    """The receiving side of one window."""

    things: Things
    """What holds the class and its room."""
    bells: bool
    day_used: bool


class Seeker:
    """Asks a ledger about one need."""

    def __init__(self, ledger: Ledger, need: Need, missing: int) -> None:
        """`missing` halves: a whole lesson is looked for where at least two are missing."""
        self.ledger, self.need = ledger, need
        problem = ledger.problem
        self.group = problem.classes[need.school_class]
        self.school = self.group.school
        self.weeks = (ALL_WEEKS,) if missing > 1 else (ODD, EVEN)
        self.own = ledger.of_need.get((need.school_class, need.subject), [])
        self.bound = self.own[0].lead_teacher if self.own else None
        self._windows: dict[Slot, _Window | None] = {}
        self._sides: dict[tuple[int, int], list[tuple[int, Slot, _Window]]] = {}

    @property
    def room(self) -> RoomCode | None:
        return self.group.receiving_room

    @cached_property
    def teachers(self) -> list[TeacherCode]:
        """H1, H10: everybody who may teach the class, of another school."""
        problem, need = self.ledger.problem, self.need
        return [
            code
            for code in self.ledger.leads.get(need.subject, ())
            if problem.teachers[code].school != self.school and problem.qualified(code, need.subject, need.school_class)
        ]

    def open(self, *, half: bool = False) -> list[Closed]:
        """The places that nothing closes, best first. `half`: only where the other half of the weeks may be closed."""
        teachers = [code for code in self.teachers if not half or self._in_half(code)]
        found = [closed for code in teachers for closed in self.with_teacher(code, 0)]
        return sorted(found, key=lambda closed: closed.rank)

    def nearest(self) -> list[Closed]:
        """The places with the fewest facts against them, best first; of open ones it is not asked."""
        for most in range(1, FURTHEST + 1):
            found = [closed for code in self.teachers for closed in self.with_teacher(code, most) if closed.facts]
            if found:
                return sorted(found, key=lambda closed: closed.rank)
        return []

    def with_teacher(self, teacher: TeacherCode, most: int = FURTHEST) -> Iterator[Closed]:
        """All places with one teacher that are closed by at most so many facts."""
        ledger, school = self.ledger, self.ledger.problem.teachers[teacher].school
        most -= self.bound not in (None, teacher)
        for weeks in self.weeks:
            in_windows = ledger.held_in_windows(teacher, weeks)
            for number, slot, here in self._receiving(ledger.windows(school, weeks), most):
                held = in_windows[number]
                if len(held) > most:
                    continue
                things = here.things | held if held else here.things
                if len(things) <= most:
                    yield from self._within(most, self._opened(Place(teacher, school, slot), here, things))
        for lesson, grades in ledger.hosts(teacher, self.need.subject):
            if grades & self.group.grades:
                yield from self._within(most, self._synchronous(teacher, school, lesson, most))
        for meeting in ledger.led.get((teacher, self.need.subject), ()):
            yield from self._within(most, self._joined(school, meeting, most))

    def _within(self, most: int, found: Closed | None) -> Iterator[Closed]:
        if found is not None and len(found.facts) <= most + (self.bound not in (None, found.place.teacher)):
            yield found

    def _in_half(self, teacher: TeacherCode) -> bool:
        """Whether anybody that a place with the teacher needs is held in odd or in even weeks alone."""
        ledger, school = self.ledger, self.ledger.problem.teachers[teacher].school
        holders: list[tuple[Holder, str]] = [("class", self.group.code), ("teacher", teacher)]
        holders += [("room", room) for room in (self.room, *ledger.lead_rooms.get(school, ())) if room is not None]
        if ledger.problem.policy.require_assistant:
            holders += [("teacher", code) for place in (school, self.school) for code in ledger.staff.get(place, ())]
        return any(ledger.in_half(*holder) for holder in holders)

    # ------------------------------------------------------------ the receiving side

    def _receiving(self, slots: list[Slot], most: int) -> list[tuple[int, Slot, _Window]]:
        """The windows of a lead school, by their number, that so many things at most close on the receiving side."""
        known = self._sides.get((id(slots), most))
        if known is None:
            sides = ((number, slot, self._window(slot)) for number, slot in enumerate(slots))
            known = self._sides[id(slots), most] = [
                (number, slot, here) for number, slot, here in sides if here is not None and len(here.things) <= most
            ]
        return known

    def _window(self, slot: Slot) -> _Window | None:
        if slot not in self._windows:
            self._windows[slot] = self._look(slot)
        return self._windows[slot]

    def _look(self, slot: Slot) -> _Window | None:
        """What closes a window on the receiving side; None where no lesson of this need can ever be there."""
        ledger = self.ledger
        touched = periods_touched(ledger.problem.schools[self.school], slot)
        if not touched or any(meeting.slot.clashes(slot) for meeting in self.own):
            return None
        things = ledger.held("class", self.group.code, slot)
        if self.room is not None:
            things = things | ledger.held("room", self.room, slot)
        day_used = ledger.problem.policy.one_lesson_per_day and any(
            meeting.slot.weekday == slot.weekday and meeting.slot.weeks & slot.weeks for meeting in self.own
        )
        return _Window(things, touched > 2, day_used)

    # ------------------------------------------------------------ three kinds of places

    def _opened(self, place: Place, here: _Window, things: Things) -> Closed:
        """A new meeting; the lesson that it hosts leaves its own room."""
        ledger, facts = self.ledger, self._common(place, here, things)
        gone = things if place.host_lesson is None else things | {Thing("lesson", str(place.host_lesson))}
        if ledger.free_room(place.school, place.slot, gone, 1, {self.room}) is None:
            facts.append(Fact("lead_room", place.school, place.school, slot=place.slot))
        limits = ledger.problem.teachers[place.teacher]
        week, day = ledger.load_of(place.teacher, place.slot, things)
        if week >= limits.week_limit:
            facts.append(Fact("week_limit", place.teacher, place.teacher, number=limits.week_limit))
        if day >= limits.day_limit:
            facts.append(Fact("day_limit", place.teacher, place.teacher, slot=place.slot, number=limits.day_limit))
        if place.host_lesson is None and ledger.short_of_staff(place.school, place.slot, things, 0, place.teacher):
            facts.append(self._assistants(place.school, place.slot))
        return Closed(place, tuple(sorted(facts, key=_order)))

    def _synchronous(self, teacher: TeacherCode, school: SchoolCode, lesson: Lesson, most: int) -> Closed | None:
        """A meeting beside a lesson of the teacher's own that shares a grade with the class."""
        ledger, found = self.ledger, []
        own = Thing("lesson", str(lesson.row))
        for weeks in self.weeks:
            slot = lesson.slot._replace(weeks=weeks)
            here = None if weeks & ~lesson.slot.weeks else self._window(slot)
            if here is None or len(here.things) > most or own in here.things:
                continue
            things = here.things | (ledger.held("teacher", teacher, slot) - {own})
            if len(things) <= most:
                found.append(self._opened(Place(teacher, school, slot, host_lesson=lesson.row), here, things))
        return min(found, key=lambda closed: closed.rank, default=None)

    def _joined(self, school: SchoolCode, meeting: Meeting, most: int) -> Closed | None:
        """A seat in a meeting that stands."""
        problem = self.ledger.problem
        here = (
            self._window(meeting.slot)
            if meeting.slot.weeks in self.weeks and meeting.code not in self.ledger.anyway
            else None
        )
        if here is None:
            return None
        things = here.things - {Thing("meeting", meeting.code)}
        if len(things) > most:
            return None
        here = here._replace(things=things)
        groups = [problem.classes[code] for code in meeting.classes]
        if not self.group.grades.intersection(*(group.grades for group in groups)):
            return None
        lesson = problem.lesson_by_row.get(meeting.host_lesson) if meeting.host_lesson is not None else None
        if lesson and not self.group.grades & {g for code in lesson.classes for g in problem.classes[code].grades}:
            return None
        if lesson and Thing("lesson", str(lesson.row)) in things:
            return None
        place = Place(meeting.lead_teacher, school, meeting.slot, meeting.code, meeting.host_lesson)
        facts = self._common(place, here, here.things)
        if self.room_to_join(meeting, here.things) is None:
            facts.append(Fact("seats", meeting.code, meeting.lead_room, slot=meeting.slot, number=len(meeting.classes)))
        subject = self.need.subject
        edition = self.group.editions.get(subject, "")
        others = {group.editions.get(subject, "") for group in groups} - {""}
        if problem.policy.match_edition and edition and others - {edition}:
            facts.append(Fact("edition", self.group.code, self.group.code, subject))
        return Closed(place, tuple(sorted(facts, key=_order)))

    def room_to_join(self, meeting: Meeting, gone: Things) -> RoomCode | None:
        """The lead room in which one more receiver has a seat: the meeting's own, or a larger one that is free."""
        ledger, receivers = self.ledger, len(meeting.classes) + 1
        if ledger.seats(meeting.lead_room) >= receivers:
            return meeting.lead_room
        if meeting.code in ledger.locked:
            return None
        rooms = {ledger.problem.classes[code].receiving_room for code in meeting.classes} | {self.room}
        school = ledger.problem.teachers[meeting.lead_teacher].school
        gone = gone | {Thing("meeting", meeting.code)}
        if meeting.host_lesson is not None:
            gone = gone | {Thing("lesson", str(meeting.host_lesson))}
        return ledger.free_room(school, meeting.slot, gone, receivers, rooms)

    def meeting_in(self, place: Place) -> Meeting:
        """The meeting that an open place becomes: a new one, or the one that it joins."""
        ledger, need = self.ledger, self.need
        if place.joins:
            standing = ledger.meetings[place.joins]
            room = self.room_to_join(standing, NOTHING)
            assert room is not None, "no room for a seat that was free"
            classes = tuple(sorted((*standing.classes, need.school_class)))
            return replace(standing, classes=classes, lead_room=room)
        gone = NOTHING if place.host_lesson is None else frozenset({Thing("lesson", str(place.host_lesson))})
        room = ledger.free_room(place.school, place.slot, gone, 1, {self.room})
        assert room is not None, "no lead room for a place that was open"
        return Meeting(
            "",
            "delivery",
            need.subject,
            place.teacher,
            room,
            place.slot,
            (need.school_class,),
            host_lesson=place.host_lesson,
        )

    # ------------------------------------------------------------ facts

    def _common(self, place: Place, here: _Window, things: Things) -> list[Fact]:
        """Facts that every kind of place may have: who is held, bells, one a day, one teacher, partners, assistants."""
        ledger, policy, school = self.ledger, self.ledger.problem.policy, self.school
        facts = [self._fact(thing, place) for thing in things]
        if here.bells:
            facts.append(Fact("bells", school, school, slot=place.slot))
        if here.day_used:
            facts.append(Fact("one_a_day", str(place.slot.weekday), self.group.code, self.need.subject, place.slot))
        if self.bound not in (None, place.teacher):
            facts.append(Fact("other_teacher", str(self.bound), str(self.bound), self.need.subject))
        if not ledger.pairs.get(Pair(place.school, school)):
            leads, receivers = ledger.partners(things)
            if leads[place.school] >= policy.max_partners_per_lead:
                number = policy.max_partners_per_lead
                facts.append(Fact("partners_lead", place.school, place.school, number=number))
            if receivers[school] >= policy.max_partners_per_receiver:
                facts.append(Fact("partners_receive", school, school, number=policy.max_partners_per_receiver))
        if ledger.short_of_staff(school, place.slot, things, 1, None):
            facts.append(self._assistants(school, place.slot))
        return facts

    def _assistants(self, school: SchoolCode, slot: Slot) -> Fact:
        return Fact("assistants", school, school, slot=slot, number=len(self.ledger.staff[school]))

    def _fact(self, thing: Thing, place: Place) -> Fact:
        """A thing that stands there, as a fact about whom it holds: the class first, then its room, then the teacher."""
        ledger, problem = self.ledger, self.ledger.problem
        holders: list[tuple[Holder, str]] = [("class", self.group.code), ("teacher", place.teacher)]
        if self.room is not None:
            holders.insert(1, ("room", self.room))
        holder, code = next(who for who in holders if thing in ledger.held(*who, place.slot))
        if thing.kind == "lesson":
            lesson = problem.lesson_by_row[LessonRow(int(thing.code))]
            return Fact(_KINDS[holder, "lesson"], thing.code, code, lesson.subject, lesson.slot)
        if thing.kind == "absence":
            gone = ledger.fixed.absences[thing.code]
            if gone.resource == "school":
                return Fact("school_closed", thing.code, gone.code, slot=gone.slot)
            return Fact(_KINDS[holder, "away"], thing.code, code, slot=gone.slot)
        meeting = next(m for m in self._meetings_of(thing) if m.slot.clashes(place.slot))
        return Fact(_KINDS[holder, "meeting"], thing.code, code, meeting.subject, meeting.slot)

    def _meetings_of(self, thing: Thing) -> Collection[Meeting]:
        if thing.kind == "meeting":
            return [self.ledger.meetings[thing.code]]
        return [meeting for meeting in self.ledger.meetings.values() if meeting.ref == thing.code]


_KINDS: dict[tuple[Holder, str], FactKind] = {
    ("teacher", "lesson"): "teacher_lesson",
    ("class", "lesson"): "class_lesson",
    ("room", "lesson"): "room_lesson",
    ("teacher", "away"): "teacher_away",
    ("class", "away"): "class_away",
    ("room", "away"): "room_away",
    ("teacher", "meeting"): "teacher_meeting",
    ("class", "meeting"): "class_meeting",
    ("room", "meeting"): "room_meeting",
}


def _order(fact: Fact) -> tuple[int, str, str]:
    return (EFFORT[fact.kind], fact.kind, fact.code)
