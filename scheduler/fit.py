"""Making room for communities and courses without losing a lesson of delivery.

One try keeps a window free for an activity (of its leader, and of those who would attend), seats whoever sat there
elsewhere, and looks how many activities can be held now, and before how many. A try that costs delivery, or
brings nothing, is undone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random

from scheduler.activities import place_activities, worth
from scheduler.board import Board
from scheduler.hall import Hall
from scheduler.improve import Snapshot, apply_seats, restore, snapshot
from scheduler.locks import locks_used
from scheduler.minutes import Standing
from scheduler.model import SubModel
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    ClassCode,
    Community,
    Meeting,
    NetworkCourse,
    Plan,
    Slot,
    TeacherCode,
)
from scheduler.rebuild import reseat
from scheduler.windows import Mask

EXACT_SECONDS, EXACT_WORK = 1.0, 0.5
"""Limits of one exact solve, by the clock and in the solver's own deterministic time."""


class ActivityFit:
    """A board, and the best activities found around it."""

    def __init__(self, board: Board, random: Random, previous: Plan | None = None) -> None:
        self.board, self.random = board, random
        self.standing = Standing(board.offers.problem, previous)
        self.meetings: list[Meeting] = place_activities(board, self.standing)
        self._empty = Hall(Board(board.offers), self.standing)
        problem = board.offers.problem
        self._activities: list[Community | NetworkCourse] = [*problem.courses, *problem.communities]
        self._possible = {activity.code: list(self._windows(activity)) for activity in self._activities}
        """Windows in which an activity could be held if no other meeting were there."""

    @property
    def complete(self) -> bool:
        """Whether everything is held before everybody: nothing is left to win."""
        most = sum(
            len(activity.members) if isinstance(activity, Community) else len(activity.audience)
            for activity in self._activities
        )
        held, audience = worth(self.meetings)
        return held == len(self._activities) and audience >= 2 * most

    def step(self) -> bool:
        """One try; True where more is held, or before more people."""
        if not self._activities:
            return False
        board, random = self.board, self.random
        activity = self._next()
        if activity is None:
            return False
        windows = self._possible[activity.code]
        stood = [slot for slot in windows if (activity.code, slot) in self.standing.stood]
        slot = random.choice(stood if stood and random.random() < 0.5 else windows)
        if isinstance(activity, Community):
            leader, classes = activity.host, frozenset[ClassCode]()
            people = self._people(activity, slot)
        else:
            leader, people = activity.lead_teacher, ()
            classes = frozenset(code for code in activity.audience if random.random() < 0.5)
        mask = board.offers.grid.cover(slot)
        free = self._in_the_way(mask, slot, leader, frozenset(people), classes)
        before, weighted, locks = snapshot(board, free), board.weighted, locks_used(board)
        for need in free:
            board.clear(need)
        with self._kept_free(mask, slot, leader, people, classes):
            reseat(board, free, random)
            if board.weighted < weighted:
                self._seat_exactly(free, before)
        if board.weighted >= weighted and locks_used(board) >= locks:
            found = place_activities(board, self.standing)
            if worth(found) > worth(self.meetings):
                self.meetings = found
                return True
        restore(board, free, before)
        return False

    def _next(self) -> Community | NetworkCourse | None:
        """An activity to make room for: mostly one that is not held."""
        held = {meeting.ref for meeting in self.meetings}
        possible = [activity for activity in self._activities if self._possible[activity.code]]
        waiting = [activity for activity in possible if activity.code not in held]
        if waiting and self.random.random() < 0.75:
            return self.random.choice(waiting)
        return self.random.choice(possible) if possible else None

    def _people(self, community: Community, slot: Slot) -> tuple[TeacherCode, ...]:
        """Members to keep free: just enough where the community is not held yet, those first whom nothing holds; else now and then all."""
        present = [code for code in community.members if self._empty.teacher_free(code, slot)]
        if self.random.random() < 0.3 or any(meeting.ref == community.code for meeting in self.meetings):
            return tuple(present)
        enough = math.ceil(community.min_attendance_pct * len(community.members) / 100)
        mask = self.board.offers.grid.cover(slot)
        busy = {code: bool(self.board.teacher_busy[code] & mask) for code in present}
        present.sort(key=lambda code: busy[code] + self.random.random())
        return tuple(present[:enough])

    def _seat_exactly(self, free: set[int], before: Snapshot) -> None:
        """The free needs with the lead schools they have now, as well as can be in the time of a try."""
        board, spots = self.board, self.board.offers.spots
        leads = {spots[number].school for numbers in before.seats.values() for number in numbers}
        for need in free:
            board.clear(need)
        answer = SubModel(board, free, self.random, leads).solve(
            EXACT_SECONDS, self.random.randrange(1 << 30), EXACT_WORK
        )
        if answer is not None:
            apply_seats(board, answer.seats)

    def _windows(self, activity: Community | NetworkCourse) -> Iterator[Slot]:
        """Windows of an activity that lessons and absences allow its leader and enough of those who would attend."""
        hall = self._empty
        if isinstance(activity, Community):
            for slot in hall.community_windows(activity, activity.weeks):
                present = sum(hall.teacher_free(code, slot) for code in activity.members)
                enough = present * 100 >= activity.min_attendance_pct * len(activity.members)
                if enough and hall.teacher_free(activity.host, slot):
                    yield slot
        else:
            for slot in hall.course_windows(activity, ALL_WEEKS if activity.halves > 1 else ODD):
                if hall.teacher_free(activity.lead_teacher, slot):
                    yield slot

    def _in_the_way(
        self,
        mask: Mask,
        slot: Slot,
        leader: TeacherCode,
        people: frozenset[TeacherCode],
        classes: frozenset[ClassCode],
    ) -> set[int]:
        """All that the leader teaches, and of those who would attend what overlaps the window or fills up their day or week (H9)."""
        offers = self.board.offers
        found: set[int] = set()
        for number, sitting in self.board.sittings.items():
            spot = offers.spots[number]
            if spot.teacher == leader or (
                spot.teacher in people and (spot.mask & mask or self._fills(spot.teacher, spot.slot, slot))
            ):
                found.update(sitting.needs)
            elif spot.mask & mask:
                found.update(n for n in sitting.needs if offers.wants[n].need.school_class in classes)
        return found

    def _fills(self, teacher: TeacherCode, held: Slot, wanted: Slot) -> bool:
        """Whether a meeting has to make room for another one within the teacher's week or day."""
        board = self.board
        if board.week_left(teacher) <= 0:
            return True
        limit = self.standing.problem.teachers[teacher].day_limit
        load = max(board.day_load[teacher, wanted.weekday, week] for week in (ODD, EVEN))
        return held.weekday == wanted.weekday and load >= limit

    @contextmanager
    def _kept_free(
        self,
        mask: Mask,
        slot: Slot,
        leader: TeacherCode,
        people: tuple[TeacherCode, ...],
        classes: frozenset[ClassCode],
    ) -> Iterator[None]:
        """The window is held, as if the activity were there already."""
        board = self.board
        teachers = {code: mask & ~board.teacher_busy[code] for code in (leader, *people)}
        groups = {code: mask & ~board.class_busy[code] for code in classes if code in board.class_busy}
        self._toggle(teachers, groups)
        self._load(teachers, slot, 1)
        try:
            yield
        finally:
            self._toggle(teachers, groups)
            self._load(teachers, slot, -1)

    def _load(self, teachers: Iterable[TeacherCode], slot: Slot, step: int) -> None:
        for teacher in teachers:
            for week in (ODD, EVEN):
                if week & slot.weeks:
                    self.board.week_load[teacher, week] += step
                    self.board.day_load[teacher, slot.weekday, week] += step

    def _toggle(self, teachers: dict[TeacherCode, Mask], groups: dict[ClassCode, Mask]) -> None:
        for code, bits in teachers.items():
            self.board.teacher_busy[code] ^= bits
        for group, bits in groups.items():
            self.board.class_busy[group] ^= bits
