"""Who and what is held when, on dates: by local lessons, absences, circumstances and dated lessons. Pure.

Everything that is decided about single days looks here: who may stand in, where a lesson may move to, whether two may swap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rooms.county import County
from rooms.planning.circumstances import Circumstance, misfit, windows
from rooms.planning.clashes import Taken
from rooms.planning.occurrences import OccurrenceView
from scheduler.problem import Minute, Problem, SchoolCode, Slot, TeacherCode
from scheduler.terms import Term, parity

Why = Literal["lesson", "away", "remote"]


@dataclass(frozen=True, slots=True)
class Held:
    """What holds somebody: a local ``lesson``, an absence or closure (``away``), a ``remote`` lesson."""

    start: Minute
    end: Minute
    why: Why
    subject: str = ""
    occurrence: str = ""
    """Id of the remote lesson."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What a dated lesson takes, or would take."""

    occurrence: str
    day: date
    start: Minute
    end: Minute
    subject: str
    leads: str
    """Code of the teacher who leads."""
    attend: frozenset[str]
    """Teachers who attend (a community's members)."""
    classes: frozenset[str]
    rooms: frozenset[str]

    @property
    def taken(self) -> Iterator[Taken]:
        """Everything that can be in one place only, once each."""
        if self.leads:
            yield "teacher", self.leads
        for what, codes in (("teacher", self.attend), ("class", self.classes), ("room", self.rooms)):
            yield from ((what, code) for code in sorted(codes))


def booking_of(lesson: OccurrenceView) -> Booking:
    """A dated lesson as it stands; sides that are excused are not there."""
    there = lesson.attending
    return Booking(
        lesson.id,
        lesson.day,
        lesson.start,
        lesson.end,
        lesson.subject,
        lesson.lead.teacher_code or "",
        frozenset(side.teacher_code for side in there if side.teacher_code),
        frozenset(side.class_code for side in there if side.class_code),
        frozenset(side.room_code for side in (lesson.lead, *there) if side.room_code),
    )


