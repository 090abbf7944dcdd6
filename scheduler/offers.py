"""Who could teach whom, and when: every spot a delivery meeting could take, and every seat a need could have in it.

Numbers stand for things here (need 0, 1, 2 …), because the search asks millions of small questions. A *spot* is a lead
teacher in a window, alone or synchronous with one of the teacher's own lessons (H4). A *seat* is a need in a spot. Everything that no
plan can change is already taken into account: qualification, bells, lessons, absences, the teacher's own school.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, overload

from scheduler.bells import Bell, Bits, bits_of
from scheduler.locked_meetings import standing_locks
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    ClassCode,
    Lesson,
    LessonRow,
    Lock,
    Need,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)
from scheduler.windows import Grid, Mask, Window


@dataclass(frozen=True, slots=True)
class Spot:
    """A lead teacher in a window; `host` is the row of the teacher's own lesson that is taught along (H4)."""

    teacher: TeacherCode
    school: SchoolCode
    slot: Slot
    mask: Mask
    host: LessonRow | None


@dataclass(frozen=True, slots=True)
class Want:
    """A need with what every question about it asks for."""

    need: Need
    school: SchoolCode
    grades: frozenset[int]
    edition: str
    """Empty: unknown, or the policy does not ask; matches everything."""
    room: RoomCode | None

    @property
    def weight(self) -> int:
        """What one half of a lesson is worth."""
        return self.need.priority


def _day_bits(slot: Slot) -> int:
    return sum(1 << (slot.weekday + (8 if week == EVEN else 0)) for week in (ODD, EVEN) if slot.weeks & week)


Answer = TypeVar("Answer")


class PerNeed(Sequence[Answer]):
    """Something known of every need, worked out when it is first asked for."""

    def __init__(self, needs: int, answer: Callable[[int], Answer]) -> None:
        self._known: list[Answer | None] = [None] * needs
        self._answer = answer

    @overload
    def __getitem__(self, need: int) -> Answer: ...
    @overload
    def __getitem__(self, need: slice) -> Sequence[Answer]: ...
    def __getitem__(self, need: int | slice) -> Answer | Sequence[Answer]:
        if isinstance(need, slice):
            return [self[number] for number in range(*need.indices(len(self)))]
        known = self._known[need]
        if known is None:
            known = self._known[need] = self._answer(need)
        return known

    def __len__(self) -> int:
        return len(self._known)


