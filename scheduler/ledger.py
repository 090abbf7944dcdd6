"""A finished plan as a ledger: everything that holds a teacher, a room or a class, each entry by the thing that would have to go.

The search has its own, faster books; this one is for asking *why*: it tells a local lesson from an absence and a meeting, and it
answers what would be free if some of them were gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import Literal, NamedTuple

from scheduler.locked_meetings import stands
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    ClassCode,
    Lesson,
    LessonRow,
    Meeting,
    Minute,
    Pair,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
    Unavailability,
)
from scheduler.windows import Window, breakpoints, shortest, windows_in

Holder = Literal["teacher", "room", "class"]


class Thing(NamedTuple):
    """What stands there: a local lesson (its row), an absence (what it says), a meeting (its code) or an activity (its own code)."""

    kind: Literal["lesson", "absence", "meeting", "activity"]
    code: str


Things = frozenset[Thing]
NOTHING: Things = frozenset()
Entry = tuple[Minute, Minute, int, Thing]
"""Start, end, weeks and what stands there."""


def thing_of(meeting: Meeting) -> Thing:
    """A delivery meeting can go alone; a community or a course goes as a whole (H12, H13)."""
    return Thing("meeting", meeting.code) if meeting.family == "delivery" else Thing("activity", meeting.ref)


def absence_code(gone: Unavailability) -> str:
    """What an absence is known by: all that it says."""
    return ":".join(map(str, (gone.resource, gone.code, *gone.slot)))


class Fixed:
    """What lessons and absences hold, whatever the plan."""

    def __init__(self, problem: Problem) -> None:
        self.entries: dict[tuple[Holder, str, int], list[Entry]] = defaultdict(list)
        self._absences(problem)
        for lesson in problem.lessons:
            start, end, weeks = lesson.slot.start, lesson.slot.end, lesson.slot.weeks
            entry = (start, end, weeks, Thing("lesson", str(lesson.row)))
            if lesson.teacher:
                self.entries["teacher", lesson.teacher, lesson.slot.weekday].append(entry)
            for code in lesson.classes:
                self.entries["class", code, lesson.slot.weekday].append(entry)
            if lesson.room:
                self.entries["room", lesson.room, lesson.slot.weekday].append(entry)

    def _absences(self, problem: Problem) -> None:
        members: dict[str, list[tuple[Holder, str]]] = defaultdict(list)
        for teacher in problem.teachers.values():
            members[teacher.school].append(("teacher", teacher.code))
        for room in problem.rooms.values():
            members[room.school].append(("room", room.code))
        for group in problem.classes.values():
            members[group.school].append(("class", group.code))
        self.absences: dict[str, Unavailability] = {absence_code(gone): gone for gone in problem.unavailabilities}
        for code, gone in self.absences.items():
            entry = (gone.slot.start, gone.slot.end, gone.slot.weeks, Thing("absence", code))
            if gone.resource == "school":
                for holder, name in members[gone.code]:
                    self.entries[holder, name, gone.slot.weekday].append(entry)
            else:
                self.entries[gone.resource, gone.code, gone.slot.weekday].append(entry)

    @cached_property
    def halved(self) -> frozenset[tuple[Holder, str]]:
        """Whom something holds in odd or in even weeks alone."""
        return frozenset(
            (holder, code)
            for (holder, code, _), entries in self.entries.items()
            if any(entry[2] != ALL_WEEKS for entry in entries)
        )

    def moved(self, lessons: Iterable[Lesson], minutes: Minute) -> Fixed:
        """The same with some lessons so many minutes later."""
        other = copy(self)
        other.entries = defaultdict(list, self.entries)
        for lesson in lessons:
            thing, day = Thing("lesson", str(lesson.row)), lesson.slot.weekday
            holders: list[tuple[Holder, str]] = [("class", code) for code in lesson.classes]
            holders += [("teacher", lesson.teacher)] if lesson.teacher else []
            holders += [("room", lesson.room)] if lesson.room else []
            for holder, code in holders:
                other.entries[holder, code, day] = [
                    (start + minutes, end + minutes, weeks, what) if what == thing else (start, end, weeks, what)
                    for start, end, weeks, what in other.entries[holder, code, day]
                ]
        return other


class _Day(NamedTuple):
    """One school's staff on one weekday (H11)."""

    seated: list[tuple[Slot, int, Thing]]
    busy: dict[TeacherCode, list[Entry]]
    things: Things
    """Everything that holds a teacher or seats a class there: what else is gone makes no difference."""


