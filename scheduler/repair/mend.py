"""The repair itself: what can stay is held, what is lacking is seated around it, exactly."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from scheduler.activities import place_activities
from scheduler.assemble import delivery_meetings, numbered, plan_of
from scheduler.board import Board
from scheduler.bound import placed_anyway
from scheduler.explain import explain
from scheduler.finish import fill_up
from scheduler.improve import apply_seats
from scheduler.locked_meetings import rule_violations, same_meeting, sketch, standing_locks
from scheduler.model import Keep, SubModel
from scheduler.offers import Offers
from scheduler.problem import (
    ClassCode,
    Lock,
    Meeting,
    Plan,
    Problem,
    RoomCode,
    SchoolCode,
    Subject,
    TeacherCode,
    Unavailability,
    Unmet,
)
from scheduler.repair.changes import MOVES, Repaired, changes_between
from scheduler.repair.hits import Hits, what_must_move
from scheduler.rules import Case
from scheduler.windows import Grid

NEAR_SEATS = 12_000
"""Seats of the meetings that may move for others: more take the solver longer than a second or two."""
SAME_WINDOW, SAME_TEACHER = 300, 200
"""Bonus of a new seat in the window, or with the teacher, of one that was lost; a half of a lesson is worth 10,000 and more."""


def repair(
    problem: Problem,
    standing: Plan,
    *,
    before: Problem | None = None,
    more_moves: int = 0,
    seconds: float = 5.0,
) -> Repaired:
    """Mends a standing plan for a county that has changed: fewest moved meetings first, then weighted service.

    `problem` is the county as it is now, `before` as it was when the plan was made: with it the old bound may be carried
    over. `more_moves`: so many meetings beyond those that must may move where that wins lessons. `seconds` limits each of
    at most two solves.
    """
    with _collector_paused():
        return _repair(problem, standing, before, more_moves, seconds)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A repair makes half a million small values and no cycles among them: walking them again and again took a third of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _repair(problem: Problem, standing: Plan, before: Problem | None, more_moves: int, seconds: float) -> Repaired:
    locks = joined_locks(problem, standing.meetings) if problem.locks else ()
    free_to_move = [meeting for meeting in standing.meetings if not any(_within(meeting, lock) for lock in locks)]
    hits = what_must_move(problem, free_to_move, [lock.meeting for lock in locks])
    kept = [meeting for meeting in free_to_move if meeting.code not in hits.moved]
    mender = _Mender(problem, standing, locks, kept)
    board = mender.board_around(kept)
    mender.seat_lacking(board, seconds)
    mended = _repaired(problem, standing, before, hits, board)
    wider = mender.move_others(board, more_moves, seconds) if more_moves else board
    if wider is board:
        return mended
    further = _repaired(problem, standing, before, hits, wider)
    return further if further.plan.served_weighted > mended.plan.served_weighted else mended


def joined_locks(problem: Problem, meetings: Sequence[Meeting]) -> tuple[Lock, ...]:
    """The locks that stand; one in the place of a standing meeting holds its receivers too, where they fit together."""
    locks = list(standing_locks(problem))
    for place, lock in enumerate(locks):
        for meeting in meetings:
            if same_meeting(meeting, lock.meeting) and not _within(meeting, lock):
                classes = tuple(dict.fromkeys((*lock.meeting.classes, *meeting.classes)))
                joined = replace(lock, meeting=replace(lock.meeting, classes=classes))
                others = (other.meeting for number, other in enumerate(locks) if number != place)
                if not rule_violations(Case(problem, sketch(problem, (joined.meeting, *others)))):
                    locks[place] = joined
    return tuple(locks)


def _within(meeting: Meeting, lock: Lock) -> bool:
    """Whether a lock keeps all of a standing meeting where it is."""
    return (
        same_meeting(meeting, lock.meeting)
        and set(meeting.classes) <= set(lock.meeting.classes)
        and set(meeting.members) <= set(lock.meeting.members)
    )


class _Mender:
    """One repair at work."""

    def __init__(self, problem: Problem, standing: Plan, locks: Sequence[Lock], kept: Sequence[Meeting]) -> None:
        self.problem, self.standing, self.locks, self.kept = problem, standing, locks, kept
        self.random = Random(standing.seed)  # noqa: S311 # the order of equal choices, nothing secret
        everything = (*locks, *(Lock(meeting, "automatic") for meeting in kept))
        self._grid = Grid(replace(problem, locks=everything))

    def board_around(self, kept: Sequence[Meeting]) -> Board:
        """A board on which these meetings and the locked ones are held."""
        held = (*self.locks, *(Lock(meeting, "automatic") for meeting in kept))
        offers = Offers(self.problem, self._grid, locks=held, only=self._lacking_beside(held))
        return Board(offers)

    def _lacking_beside(self, held: Sequence[Lock]) -> list[int]:
        """Needs that lack lessons when these meetings stand."""
        given: Counter[tuple[ClassCode, Subject]] = Counter()
        for lock in held:
            for code in lock.meeting.classes:
                given[code, lock.meeting.subject] += lock.meeting.slot.halves
        needs = self.problem.needs
        return [n for n, need in enumerate(needs) if given[need.school_class, need.subject] < need.halves]

    def seat_lacking(self, board: Board, seconds: float) -> None:
        """As much as can be served around what is held."""
        free = lacking(board)
        model = SubModel(board, free, self.random, keep=Keep({}, 0, self._liked(board, free)))
        answer = model.solve(seconds, self.standing.seed)
        if answer is not None:
            apply_seats(board, answer.seats, self._rooms(board))
        fill_up(board)

    def _liked(self, board: Board, free: Sequence[int]) -> dict[tuple[int, int], int]:
        """Seats near those that were lost."""
        wants, spots = board.offers.wants, board.offers.spots
        was: dict[tuple[str, str], list[Meeting]] = defaultdict(list)
        for meeting in self.standing.meetings:
            for code in meeting.classes:
                was[code, meeting.subject].append(meeting)
        liked: dict[tuple[int, int], int] = {}
        for need in free:
            lost = was[wants[need].need.school_class, wants[need].need.subject]
            windows = {meeting.slot for meeting in lost}
            teachers = {meeting.lead_teacher for meeting in lost}
            for teacher, numbers in board.offers.seats[need].items() if lost else ():
                for number in numbers:
                    bonus = SAME_WINDOW * (spots[number].slot in windows) + SAME_TEACHER * (teacher in teachers)
                    if bonus:
                        liked[need, number] = bonus
        return liked

    def _rooms(self, board: Board) -> Mapping[int, RoomCode]:
        """The lead rooms that spots had in the standing plan."""
        rooms = {}
        for meeting in self.standing.meetings:
            number = board.offers.spot_number(meeting.lead_teacher, meeting.slot, meeting.host_lesson)
            if number is not None:
                rooms[number] = meeting.lead_room
        return rooms

    # ------------------------------------------------------------ more moves than must be

    def move_others(self, board: Board, moves: int, seconds: float) -> Board:
        """The same with some of the kept meetings free, of which only so many may move; the better board of the two."""
        near = self._in_the_way(board)
        if not near:
            return board
        codes = {meeting.code for meeting in near}
        wider = self.board_around([meeting for meeting in self.kept if meeting.code not in codes])
        free = lacking(wider)
        need_of = {(want.need.school_class, want.need.subject): n for n, want in enumerate(wider.offers.wants)}
        meetings = {
            wider.offers.spot_of_lock(Lock(meeting)): tuple(need_of[code, meeting.subject] for code in meeting.classes)
            for meeting in near
        }
        model = SubModel(wider, free, self.random, keep=Keep(meetings, moves, self._liked(wider, free)))
        places = {spot: n for n, spot in enumerate(board.offers.spots)}
        back = {places[spot]: n for n, spot in enumerate(wider.offers.spots) if spot in places}
        seats = {need: tuple(back[n] for n in board.spots_of[need] if n in back) for need in free}
        model.hint(seats)
        answer = model.solve(seconds, self.standing.seed)
        if answer is None:
            return board
        apply_seats(wider, answer.seats, self._rooms(wider))
        fill_up(wider)
        stay = sum(_stays(wider, number, meeting) for number, meeting in zip(meetings, near, strict=True))
        return wider if wider.weighted > board.weighted and len(near) - stay <= moves else board

    def _in_the_way(self, board: Board) -> list[Meeting]:
        """Kept delivery meetings that hold what a lacking need could use: its class, its receiving room, or one of its teachers."""
        wants, offers = board.offers.wants, board.offers
        found: dict[str, Meeting] = {}
        size = 0
        for need in sorted(lacking(board), key=lambda n: -wants[n].weight):
            classes = {wants[need].need.school_class}
            rooms = {wants[need].room} - {None}
            teachers = set(offers.seats[need])
            for meeting in self.kept:
                if meeting.family != "delivery" or meeting.code in found:
                    continue
                groups = [self.problem.classes[code] for code in meeting.classes]
                near = any(group.code in classes or group.receiving_room in rooms for group in groups)
                if near or (meeting.lead_teacher in teachers and len(teachers) <= 8):
                    size += sum(
                        len(spots)
                        for group in groups
                        for other, want in enumerate(wants)
                        if want.need.school_class == group.code and want.need.subject == meeting.subject
                        for spots in offers.seats[other].values()
                    )
                    if size > NEAR_SEATS:
                        return list(found.values())
                    found[meeting.code] = meeting
        return list(found.values())


def _stays(board: Board, number: int, meeting: Meeting) -> bool:
    sitting = board.sittings.get(number)
    if sitting is None or sitting.room != meeting.lead_room:
        return False
    present = {board.offers.wants[need].need.school_class for need in sitting.needs}
    return present >= set(meeting.classes)


def lacking(board: Board) -> list[int]:
    """Needs that lack lessons."""
    return [n for n, want in enumerate(board.offers.wants) if board.served[n] < want.need.halves]


def _repaired(problem: Problem, standing: Plan, before: Problem | None, hits: Hits, board: Board) -> Repaired:
    activities = place_activities(board, before=[m for m in standing.meetings if m.family != "delivery"])
    made = [*numbered(delivery_meetings(board), standing), *activities]
    known = reasons_far_away(before, problem, standing, made) if before is not None else {}
    stood = {meeting.code for meeting in standing.meetings if meeting.code not in hits.moved}
    meetings, lacks = explain(problem, made, {}, standing, known, fixed=stood)
    reasons = {(unmet.school_class, unmet.subject): unmet for unmet in lacks}
    plan = plan_of(
        problem,
        meetings,
        reasons,
        bound=carried_bound(before, problem, standing),
        seconds=0.0,
        seed=standing.seed,
        status="feasible",
    )
    changes = changes_between(standing.meetings, plan.meetings, hits.reasons)
    moved = sum(change.kind in MOVES for change in changes)
    return Repaired(plan, changes, len(hits.moved), moved, hits.proved and moved == len(hits.moved))


def reasons_far_away(
    before: Problem, after: Problem, standing: Plan, meetings: Sequence[Meeting]
) -> dict[tuple[ClassCode, Subject], Unmet]:
    """Reasons of the standing plan that hold still: nothing that happened or moved touches either of the two schools they are about.

    Only where the change takes possibilities away; they stay verified, though a nearer place may have come up elsewhere.
    """
    if not _only_narrower(before, after):
        return {}
    touched: set[SchoolCode] = set()
    for change in changes_between(standing.meetings, meetings, {}):
        for meeting in (change.before, change.after):
            if meeting is not None:
                touched |= {before.teachers[code].school for code in (meeting.lead_teacher, *meeting.members)}
                touched |= {before.classes[code].school for code in meeting.classes}
    for gone in set(after.unavailabilities) - set(before.unavailabilities):
        touched.add(school_of(before, gone))
    return {
        (lack.school_class, lack.subject): lack
        for lack in standing.unmet
        if lack.place is not None
        and before.classes[lack.school_class].school not in touched
        and lack.place.school not in touched
    }


def school_of(problem: Problem, gone: Unavailability) -> SchoolCode:
    """The school whose people or rooms an absence takes away."""
    if gone.resource == "teacher":
        return problem.teachers[TeacherCode(gone.code)].school
    if gone.resource == "room":
        return problem.rooms[RoomCode(gone.code)].school
    if gone.resource == "class":
        return problem.classes[ClassCode(gone.code)].school
    return SchoolCode(gone.code)


def carried_bound(before: Problem | None, after: Problem, standing: Plan) -> int:
    """A proven bound for the changed county: the standing plan's where the change only takes possibilities away, else all that is asked for.

    A need that is added or grows adds its weight; so do lessons placed anyway.
    """
    most = sum(need.halves * need.priority for need in after.needs)
    if before is None or not _only_narrower(before, after):
        return most
    old = before.need_by_key
    added = sum(
        max(0, need.halves - (old[key].halves if key in old else 0)) * need.priority
        for key, need in after.need_by_key.items()
    )
    extra = placed_anyway(after)[0].total() if after.locks != before.locks else 0
    return min(most, standing.bound_weighted + added + extra)


def _only_narrower(before: Problem, after: Problem) -> bool:
    """Whether every plan that is legal after the change was legal before it, but for needs and locks."""
    same = (
        before.policy == after.policy
        and before.schools == after.schools
        and before.classes == after.classes
        and before.lessons == after.lessons
        and before.pairings == after.pairings
    )
    fewer = before.rooms.items() >= after.rooms.items() and before.teachers.items() >= after.teachers.items()
    staffed = {teacher.school for teacher in before.teachers.values()}
    fewer = fewer and staffed == {
        teacher.school for teacher in after.teachers.values()
    }  # H11 exempts schools without any
    priorities = all(
        key not in before.need_by_key or before.need_by_key[key].priority >= need.priority
        for key, need in after.need_by_key.items()
    )
    return same and fewer and priorities and set(before.unavailabilities) <= set(after.unavailabilities)