class Offers:
    """All spots and seats of a county."""

    def __init__(
        self,
        problem: Problem,
        grid: Grid,
        *,
        relaxed: bool = False,
        locks: tuple[Lock, ...] | None = None,
        only: Collection[int] | None = None,
    ) -> None:
        """`relaxed`: with relaxed bells, for proofs about all plans rather than for making one. `locks`: those that are known to stand.

        `only`: the needs that will be asked about, each when it is; where it is missing every seat is looked up now, so that all
        processes number the spots alike.
        """
        self.problem, self.grid, self.relaxed = problem, grid, relaxed
        self.wants = [self._want(need) for need in problem.needs]
        self.spots: list[Spot] = []
        self._window: list[tuple[int, int] | None] = []
        self._numbers: dict[tuple[TeacherCode, Slot, LessonRow | None], int] = {}
        self.locks: tuple[Lock, ...] = ()
        if not relaxed:
            self.locks = standing_locks(problem) if locks is None else locks
        """The locks that stand. Relaxed offers know none: a proof is about the county, not about what somebody wished."""
        self.masks: list[Mask] = []
        self.days: list[int] = []
        """Spot → weekday and parity of weeks as bits, to see at once whether two spots fall on one day."""
        self.halves: list[int] = []
        self.hosted: list[bool] = []
        """Spot → whether it is synchronous with a lesson."""
        most = problem.policy.max_receivers
        self.seats_in: dict[RoomCode, int] = {
            room.code: most if room.max_receivers is None else min(room.max_receivers, most)
            for room in problem.rooms.values()
        }
        """H7: receivers that a lead room and the policy allow."""
        self._staff_masks()
        self._bells(only)
        self._teachers()
        self.seats: Sequence[Mapping[TeacherCode, tuple[int, ...]]] = PerNeed(len(self.wants), self._seats_of)
        """Need → lead teacher → spots."""
        self.by_lead: Sequence[Mapping[SchoolCode, list[tuple[TeacherCode, tuple[int, ...]]]]] = PerNeed(
            len(self.wants), self._grouped
        )
        """Need → lead school → its teachers and their spots."""
        self.two_periods: Sequence[frozenset[int]] = PerNeed(len(self.wants), self._two_periods)
        """Need → those of its spots that cost the receiving school parts of two periods."""
        if only is None:
            for _ in self.seats:
                pass

    def _want(self, need: Need) -> Want:
        group = self.problem.classes[need.school_class]
        edition = group.editions.get(need.subject, "") if self.problem.policy.match_edition else ""
        return Want(need, group.school, group.grades, edition, group.receiving_room)

    # ------------------------------------------------------------ what stands before any meeting

    def _staff_masks(self) -> None:
        """H11: at which atoms a receiving school has how many teachers free; only where assistants are required."""
        self.staff: dict[SchoolCode, list[TeacherCode]] = defaultdict(list)
        self.staff_none: dict[SchoolCode, Mask] = {}
        if not self.problem.policy.require_assistant:
            return
        for teacher in self.problem.teachers.values():
            self.staff[teacher.school].append(teacher.code)
        for school in {want.school for want in self.wants}:
            busy = [self.grid.teacher_busy[code] for code in self.staff.get(school, ())]
            if busy:
                everyone = busy[0]
                for mask in busy[1:]:
                    everyone &= mask
                self.staff_none[school] = everyone

    def _bells(self, only: Collection[int] | None) -> None:
        """Lead schools with equal bells share their windows."""
        known: dict[tuple[tuple[int, tuple[Window, ...]], ...], Bell] = {}
        self.bell_of: dict[SchoolCode, Bell] = {}
        for school in self.problem.schools.values():
            if school.leads:
                key = tuple(sorted(school.periods.items()))
                if key not in known:
                    known[key] = Bell(self.grid, school.code, self.relaxed)
                self.bell_of[school.code] = known[key]
        self.bells = list(known.values())
        self._opened: dict[tuple[int, ClassCode], Bits] = {}
        self._touched: dict[tuple[int, object], tuple[Bits, Bits]] = {}
        self.number_of_bell = {id(bell): number for number, bell in enumerate(self.bells)}
        wants = {
            want.need.school_class: want for want in (self.wants if only is None else map(self.wants.__getitem__, only))
        }
        for number, bell in enumerate(self.bells):
            opened = [self._open_to(number, want) for want in wants.values()]
            bell.short &= self._worth_keeping(bell, [*opened, *self._open_teachers(bell, wants.values())])

    def _touching(self, number: int, school: SchoolCode) -> tuple[Bits, Bits]:
        """Windows of a bell by what they touch of a receiving school; schools with equal bells share the answer."""
        receiver = self.problem.schools[school]
        key = (number, tuple(receiver.periods.items()))
        known = self._touched.get(key)
        if known is None:
            known = self._touched[key] = self.bells[number].touching(receiver)
        return known

    def _open_to(self, number: int, want: Want) -> Bits:
        """The windows of a bell in which a class could sit in its room, with somebody left to assist."""
        key = (number, want.need.school_class)
        known = self._opened.get(key)
        if known is None:
            busy = self.grid.class_busy[want.need.school_class] | self.staff_none.get(want.school, 0)
            if want.room is not None:
                busy |= self.grid.room_busy[want.room]
            known = self._opened[key] = self.bells[number].open_to(busy) & self._touching(number, want.school)[0]
        return known

    def _open_teachers(self, bell: Bell, wants: Iterable[Want]) -> list[Bits]:
        """The windows of the teachers who could lead by this bell."""
        subjects = {want.need.subject for want in wants}
        return [
            bell.open_to(self.grid.teacher_busy[teacher.code])
            for teacher in self.problem.teachers.values()
            if self.bell_of.get(teacher.school) is bell and any(subject in subjects for subject in teacher.subjects)
        ]

    @staticmethod
    def _worth_keeping(bell: Bell, opened: list[Bits]) -> Bits:
        """Of the windows of one period, those that suit somebody whom no other one kept suits."""
        kept: Bits = 0
        for alike in bell.alike:
            suits = {
                number: sum(1 << place for place, bits in enumerate(opened) if bits >> number & 1) for number in alike
            }
            chosen: list[int] = []
            for number in sorted(alike, key=lambda number: (-suits[number].bit_count(), number)):
                if suits[number] and not any(suits[number] | suits[other] == suits[other] for other in chosen):
                    chosen.append(number)
            kept |= sum(1 << number for number in chosen)
        return kept

    def _teachers(self) -> None:
        """Lead teachers by subject, their open windows and the lessons they could share."""
        problem = self.problem
        subjects = {want.need.subject for want in self.wants}
        self.leads: dict[Subject, list[TeacherCode]] = defaultdict(list)
        self.open_teacher: dict[TeacherCode, Bits] = {}
        self.leadable: dict[SchoolCode, list[RoomCode]] = defaultdict(list)
        for room in problem.rooms.values():
            if room.can_lead:
                self.leadable[room.school].append(room.code)
        for teacher in problem.teachers.values():
            wanted = [subject for subject in teacher.subjects if subject in subjects]
            if problem.schools[teacher.school].leads and wanted and self.leadable[teacher.school]:
                bell = self.bell_of[teacher.school]
                self.open_teacher[teacher.code] = bell.open_to(self.grid.teacher_busy[teacher.code]) & bell.short
                for subject in wanted:
                    self.leads[subject].append(teacher.code)
        self.shared: dict[tuple[TeacherCode, Subject], list[tuple[Lesson, frozenset[int], Bits]]] = defaultdict(list)
        if problem.policy.allow_synchronous:
            for lesson in problem.lessons:
                self._share(lesson)

    def _share(self, lesson: Lesson) -> None:
        teacher = lesson.teacher
        if teacher is None or teacher not in self.open_teacher or lesson.subject not in self.leads:
            return
        if self.grid.lesson_mask[lesson.row] & self._held_beside(lesson):
            return
        school = self.problem.teachers[teacher].school
        bell = self.bell_of[school]
        bits = 0
        for weeks in (ALL_WEEKS, ODD, EVEN):
            number = bell.index.get(lesson.slot._replace(weeks=weeks))
            if number is not None and not weeks & ~lesson.slot.weeks:
                bits |= 1 << number
        grades = frozenset(grade for code in lesson.classes for grade in self.problem.classes[code].grades)
        if bits and bits & bell.full:
            self.shared[teacher, lesson.subject].append((lesson, grades, bits & bell.full))

    def _held_beside(self, lesson: Lesson) -> Mask:
        """What holds the lesson's teacher besides the lesson itself: absences, and other lessons at the same time."""
        assert lesson.teacher is not None
        held = self.grid.absent[lesson.teacher]
        for other in self._lessons_of_teacher.get(lesson.teacher, ()):
            if other.row != lesson.row:
                held |= self.grid.lesson_mask[other.row]
        return held

    @cached_property
    def _lessons_of_teacher(self) -> Mapping[TeacherCode, list[Lesson]]:
        found: dict[TeacherCode, list[Lesson]] = defaultdict(list)
        for lesson in self.problem.lessons:
            if lesson.teacher:
                found[lesson.teacher].append(lesson)
        return found

    # ------------------------------------------------------------ seats

    def _seats_of(self, number: int) -> dict[TeacherCode, tuple[int, ...]]:
        want, problem = self.wants[number], self.problem
        found: dict[TeacherCode, tuple[int, ...]] = {}
        for teacher in self.leads.get(want.need.subject, ()):
            record = problem.teachers[teacher]
            if record.school == want.school or not record.subjects[want.need.subject] & want.grades:
                continue
            spots = self._spots_of(want, teacher, record.school)
            if spots:
                found[teacher] = spots
        return found

    def _grouped(self, number: int) -> dict[SchoolCode, list[tuple[TeacherCode, tuple[int, ...]]]]:
        grouped: dict[SchoolCode, list[tuple[TeacherCode, tuple[int, ...]]]] = {}
        for teacher, spots in self.seats[number].items():
            grouped.setdefault(self.problem.teachers[teacher].school, []).append((teacher, spots))
        return grouped

    def _spots_of(self, want: Want, teacher: TeacherCode, school: SchoolCode) -> tuple[int, ...]:
        bell = self.bell_of[school]
        opened = self._open_to(self.number_of_bell[id(bell)], want)
        spots = [
            self._spot(teacher, school, bell, n, None)
            for n in self._useful(want, bell, opened & self.open_teacher[teacher])
        ]
        for shared in self.shared.get((teacher, want.need.subject), ()):
            if shared[1] & want.grades:
                useful = self._useful(want, bell, opened & shared[2])
                spots += [self._spot(teacher, school, bell, n, shared) for n in useful]
        return tuple(spots)

    def _useful(self, want: Want, bell: Bell, opened: Bits) -> list[int]:
        """Whole-week windows; halves where the need has an odd half, or where only half of the weeks is open. For proofs, halves
        alone: a meeting in all weeks is one in odd and one in even weeks, and any need may get half a lesson (H8)."""
        if self.relaxed:
            return list(bits_of(opened & ~bell.all_weeks))
        whole = list(bits_of(opened & bell.all_weeks)) if want.need.halves > 1 else []
        halves = opened & ~bell.all_weeks
        if want.need.halves % 2 == 0:
            for number in whole:
                for half in bell.half[number]:
                    halves &= ~(1 << half)
        return whole + list(bits_of(halves))

    def _spot(
        self,
        teacher: TeacherCode,
        school: SchoolCode,
        bell: Bell,
        window: int,
        shared: tuple[Lesson, frozenset[int], Bits] | None,
    ) -> int:
        slot = bell.slots[window]
        row = shared[0].row if shared else None
        number = self._numbers.get((teacher, slot, row))
        if number is None:
            number = self._add(Spot(teacher, school, slot, bell.masks[window], row))
            self._window[number] = (self.number_of_bell[id(bell)], window)
        return number

    def _add(self, spot: Spot) -> int:
        number = self._numbers[spot.teacher, spot.slot, spot.host] = len(self.spots)
        self.spots.append(spot)
        self._window.append(None)
        self.masks.append(spot.mask)
        self.days.append(_day_bits(spot.slot))
        self.halves.append(spot.slot.halves)
        self.hosted.append(spot.host is not None)
        return number

    def spot_of_lock(self, lock: Lock) -> int:
        """The spot of a locked delivery meeting, whether or not the rules would offer it."""
        meeting = lock.meeting
        school = self.problem.teachers[meeting.lead_teacher].school
        known = self.spot_number(meeting.lead_teacher, meeting.slot, meeting.host_lesson)
        if known is not None:
            return known
        mask = self.grid.mask(meeting.slot)
        number = self._add(Spot(meeting.lead_teacher, school, meeting.slot, mask, meeting.host_lesson))
        bell = self.bell_of.get(school)
        if bell is not None and meeting.slot in bell.index:
            self._window[number] = (self.number_of_bell[id(bell)], bell.index[meeting.slot])
        return number

    def _two_periods(self, need: int) -> frozenset[int]:
        school = self.wants[need].school
        return frozenset(n for spots in self.seats[need].values() for n in spots if self.covers_two(school, n))

    def core(self, number: int, busy: Mask) -> Mask | None:
        """The minutes that a spot of relaxed offers holds whatever window is chosen that is free of `busy`; None where there is none."""
        place = self._window[number]
        assert place is not None
        return self.bells[place[0]].core(place[1], busy)

    def covers_two(self, school: SchoolCode, number: int) -> bool:
        """Whether a meeting in the spot costs the receiving school parts of two periods."""
        place = self._window[number]
        return place is not None and bool(self._touching(place[0], school)[1] >> place[1] & 1)

    def spot_number(self, teacher: TeacherCode, slot: Slot, host: LessonRow | None) -> int | None:
        """The number of a spot, where any need has a seat in it."""
        return self._numbers.get((teacher, slot, host))