class Diary:
    """The dated engagements of a county. `county` has the bells that are in force; `circumstances` close on dates."""

    def __init__(
        self,
        county: County,
        problem: Problem,
        term: Term,
        lessons: Iterable[OccurrenceView],
        circumstances: Sequence[Circumstance],
    ) -> None:
        self.county, self.problem, self.term = county, problem, term
        self._closing = [each for each in circumstances if _closes(county, each)]
        self._members: dict[str, list[Taken]] = defaultdict(list)
        for teacher in problem.teachers.values():
            self._members[teacher.school].append(("teacher", teacher.code))
        for room in problem.rooms.values():
            self._members[room.school].append(("room", room.code))
        for group in problem.classes.values():
            self._members[group.school].append(("class", group.code))
        self._weekly: dict[Taken, list[tuple[Slot, Held]]] = defaultdict(list)
        self._fill_weekly()
        self._bookings: dict[date, dict[str, Booking]] = defaultdict(dict)
        self._taken: dict[tuple[date, Taken], list[Booking]] = defaultdict(list)
        for lesson in lessons:
            if lesson.state != "cancelled":
                self.add(booking_of(lesson))

    def _fill_weekly(self) -> None:
        for lesson in self.problem.lessons:
            held = Held(lesson.slot.start, lesson.slot.end, "lesson", lesson.subject)
            taken: list[Taken] = [("class", code) for code in lesson.classes]
            taken += [(what, code) for what, code in (("teacher", lesson.teacher), ("room", lesson.room)) if code]
            for each in taken:
                self._weekly[each].append((lesson.slot, held))
        for gone in self.problem.unavailabilities:
            held = Held(gone.slot.start, gone.slot.end, "away")
            for each in self._closed(gone.resource, gone.code):
                self._weekly[each].append((gone.slot, held))

    def _closed(self, resource: str, code: str) -> Sequence[Taken]:
        return self._members[code] if resource == "school" else [(resource, code)]

    def add(self, booking: Booking) -> None:
        """Enters a lesson, in place of the one with its id."""
        self.drop(booking.day, booking.occurrence)
        self._bookings[booking.day][booking.occurrence] = booking
        for each in booking.taken:
            self._taken[booking.day, each].append(booking)

    def drop(self, day: date, occurrence: str) -> None:
        """Strikes a lesson out."""
        gone = self._bookings[day].pop(occurrence, None)
        if gone is not None:
            for each in gone.taken:
                self._taken[day, each].remove(gone)

    def day_of(self, what: Taken, day: date) -> list[Held]:
        """Everything that holds one teacher, room or class on a day, in order of time."""
        weekday, week = self.term.taught_as(day), self.term.week(day)
        found = [
            held for slot, held in self._weekly.get(what, ()) if slot.weekday == weekday and slot.weeks & parity(week)
        ]
        found += [Held(*window, "away") for window in self._closures(what, day)]
        found += [
            Held(booking.start, booking.end, "remote", booking.subject, booking.occurrence)
            for booking in self._taken.get((day, what), ())
        ]
        return sorted(found, key=lambda held: (held.start, held.end, held.why))

    def _closures(self, what: Taken, day: date) -> Iterator[tuple[Minute, Minute]]:
        for each in self._closing:
            if closed_on(each, day, self.term) and what in self._closed(_resource(each), each.code):
                yield from windows(self.county, each, self.term.taught_as(day) or day.isoweekday())

    def holding(self, what: Taken, day: date, start: Minute, end: Minute, *, but: Iterable[str] = ()) -> Held | None:
        """What holds somebody in a window; the lessons `but` are looked past."""
        past = frozenset(but)
        for held in self.day_of(what, day):
            if held.start < end and start < held.end and held.occurrence not in past:
                return held
        return None

    def remote(self, teacher: str, first: date, last: date) -> int:
        """How many remote lessons a teacher leads or attends from a date to another, both included."""
        return len(self._remote(teacher, first, last))

    def _remote(self, teacher: str, first: date, last: date) -> list[Booking]:
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [booking for day in days for booking in self._taken.get((day, ("teacher", teacher)), ())]

    def within_limits(self, teacher: str, day: date, *, but: Iterable[str] = ()) -> bool:
        """H9 on dates: whether one more lesson fits the teacher's day and week; `but` are lessons it stands in for.

        Who left the county since the lesson was published can take none.
        """
        limits = self.problem.teachers.get(TeacherCode(teacher))
        if limits is None:
            return False
        past, monday = frozenset(but), day - timedelta(days=day.isoweekday() - 1)
        week = self._remote(teacher, monday, monday + timedelta(days=6))
        own = [booking for booking in week if booking.occurrence not in past]
        return len(own) < limits.week_limit and sum(each.day == day for each in own) < limits.day_limit

    def assistants_enough(self, wanted: Booking, *, but: Iterable[str] = ()) -> bool:
        """H11 on dates: every receiving school has a free teacher for each of its classes in lessons meanwhile."""
        if not self.problem.policy.require_assistant:
            return True
        classes, past = self.problem.classes, frozenset(but)
        for school in {classes[code].school for code in wanted.classes if code in classes}:  # type: ignore[index] # plain codes
            staff = [code for what, code in self._members[school] if what == "teacher"]
            free = sum(
                self.holding(("teacher", code), wanted.day, wanted.start, wanted.end, but=past) is None
                for code in staff
            )
            if staff and free < self._sitting(school, wanted, past):
                return False
        return True

    def _sitting(self, school: SchoolCode, wanted: Booking, past: frozenset[str]) -> int:
        """Classes of a school in lessons while `wanted` lasts, its own included."""
        classes = self.problem.classes
        meanwhile = [wanted] + [
            booking
            for booking in self._bookings[wanted.day].values()
            if booking.start < wanted.end and wanted.start < booking.end and booking.occurrence not in past
        ]
        return len(
            {
                code
                for booking in meanwhile
                for code in booking.classes
                if code in classes and classes[code].school == school  # type: ignore[index] # plain codes
            }
        )


def closed_on(circumstance: Circumstance, day: date, term: Term) -> bool:
    """Whether a date lies in a circumstance's days and weeks."""
    last = circumstance.until_date
    inside = circumstance.from_date <= day and (last is None or day <= last)
    return inside and bool(circumstance.weeks & parity(term.week(day)))


def _closes(county: County, circumstance: Circumstance) -> bool:
    return _resource(circumstance) != "" and misfit(county, circumstance) is None


def _resource(circumstance: Circumstance) -> str:
    closes = {"teacher_away": "teacher", "room_closed": "room", "school_closed": "school"}
    return closes.get(circumstance.kind, "")