class Ledger:
    """A problem, the meetings that stand, and who is held by what."""

    def __init__(
        self,
        problem: Problem,
        meetings: Iterable[Meeting],
        *,
        like: Ledger | None = None,
        gone: Things = NOTHING,
        fixed: Fixed | None = None,
    ) -> None:
        """`like`: a ledger of nearly the same county, from which lessons and windows are taken over; only `gone` and `fixed` differ."""
        self.problem, self.gone = problem, gone
        self.fixed: Fixed = fixed or (like.fixed if like else Fixed(problem))
        self.meetings: dict[str, Meeting] = {}
        self._held: dict[tuple[Holder, str, Slot], Things] = {}
        self._partners: dict[Things, tuple[dict[SchoolCode, int], dict[SchoolCode, int]]] = {}
        self._days: dict[tuple[SchoolCode, int], _Day] = {}
        self._short: dict[tuple[SchoolCode, Slot, Things, int, TeacherCode | None], bool] = {}
        self._windows: dict[tuple[object, int], list[Slot]] = like._windows if like else {}
        self._teachers: dict[tuple[TeacherCode, int], list[Things]] = {}
        self._open_books()
        self._index()
        self._lessons: dict[tuple[TeacherCode, Subject], list[Lesson]] = like._lessons if like else self._hosting()
        self._breaks: Mapping[int, tuple[Minute, ...]] = like._breaks if like else breakpoints(problem)
        for meeting in meetings:
            self.meetings[meeting.code] = meeting
            self._count(meeting)
        locked = [
            (lock, meeting.code)
            for lock in problem.locks
            for meeting in self.meetings.values()
            if stands(lock, (meeting,))
        ]
        self.locked = frozenset(code for _, code in locked)
        """Meetings that may not change, but for more receivers."""
        self.anyway = frozenset(code for lock, code in locked if lock.overrides)
        """Those of them that were placed against a rule: nobody joins them."""

    def _open_books(self) -> None:
        self._moved: dict[LessonRow, list[tuple[int, RoomCode, str]]] = defaultdict(list)
        """Lessons that are taught in a lead room: weeks, the room, and the meeting that they host (H4)."""
        self._entries: dict[tuple[Holder, str, int], list[Entry]] = defaultdict(list)
        self._halved: set[tuple[Holder, str]] = set()
        self.load: dict[TeacherCode, list[tuple[Slot, Thing]]] = defaultdict(list)
        """Remote meetings of a teacher, led or attended (H9)."""
        self.pairs: dict[Pair, set[Thing]] = defaultdict(set)
        self.seated: dict[tuple[SchoolCode, int], list[tuple[Slot, int, Thing]]] = defaultdict(list)
        """Meetings that a school's classes attend on a weekday, and how many of its classes (H11)."""
        self.of_need: dict[tuple[ClassCode, Subject], list[Meeting]] = defaultdict(list)
        self.led: dict[tuple[TeacherCode, Subject], list[Meeting]] = defaultdict(list)
        """Delivery meetings of a teacher."""

    def _index(self) -> None:
        problem = self.problem
        self.lead_rooms: dict[SchoolCode, list[RoomCode]] = defaultdict(list)
        for room in problem.rooms.values():
            if room.can_lead:
                self.lead_rooms[room.school].append(room.code)
        self.staff: dict[SchoolCode, list[TeacherCode]] = defaultdict(list)
        self.leads: dict[Subject, list[TeacherCode]] = defaultdict(list)
        for teacher in problem.teachers.values():
            self.staff[teacher.school].append(teacher.code)
            if problem.schools[teacher.school].leads:
                for subject in teacher.subjects:
                    self.leads[subject].append(teacher.code)
        self._hosts: dict[tuple[TeacherCode, Subject], list[tuple[Lesson, frozenset[int]]]] = {}

    def _hosting(self) -> dict[tuple[TeacherCode, Subject], list[Lesson]]:
        """Lessons of teachers that the policy lets carry receivers."""
        found: dict[tuple[TeacherCode, Subject], list[Lesson]] = defaultdict(list)
        if self.problem.policy.allow_synchronous:
            for lesson in self.problem.lessons:
                if lesson.teacher:
                    found[lesson.teacher, lesson.subject].append(lesson)
        return found

    # ------------------------------------------------------------ meetings

    def add(self, meeting: Meeting) -> None:
        """One more meeting stands; one of the same code is replaced."""
        if meeting.code in self.meetings:
            self.remove(meeting.code)
        self.meetings[meeting.code] = meeting
        self._count(meeting)
        self._forget()

    def remove(self, code: str) -> None:
        """A meeting is gone."""
        rest = [meeting for meeting in self.meetings.values() if meeting.code != code]
        self.meetings = {}
        self._open_books()
        self._forget()
        for meeting in rest:
            self.meetings[meeting.code] = meeting
            self._count(meeting)

    def _forget(self) -> None:
        """What was looked up of who is held; windows stay."""
        self._held.clear()
        self._teachers.clear()
        self._partners.clear()
        self._days.clear()
        self._short.clear()

    def _count(self, meeting: Meeting) -> None:
        problem, thing, slot = self.problem, thing_of(meeting), meeting.slot
        entry = (slot.start, slot.end, slot.weeks, thing)
        holders: list[tuple[Holder, str]] = [("teacher", code) for code in {meeting.lead_teacher, *meeting.members}]
        holders += [("class", code) for code in meeting.classes]
        rooms = {problem.classes[code].receiving_room for code in meeting.classes} - {None}
        holders += [("room", str(room)) for room in {meeting.lead_room, *rooms}]
        for holder, name in holders:
            self._entries[holder, name, slot.weekday].append(entry)
        if slot.weeks != ALL_WEEKS:
            self._halved.update(holders)
        for teacher in {meeting.lead_teacher, *meeting.members}:
            self.load[teacher].append((slot, thing))
        attend: dict[SchoolCode, int] = defaultdict(int)
        for code in meeting.classes:
            attend[problem.classes[code].school] += 1
        for school, count in attend.items():
            self.seated[school, slot.weekday].append((slot, count, thing))
        if meeting.host_lesson is not None:
            self._moved[meeting.host_lesson].append((slot.weeks, meeting.lead_room, meeting.code))
            lesson = (slot.start, slot.end, slot.weeks, Thing("lesson", str(meeting.host_lesson)))
            self._entries["room", meeting.lead_room, slot.weekday].append(lesson)
        if meeting.family == "delivery":
            lead = problem.teachers[meeting.lead_teacher].school
            for school in attend:
                self.pairs[Pair(lead, school)].add(thing)
            self.led[meeting.lead_teacher, meeting.subject].append(meeting)
            for code in meeting.classes:
                self.of_need[code, meeting.subject].append(meeting)

    # ------------------------------------------------------------ who is held

    def entries(self, holder: Holder, code: str, weekday: int) -> Iterator[Entry]:
        """Everything that holds somebody on a weekday; a lesson that moved into a lead room has left its own (H4)."""
        for entry in self.fixed.entries.get((holder, code, weekday), ()):
            if holder == "room" and entry[3].kind == "lesson" and self._moved:
                gone = sum(weeks for weeks, _, _ in self._moved.get(LessonRow(int(entry[3].code)), ()))
                if gone:
                    if entry[2] & ~gone:
                        yield (entry[0], entry[1], entry[2] & ~gone, entry[3])
                    continue
            yield entry
        yield from self._entries.get((holder, code, weekday), ())

    def held(self, holder: Holder, code: str, slot: Slot) -> Things:
        """What holds somebody in a window."""
        key = (holder, code, slot)
        known = self._held.get(key)
        if known is None:
            _, start, end, weeks = slot
            found = {
                thing
                for first, last, which, thing in self.entries(holder, code, slot.weekday)
                if first < end and start < last and which & weeks and thing not in self.gone
            }
            known = self._held[key] = frozenset(found) if found else NOTHING
        return known

    # ------------------------------------------------------------ windows

    def windows(self, school: SchoolCode, weeks: int) -> list[Slot]:
        """H5: every window worth asking about in a lead school's week: the shortest ones, at every minute where something begins or ends.

        Schools with equal bells get the same list.
        """
        periods = tuple(sorted(self.problem.schools[school].periods.items()))
        known = self._windows.get((periods, weeks))
        if known is None:
            known = self._windows[periods, weeks] = [
                Slot(weekday, *window, weeks)
                for weekday, day in periods
                for period in day
                for window in windows_in(period, self.problem.policy, self._edges.get(weekday, ()))
            ]
        return known

    def held_in_windows(self, teacher: TeacherCode, weeks: int) -> list[Things]:
        """What holds a teacher in each of the windows of the own school."""
        known = self._teachers.get((teacher, weeks))
        if known is None:
            slots = self.windows(self.problem.teachers[teacher].school, weeks)
            known = self._teachers[teacher, weeks] = [self.held("teacher", teacher, slot) for slot in slots]
        return known

    def hosts(self, teacher: TeacherCode, subject: Subject) -> list[tuple[Lesson, frozenset[int]]]:
        """H4: lessons of a teacher that could carry receivers, with the grades of their classes."""
        known = self._hosts.get((teacher, subject))
        if known is None:
            school, classes = self.problem.teachers[teacher].school, self.problem.classes
            known = self._hosts[teacher, subject] = [
                (lesson, frozenset(grade for code in lesson.classes for grade in classes[code].grades))
                for lesson in self._lessons.get((teacher, subject), ())
                if self.led_period(school, lesson.slot) is not None
                and Thing("lesson", str(lesson.row)) not in self.gone
            ]
        return known

    def in_half(self, holder: Holder, code: str) -> bool:
        """Whether something holds somebody in odd or in even weeks alone: half of a lesson may fit where a whole one does not."""
        return (holder, code) in self.fixed.halved or (holder, code) in self._halved

    @cached_property
    def _edges(self) -> Mapping[int, set[Minute]]:
        edges: dict[int, set[Minute]] = defaultdict(set)
        for weekday, minutes in self._breaks.items():
            edges[weekday].update(minutes)
        for meeting in self.meetings.values():
            if meeting.family != "delivery":
                edges[meeting.slot.weekday].update((meeting.slot.start, meeting.slot.end))
        return edges

    def led_period(self, school: SchoolCode, slot: Slot) -> Window | None:
        """The teaching period of a lead school that a window lies in and is long enough for."""
        for period in self.problem.schools[school].periods.get(slot.weekday, ()):
            if period[0] <= slot.start and slot.end <= period[1]:
                return period if slot.end - slot.start >= shortest(period, self.problem.policy) else None
        return None

    # ------------------------------------------------------------ what else is scarce

    def load_of(self, teacher: TeacherCode, slot: Slot, gone: Things) -> tuple[int, int]:
        """H9: remote meetings of a teacher in the busier of the slot's weeks: in the week, and on its weekday."""
        week = day = 0
        for bit in (ODD, EVEN):
            if slot.weeks & bit:
                these = [
                    other for other, thing in self.load.get(teacher, ()) if other.weeks & bit and thing not in gone
                ]
                week = max(week, len(these))
                day = max(day, sum(other.weekday == slot.weekday for other in these))
        return week, day

    def partners(self, gone: Things) -> tuple[dict[SchoolCode, int], dict[SchoolCode, int]]:
        """H10: partners of every lead and of every receiving school, once some meetings are gone."""
        gone = frozenset(thing for thing in gone if thing.kind == "meeting")
        known = self._partners.get(gone)
        if known is not None:
            return known
        leads: dict[SchoolCode, int] = defaultdict(int)
        receivers: dict[SchoolCode, int] = defaultdict(int)
        for (lead, school), things in self.pairs.items():
            if things - gone:
                leads[lead] += 1
                receivers[school] += 1
        self._partners[gone] = leads, receivers
        return leads, receivers

    def seats(self, room: RoomCode) -> int:
        """H7: receivers that a lead room and the policy allow."""
        limit, most = self.problem.rooms[room].max_receivers, self.problem.policy.max_receivers
        return most if limit is None else min(limit, most)

    def free_room(
        self, school: SchoolCode, slot: Slot, gone: Things, receivers: int, barred: Collection[RoomCode | None]
    ) -> RoomCode | None:
        """H2: the smallest lead room that holds so many receivers, free in the window once some things are gone."""
        fitting = [
            code
            for code in self.lead_rooms.get(school, ())
            if code not in barred and self.seats(code) >= receivers and not self.held("room", code, slot) - gone
        ]
        return min(fitting, key=lambda code: (self.seats(code), code), default=None)

    def short_of_staff(self, school: SchoolCode, slot: Slot, gone: Things, more: int, away: TeacherCode | None) -> bool:
        """H11: whether a school lacks assistants in the window, with more classes in it and one teacher away."""
        if not self.problem.policy.require_assistant or not self.staff.get(school):
            return False
        day = self._day_of(school, slot.weekday)
        key = (school, slot, gone & day.things, more, away)
        known = self._short.get(key)
        if known is None:
            known = self._short[key] = self._lacks_assistants(day, slot, gone, more, away)
        return known

    def _day_of(self, school: SchoolCode, weekday: int) -> _Day:
        known = self._days.get((school, weekday))
        if known is None:
            seated = self.seated.get((school, weekday), [])
            busy = {
                code: [entry for entry in self.entries("teacher", code, weekday) if entry[3] not in self.gone]
                for code in self.staff[school]
            }
            things = frozenset(thing for _, _, thing in seated)
            things |= {entry[3] for entries in busy.values() for entry in entries}
            known = self._days[school, weekday] = _Day(seated, busy, things)
        return known

    @staticmethod
    def _lacks_assistants(day: _Day, slot: Slot, gone: Things, more: int, away: TeacherCode | None) -> bool:
        seated = [entry for entry in day.seated if entry[2] not in gone and entry[0].clashes(slot)]
        busy = [
            [e for e in entries if e[0] < slot.end and slot.start < e[1] and e[3] not in gone]
            for code, entries in day.busy.items()
            if code != away
        ]
        for week in (ODD, EVEN):
            if not slot.weeks & week:
                continue
            minutes = {slot.start}
            minutes.update(other.start for other, _, _ in seated)
            minutes.update(entry[0] for entries in busy for entry in entries)
            for minute in minutes:
                if not slot.start <= minute < slot.end:
                    continue
                inside = more + sum(n for s, n, _ in seated if s.start <= minute < s.end and s.weeks & week)
                free = sum(not any(e[0] <= minute < e[1] and e[2] & week for e in entries) for entries in busy)
                if inside > free:
                    return True
        return False
