"""Making room for communities and courses without losing a lesson of delivery.

One try keeps a window free for an activity (of its leader, and of those who would attend), seats whoever sat there
elsewhere, and looks how many activities can be held now, and before how many. A try that costs delivery, or
brings nothing, is undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from scheduler.activities import Hall, Standing, place_activities, worth
from scheduler.board import Board
from scheduler.improve import restore, snapshot
from scheduler.locks import locks_used
from scheduler.problem import ClassCode, Community, Meeting, NetworkCourse, Slot, TeacherCode
from scheduler.rebuild import reseat
from scheduler.windows import Mask


class ActivityFit:
    """A board, and the best activities found around it."""

    def __init__(self, board: Board, random: Random) -> None:
        self.board, self.random = board, random
        self.standing = Standing(board.offers.problem)
        self.meetings: list[Meeting] = place_activities(board, self.standing)
        self._empty = Hall(Board(board.offers), self.standing)
        problem = board.offers.problem
        self._activities: list[Community | NetworkCourse] = [*problem.courses, *problem.communities]

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
        activity = random.choice(self._activities)
        windows = list(self._windows(activity))
        if not windows:
            return False
        slot = random.choice(windows)
        if isinstance(activity, Community):
            leader, people, classes = activity.host, activity.members, frozenset[ClassCode]()
        else:
            leader, people = activity.lead_teacher, ()
            classes = frozenset(code for code in activity.audience if random.random() < 0.5)
        mask = board.offers.grid.cover(slot)
        free = self._in_the_way(mask, leader, frozenset(people), classes)
        before, weighted, locks = snapshot(board, free), board.weighted, locks_used(board)
        for need in free:
            board.clear(need)
        with self._kept_free(mask, slot, leader, people, classes):
            reseat(board, free, random)
        if board.weighted >= weighted and locks_used(board) >= locks:
            found = place_activities(board, self.standing)
            if worth(found) > worth(self.meetings):
                self.meetings = found
                return True
        restore(board, free, before)
        return False

    def _windows(self, activity: Community | NetworkCourse) -> Iterator[Slot]:
        """Windows of an activity that its leader's lessons and absences allow."""
        hall = self._empty
        if isinstance(activity, Community):
            leader, slots = activity.host, hall.community_windows(activity, activity.weeks)
        else:
            leader, slots = activity.lead_teacher, hall.course_windows(activity, 3 if activity.halves > 1 else 1)
        yield from (slot for slot in slots if hall.teacher_free(leader, slot))

    def _in_the_way(
        self, mask: Mask, leader: TeacherCode, people: frozenset[TeacherCode], classes: frozenset[ClassCode]
    ) -> set[int]:
        """All that the leader teaches, and what overlaps the window of those who would attend."""
        offers = self.board.offers
        found: set[int] = set()
        for number, sitting in self.board.sittings.items():
            spot = offers.spots[number]
            if spot.teacher == leader:
                found.update(sitting.needs)
            elif spot.mask & mask:
                if spot.teacher in people:
                    found.update(sitting.needs)
                found.update(n for n in sitting.needs if offers.wants[n].need.school_class in classes)
        return found

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
        weeks = [week for week in (1, 2) if week & slot.weeks]
        self._toggle(teachers, groups)
        for week in weeks:
            board.week_load[leader, week] += 1
            board.day_load[leader, slot.weekday, week] += 1
        try:
            yield
        finally:
            self._toggle(teachers, groups)
            for week in weeks:
                board.week_load[leader, week] -= 1
                board.day_load[leader, slot.weekday, week] -= 1

    def _toggle(self, teachers: dict[TeacherCode, Mask], groups: dict[ClassCode, Mask]) -> None:
        for code, bits in teachers.items():
            self.board.teacher_busy[code] ^= bits
        for group, bits in groups.items():
            self.board.class_busy[group] ^= bits
