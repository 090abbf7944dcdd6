"""What no plan can do, proved from the county alone, minute by minute: nobody is qualified, nothing is ever free, one teacher is too few.

A certificate needs neither the search nor its books: sets of minutes of the week as whole numbers (`scheduler.activities.minutes`) are
enough, and quick enough to ask about every need before a run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from scheduler.minutes import DAY, WEEK, Minutes, Standing, minutes
from scheduler.problem import (
    EVEN,
    ODD,
    Lesson,
    Minute,
    Need,
    Problem,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)
from scheduler.windows import shortest

EVERY = (1 << 2 * WEEK) - 1


class Certificate(NamedTuple):
    """A code of the ``plan`` catalogue and its places."""

    code: str
    facts: Mapping[str, object]


class Certificates:
    """Asks about the needs of one county."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._leads: dict[Subject, list[TeacherCode]] = defaultdict(list)
        for teacher in problem.teachers.values():
            if problem.schools[teacher.school].leads:
                for subject in teacher.subjects:
                    self._leads[subject].append(teacher.code)
        self._starts: dict[SchoolCode, list[tuple[Minute, Minutes]]] = {}
        self._touching: dict[tuple[SchoolCode, Minute], Minutes] = {}

    @cached_property
    def standing(self) -> Standing:
        """Who is held when; a repair seldom asks."""
        return Standing(self.problem)

    def of(self, need: Need) -> Certificate | None:
        """The first certificate that holds for a need."""
        facts: dict[str, object] = {"school_class": need.school_class, "subject": need.subject}
        if self.problem.policy.max_receivers < 1:
            return Certificate("no_receivers_allowed", {**facts, "limit": self.problem.policy.max_receivers})
        able = self.able(need)
        if not able:
            return Certificate("no_teacher", facts)
        facts["teachers"] = len(able)
        roomy = [code for code in able if self.standing.lead_rooms[self.problem.teachers[code].school]]
        if not roomy:
            return Certificate("no_lead_room", facts)
        best: tuple[int, TeacherCode] | None = None
        free = self.open_minutes(need)
        for code in roomy:
            most = self.most_alone(need, code, free)
            if best is None or most > best[0]:
                best = (most, code)
            if most >= need.halves:
                return None
        assert best is not None
        if best[0]:
            asked = {"teacher": best[1], "most": best[0] / 2, "asked": need.halves / 2}
            return Certificate("teacher_too_few", {**facts, **asked})
        return Certificate(self._never(need, roomy), facts)

    def _never(self, need: Need, roomy: list[TeacherCode]) -> str:
        """Why there is no window at all: the class, its school's assistants, or the teachers."""
        schools = sorted({self.problem.teachers[code].school for code in roomy})
        if any(self._windows(need, school, self.open_minutes(need)) for school in schools):
            return "no_common_window"
        if any(self._windows(need, school, self.open_minutes(need, assistants=False)) for school in schools):
            return "assistants_never_free"
        return "class_never_free"

    def able(self, need: Need) -> list[TeacherCode]:
        """H1, H10: who may lead the need at all."""
        problem, home = self.problem, self.problem.classes[need.school_class].school
        return [
            code
            for code in self._leads.get(need.subject, ())
            if problem.teachers[code].school != home and problem.qualified(code, need.subject, need.school_class)
        ]

    def open_minutes(self, need: Need, *, assistants: bool = True) -> Minutes:
        """Minutes in which the class and its room are free of lessons and absences, and (H11) not every teacher of its school is held."""
        group, held = self.problem.classes[need.school_class], self.standing.held
        busy = held.get(("class", group.code), 0)
        if group.receiving_room is not None:
            busy |= held.get(("room", group.receiving_room), 0)
        staff = self.standing.staff.get(group.school)
        if assistants and staff and self.problem.policy.require_assistant:
            everyone = EVERY
            for code in staff:
                everyone &= held.get(("teacher", code), 0)
            busy |= everyone
        return EVERY & ~busy

    def most_windows(self, needs: Sequence[Need]) -> int:
        """Halves that a class could have at most for all its needs together: windows one after another, with anybody able."""
        leads = {self.problem.teachers[code].school for need in needs for code in self.able(need)}
        days: dict[int, list[tuple[Minute, int]]] = defaultdict(list)
        for lead in sorted(leads):
            for length, starts in self._windows(needs[0], lead, self.open_minutes(needs[0])):
                for day in range(2 * WEEK // DAY):
                    here = starts >> (day * DAY) & ((1 << DAY) - 1)
                    if here:
                        days[day].append((length, here))
        return sum(_most_disjoint(windows) for windows in days.values())

    # ------------------------------------------------------------ windows

    def _windows(self, need: Need, lead: SchoolCode, free: Minutes) -> list[tuple[Minute, Minutes]]:
        """H5: the minutes at which a window of a lead school's periods may begin in free minutes, by its length."""
        home = self.problem.classes[need.school_class].school
        found = []
        for length, starts in self._lead_starts(lead):
            open_at = starts & _eroded(free, length) & self._school_day(home, length)
            if open_at:
                found.append((length, open_at))
        return found

    def _lead_starts(self, school: SchoolCode) -> list[tuple[Minute, Minutes]]:
        """By length of the shortest window: the minutes at which one may begin within a period."""
        known = self._starts.get(school)
        if known is None:
            by_length: dict[Minute, Minutes] = defaultdict(int)
            for weekday, periods in self.problem.schools[school].periods.items():
                for start, end in periods:
                    length = shortest((start, end), self.problem.policy)
                    by_length[length] |= minutes(Slot(weekday, start, end - length + 1))
            known = self._starts[school] = sorted(by_length.items())
        return known

    def _school_day(self, school: SchoolCode, length: Minute) -> Minutes:
        """H5: beginnings from which a window touches one or two periods of a receiving school."""
        known = self._touching.get((school, length))
        if known is None:
            one = two = three = 0
            for weekday, periods in self.problem.schools[school].periods.items():
                for start, end in periods:
                    touching = minutes(Slot(weekday, max(0, start - length + 1), end))
                    one, two, three = one | touching, two | (one & touching), three | (two & touching)
            known = self._touching[school, length] = one & ~three
        return known

    # ------------------------------------------------------------ one teacher

    def most_alone(self, need: Need, teacher: TeacherCode, free: Minutes) -> int:
        """Halves that a teacher could give the need at most, were it the only one in the county."""
        problem = self.problem
        lead = problem.teachers[teacher].school
        both = free & ~self.standing.held.get(("teacher", teacher), 0)
        days: dict[int, int] = defaultdict(int)
        for length, starts in self._windows(need, lead, both):
            for day in range(2 * WEEK // DAY):
                here = starts >> (day * DAY) & ((1 << DAY) - 1)
                if here:
                    days[day] += _disjoint(here, length)
        if sum(min(1, count) for count in days.values()) < need.halves:
            self._add_synchronous(need, teacher, free, days)
        one_a_day = problem.policy.one_lesson_per_day
        return min(need.halves, sum(min(1, count) if one_a_day else count for count in days.values()))

    def _add_synchronous(self, need: Need, teacher: TeacherCode, free: Minutes, days: dict[int, int]) -> None:
        """H4: the teacher's own lessons that could carry the class."""
        problem = self.problem
        grades = problem.classes[need.school_class].grades
        lead, home = problem.teachers[teacher].school, problem.classes[need.school_class].school
        for lesson in self._lessons_of.get(teacher, ()) if problem.policy.allow_synchronous else ():
            slot = lesson.slot
            shared = lesson.subject == need.subject and any(problem.classes[c].grades & grades for c in lesson.classes)
            if not shared or not self._in_period(lead, slot):
                continue
            beside = self._beside(teacher, lesson)
            for week in (ODD, EVEN):
                window = minutes(slot._replace(weeks=week & slot.weeks)) if week & slot.weeks else 0
                begins = minutes(slot._replace(end=slot.start + 1, weeks=week)) & self._school_day(
                    home, slot.end - slot.start
                )
                if window and begins and not window & beside and not window & ~free:
                    days[(slot.weekday - 1) + (WEEK // DAY if week == EVEN else 0)] += 1

    def _in_period(self, lead: SchoolCode, slot: Slot) -> bool:
        return any(
            start <= slot.start
            and slot.end <= end
            and slot.end - slot.start >= shortest((start, end), self.problem.policy)
            for start, end in self.problem.schools[lead].periods.get(slot.weekday, ())
        )

    @cached_property
    def _lessons_of(self) -> Mapping[TeacherCode, list[Lesson]]:
        found: dict[TeacherCode, list[Lesson]] = defaultdict(list)
        for lesson in self.problem.lessons:
            if lesson.teacher:
                found[lesson.teacher].append(lesson)
        return found

    @cached_property
    def _absences(self) -> Mapping[tuple[str, str], list[Slot]]:
        found: dict[tuple[str, str], list[Slot]] = defaultdict(list)
        for gone in self.problem.unavailabilities:
            found[gone.resource, gone.code].append(gone.slot)
        return found

    def _beside(self, teacher: TeacherCode, lesson: Lesson) -> Minutes:
        """What holds a teacher on the day of a lesson besides it."""
        school = self.problem.teachers[teacher].school
        slots = [other.slot for other in self._lessons_of.get(teacher, ()) if other.row != lesson.row]
        slots += self._absences.get(("teacher", teacher), ())
        slots += self._absences.get(("school", school), ())
        held = 0
        for slot in slots:
            if slot.clashes(lesson.slot):
                held |= minutes(slot)
        return held


def _eroded(free: Minutes, length: Minute) -> Minutes:
    """The minutes from which so many in a row are free."""
    done = 1
    while done < length:
        step = min(done, length - done)
        free &= free >> step
        done += step
    return free


def _most_disjoint(windows: Sequence[tuple[Minute, int]]) -> int:
    """The most windows of several lengths that fit into a day: the one that ends first, again and again."""
    count = now = 0
    while True:
        ends = [now + (left & -left).bit_length() - 1 + length for length, starts in windows if (left := starts >> now)]
        if not ends:
            return count
        count, now = count + 1, min(ends)


def _disjoint(starts: int, length: Minute) -> int:
    """How many windows of a length fit one after another, beginning at some of these minutes."""
    count = 0
    while starts:
        first = (starts & -starts).bit_length() - 1
        count += 1
        starts = starts >> (first + length) << (first + length)
    return count
