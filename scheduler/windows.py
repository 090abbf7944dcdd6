"""Common minutes across bell tables.

The week is cut into *atoms*: the pieces between all breakpoints of the bell tables, absences and windows that matter.
A set of minutes in some weeks becomes one integer, a bit an atom and parity of weeks, so that "is this teacher free
then" is one ``and``. Cutting is exact: no window or busy time ends inside an atom.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from scheduler.problem import (
    EVEN,
    ODD,
    ClassCode,
    LessonRow,
    Minute,
    Policy,
    Problem,
    RoomCode,
    School,
    SchoolCode,
    Slot,
    TeacherCode,
)

Mask = int
"""Bits of atoms; odd weeks first, then even weeks."""
Window = tuple[Minute, Minute]


def shortest(period: Window, policy: Policy) -> Minute:
    """H5: the least length of a delivery window inside a period of the lead school."""
    return min(policy.min_common_minutes, period[1] - period[0])


def turns(period: Window, policy: Policy) -> int:
    """H5: the delivery windows that fit into a lead school's period one after the other."""
    return (period[1] - period[0]) // max(1, shortest(period, policy))


def windows_in(period: Window, policy: Policy, breaks: Iterable[Minute]) -> tuple[Window, ...]:
    """The windows of least length worth trying inside a lead school's period.

    Only a window that begins or ends where something else does can fit where no other fits, so the breakpoints are enough.
    """
    start, end = period
    length = shortest(period, policy)
    starts = {start, end - length}
    for minute in breaks:
        starts.update({minute, minute - length})
    return tuple((first, first + length) for first in sorted(starts) if start <= first <= end - length)


def periods_touched(school: School, slot: Slot) -> int:
    """H5: how many teaching periods of a receiving school the window covers a part of."""
    return sum(start < slot.end and slot.start < end for start, end in school.periods.get(slot.weekday, ()))


def lead_periods(problem: Problem) -> Iterator[tuple[SchoolCode, int, Window]]:
    """Every teaching period of every school that leads."""
    for school in problem.schools.values():
        if school.leads:
            for weekday, periods in school.periods.items():
                for period in periods:
                    yield school.code, weekday, period


def breakpoints(problem: Problem) -> Mapping[int, tuple[Minute, ...]]:
    """Weekday → every minute at which a period, a lesson or an absence begins or ends."""
    found: dict[int, set[Minute]] = defaultdict(set)
    for school in problem.schools.values():
        for weekday, periods in school.periods.items():
            for period in periods:
                found[weekday].update(period)
    slots = [lesson.slot for lesson in problem.lessons] + [gone.slot for gone in problem.unavailabilities]
    for slot in slots:
        found[slot.weekday].update((slot.start, slot.end))
    return {weekday: tuple(sorted(minutes)) for weekday, minutes in found.items()}


class Grid:
    """The atoms of one county's week, and who is busy in which of them before any meeting is planned."""

    def __init__(self, problem: Problem, extra: Iterable[Slot] = ()) -> None:
        """`extra` are windows beyond those of lead periods that masks will be asked for (communities)."""
        self.problem = problem
        self.breaks = breakpoints(problem)
        self.windows: dict[tuple[SchoolCode, int, Window], tuple[Window, ...]] = {
            (code, weekday, period): windows_in(period, problem.policy, self.breaks[weekday])
            for code, weekday, period in lead_periods(problem)
        }
        cuts: dict[int, set[Minute]] = {weekday: set(minutes) for weekday, minutes in self.breaks.items()}
        for (_, weekday, _), windows in self.windows.items():
            cuts[weekday].update(minute for window in windows for minute in window)
        for slot in (*extra, *(lock.meeting.slot for lock in problem.locks)):
            cuts.setdefault(slot.weekday, set()).update((slot.start, slot.end))
        self._cuts = {weekday: sorted(minutes) for weekday, minutes in cuts.items()}
        self._first: dict[int, int] = {}
        self.atoms = 0
        for weekday in sorted(self._cuts):
            self._first[weekday] = self.atoms
            self.atoms += max(0, len(self._cuts[weekday]) - 1)
        self._masks: dict[Slot, Mask] = {}
        self._fill_busy()

    def mask(self, slot: Slot) -> Mask:
        """The atoms of a window; its ends must be cuts."""
        known = self._masks.get(slot)
        if known is None:
            cuts = self._cuts[slot.weekday]
            low, high = bisect_left(cuts, slot.start), bisect_left(cuts, slot.end)
            piece = ((1 << (high - low)) - 1) << (self._first[slot.weekday] + low)
            known = (piece if slot.weeks & ODD else 0) | (piece << self.atoms if slot.weeks & EVEN else 0)
            self._masks[slot] = known
        return known

    def cover(self, slot: Slot) -> Mask:
        """The atoms that a window has a minute of, whether its ends are cuts or not."""
        cuts = self._cuts.get(slot.weekday, [])
        inside = [n for n in range(len(cuts) - 1) if cuts[n] < slot.end and slot.start < cuts[n + 1]]
        if not inside:
            return 0
        return self.mask(Slot(slot.weekday, cuts[inside[0]], cuts[inside[-1] + 1], slot.weeks))

    def _fill_busy(self) -> None:
        problem = self.problem
        self.teacher_busy: dict[TeacherCode, Mask] = dict.fromkeys(problem.teachers, 0)
        self.class_busy: dict[ClassCode, Mask] = dict.fromkeys(problem.classes, 0)
        self.room_busy: dict[RoomCode, Mask] = dict.fromkeys(problem.rooms, 0)
        self.lesson_mask: dict[LessonRow, Mask] = {}
        self.lessons_in: dict[RoomCode, list[LessonRow]] = defaultdict(list)
        for lesson in problem.lessons:
            mask = self.mask(lesson.slot)
            self.lesson_mask[lesson.row] = mask
            if lesson.teacher:
                self.teacher_busy[lesson.teacher] |= mask
            if lesson.room:
                self.room_busy[lesson.room] |= mask
                self.lessons_in[lesson.room].append(lesson.row)
            for code in lesson.classes:
                self.class_busy[code] |= mask
        self._fill_absences()

    def _fill_absences(self) -> None:
        """An absence of a school is one of all its teachers, rooms and classes (docs/PLANNING.md, H3)."""
        problem = self.problem
        self.absent: dict[TeacherCode, Mask] = dict.fromkeys(problem.teachers, 0)
        self.room_absent: dict[RoomCode, Mask] = dict.fromkeys(problem.rooms, 0)
        of_school: dict[str, Mask] = defaultdict(int)
        for gone in problem.unavailabilities:
            mask = self.mask(gone.slot)
            if gone.resource == "school":
                of_school[gone.code] |= mask
            elif gone.resource == "teacher":
                self.teacher_busy[TeacherCode(gone.code)] |= mask
                self.absent[TeacherCode(gone.code)] |= mask
            elif gone.resource == "room":
                self.room_absent[RoomCode(gone.code)] |= mask
            else:
                self.class_busy[ClassCode(gone.code)] |= mask
        for teacher in problem.teachers.values():
            self.teacher_busy[teacher.code] |= of_school[teacher.school]
            self.absent[teacher.code] |= of_school[teacher.school]
        for room in problem.rooms.values():
            self.room_absent[room.code] |= of_school[room.school]
            self.room_busy[room.code] |= self.room_absent[room.code]
        for group in problem.classes.values():
            self.class_busy[group.code] |= of_school[group.school]
