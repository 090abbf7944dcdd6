"""The last wish: service and activities are won, now the same lessons are held more comfortably.

One try empties a few needs, seats them again where it costs the wishes least, and is undone where service falls or the cost
rises. Activities stay where they are; so do locked meetings and the use of locked pairings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random

from scheduler.board import Board
from scheduler.comfort import Comfort
from scheduler.homes import bring_home, homes_of
from scheduler.improve import Snapshot, restore, snapshot
from scheduler.locks import locks_used
from scheduler.problem import Meeting, Plan, SchoolCode, TeacherCode

LOOK_EVERY = 60
"""Tries between two looks at where it hurts."""
PATIENCE = 2_000
"""Tries without gain, and one more for every need, after which the board is as comfortable as it gets."""
NEW_LEADS = 2
"""Lead schools that are no partners yet which a need may ask, where it may have another partner."""


class Settle:
    """A board that gets more comfortable at the same service."""

    def __init__(self, board: Board, activities: Sequence[Meeting], previous: Plan | None, random: Random) -> None:
        self.board, self.random = board, random
        hold_activities(board, activities)
        self.comfort = Comfort(board, activities, homes_of(board.offers, previous))
        self._kinds: tuple[Callable[[], set[int]], ...] = (
            self._need, self._sitting, self._overloaded, self._thin_pair, self._homesick, self._homesick,
        )  # fmt: skip
        self._steps = self._gained_at = 0
        self._going_home: int | None = None
        self.best_cost = self.comfort.cost
        self._best_weighted = board.weighted
        self._best = self._whole()
        self._look()

    def _whole(self) -> Snapshot:
        return snapshot(self.board, range(len(self.board.offers.wants)))

    def best(self) -> Snapshot:
        """The most comfortable state so far."""
        if (self.board.weighted, -self.comfort.cost) > (self._best_weighted, -self.best_cost):
            self._keep()
        return self._best

    def _keep(self) -> None:
        self._best, self._best_weighted, self.best_cost = self._whole(), self.board.weighted, self.comfort.cost

    @property
    def calm(self) -> bool:
        """Whether so much was tried in vain that nothing more is to be expected."""
        return self._steps - self._gained_at > PATIENCE + len(self.board.offers.wants)

    def step(self) -> bool:
        """One try; True where it was kept: better, or as good in another way."""
        self._steps += 1
        if self._steps % LOOK_EVERY == 0:
            self.best()
            self._look()
        board, comfort = self.board, self.comfort
        self._going_home = None
        free = self.random.choice(self._kinds)()
        if not free:
            return False
        before, weighted, locks, cost = snapshot(board, free), board.weighted, locks_used(board), comfort.cost
        spots = {number for need in free for number in board.spots_of[need]}
        self._reseat(free)
        spots |= {number for need in free for number in board.spots_of[need]}
        if board.weighted >= weighted and locks_used(board) >= locks:
            better = comfort.count(free, spots) < cost or board.weighted > weighted
            if better:
                self._gained_at = self._steps
            if better or comfort.cost == cost:
                return True
        restore(board, free, before)
        comfort.count(free, spots)
        return False

    def _reseat(self, free: Collection[int]) -> None:
        for need in free:
            self.board.clear(need)
        order = sorted(free, key=lambda need: -self.board.offers.wants[need].need.halves + 3 * self.random.random())
        if self._going_home is not None:
            bring_home(self.board, self.comfort.homes[self._going_home])
        for need in order:
            seat_kindly(self.comfort, need, self.random)

    # ------------------------------------------------------------ neighbourhoods

    def _look(self) -> None:
        comfort = self.comfort
        self._costly = comfort.costly_needs()
        self._mixed = comfort.costly_spots()
        self._beyond = comfort.overloaded() if comfort.policy.wish_even_load else []
        self._astray = comfort.astray() if comfort.policy.wish_few_moves else []
        self._sat = list(self.board.sittings)
        self._pairs = [pair for pair, uses in self.board.pair_use.items() if uses and pair not in self.board.locked]

    def _any_sitting(self, among: Sequence[int]) -> set[int]:
        sitting = self.board.sittings.get(self.random.choice(among)) if among else None
        return set(sitting.needs) if sitting is not None else set()

    def _need(self) -> set[int]:
        """A need that has it uncomfortable, and now and then who sits with it."""
        if not self._costly:
            return self._any_sitting(self._sat)
        need = self.random.choice(self._costly)
        free = {need}
        if self.random.random() < 0.5:
            for number in self.board.spots_of[need]:
                free.update(self.board.sittings[number].needs)
        return free

    def _sitting(self) -> set[int]:
        """All who sit together somewhere; often where an edition is unknown."""
        return self._any_sitting(self._mixed if self._mixed and self.random.random() < 0.5 else self._sat)

    def _overloaded(self) -> set[int]:
        """One meeting of a teacher who leads beyond the fair share."""
        if not self._beyond:
            return self._any_sitting(self._sat)
        teacher = self.random.choice(self._beyond)
        spots = self.board.offers.spots
        return self._any_sitting([number for number in self.board.sittings if spots[number].teacher == teacher])

    def _thin_pair(self) -> set[int]:
        """All that one lead school gives to one receiving school, best where that is little."""
        if not self._pairs:
            return set()
        pair = min(self.random.sample(self._pairs, min(4, len(self._pairs))), key=self.board.pair_use.__getitem__)
        return {
            need
            for need, held in enumerate(self.board.teacher_of)
            if held is not None
            and self.board.offers.wants[need].school == pair[1]
            and self.board.offers.problem.teachers[held].school == pair[0]
        }

    def _homesick(self) -> set[int]:
        """Who met elsewhere before, and who is in their way there."""
        if not self._astray:
            return self._need()
        number = self._going_home = self.random.choice(self._astray)
        home = self.comfort.homes[number]
        offers = self.board.offers
        spot = offers.spots[home.spots[0]]
        classes = {offers.wants[need].need.school_class for need in home.needs}
        rooms = {offers.wants[need].room for need in home.needs} - {None}
        free = set(home.needs)
        for other, sitting in self.board.sittings.items():
            there = offers.spots[other]
            if there.mask & spot.mask:
                if there.teacher == spot.teacher or sitting.room == home.room:
                    free.update(sitting.needs)
                for need in sitting.needs:
                    want = offers.wants[need]
                    if want.need.school_class in classes or want.room in rooms:
                        free.add(need)
        return free


def hold_activities(board: Board, activities: Sequence[Meeting]) -> None:
    """Nobody may be moved into the way of an activity. What the board holds already (locked ones) is not held twice."""
    locked = {(lock.meeting.ref, lock.meeting.slot): lock.meeting for lock in board.offers.locks if lock.meeting.ref}
    for meeting in activities:
        held = locked.get((meeting.ref, meeting.slot))
        if held is None:
            board.hold_activity(meeting)
        else:
            for code in set(meeting.classes) - set(held.classes):
                board.hold_class(code, board.offers.grid.cover(meeting.slot))


# ---------------------------------------------------------------- one need


def seat_kindly(comfort: Comfort, need: int, random: Random) -> None:
    """Seats a need with all it asks for, as far as that is possible, where the wishes suffer least."""
    board = comfort.board
    want = board.offers.wants[need]
    asked = want.need.halves - board.served[need]
    if asked <= 0:
        return
    best: tuple[float, list[int]] | None = None
    for teacher, spots, extra in _teachers(comfort, need, random):
        chosen, halves, price = _choose(comfort, need, teacher, spots, asked, random)
        if chosen:
            rank = price + extra + 1000.0 * (asked - halves)
            if best is None or rank < best[0]:
                best = (rank, chosen)
    for number in best[1] if best is not None else ():
        home = next((comfort.homes[each] for each in comfort.homes_at.get(number, ())), None)
        spot = board.offers.spots[number]
        takes_home = home is not None and home.room != want.room and board.room_open(spot, home.room)
        board.seat(need, number, home.room if home is not None and takes_home else None)


def _teachers(comfort: Comfort, need: int, random: Random) -> Iterator[tuple[TeacherCode, tuple[int, ...], float]]:
    """Teachers a need may ask, their spots, and what a new pairing costs."""
    board, by_lead = comfort.board, comfort.board.offers.by_lead[need]
    school = board.offers.wants[need].school
    new: list[SchoolCode] = []
    for lead, teachers in by_lead.items():
        if not board.pair_use.get((lead, school)):
            new.append(lead)
            continue
        for teacher, spots in teachers:
            if board.may_meet(need, teacher):
                yield teacher, spots, 0.0
    for lead in random.sample(new, min(NEW_LEADS, len(new))):
        for teacher, spots in by_lead[lead]:
            if board.may_meet(need, teacher):
                yield teacher, spots, float(comfort.policy.wish_few_pairings)


def _choose(
    comfort: Comfort, need: int, teacher: TeacherCode, spots: Sequence[int], asked: int, random: Random
) -> tuple[list[int], int, float]:
    """Spots of one teacher that fit together, their halves, and an estimate of what they cost the wishes."""
    board, policy = comfort.board, comfort.policy
    offers, busy = board.offers, board.class_busy[board.offers.wants[need].need.school_class]
    left, share = asked, comfort.load_left(teacher)
    priced = {
        number: _price(comfort, need, number, share) + random.random() * 0.5
        for number in spots
        if not offers.masks[number] & busy
    }
    chosen: list[int] = []
    days = sum({1 << offers.spots[number].slot.weekday for number in board.spots_of[need]})
    total, opened = 0.0, 0
    while left and priced:
        number = min(
            priced,
            key=lambda each: priced[each] + policy.wish_days_apart * _near(days, offers.spots[each].slot.weekday),
        )
        price = priced.pop(number)
        slot = offers.spots[number].slot
        if slot.halves > left or not _fits(board, need, number, chosen, opened):
            continue
        total += price + policy.wish_days_apart * _near(days, slot.weekday)
        chosen.append(number)
        opened += number not in board.sittings
        days |= 1 << slot.weekday
        left -= slot.halves
    return chosen, asked - left, total


def _near(days: int, weekday: int) -> int:
    """Days taken already that are the same or neighbours."""
    return (days >> (weekday - 1) & 7).bit_count()


def _price(comfort: Comfort, need: int, number: int, share: int) -> float:
    """What one seat costs the wishes, roughly: its neighbours' editions, the teacher's load, two periods, a home given up."""
    board, policy = comfort.board, comfort.policy
    price = 0.0
    sitting = board.sittings.get(number)
    if sitting is None:
        halves = board.offers.halves[number]
        price += policy.wish_even_load * max(0, min(halves, halves - share))
    elif policy.match_edition:
        price += policy.wish_editions_known * comfort.unknown(need)
        if len(sitting.needs) == 1:
            price += policy.wish_editions_known * comfort.unknown(sitting.needs[0])
    if board.offers.covers_two(board.offers.wants[need].school, number):
        price += policy.wish_one_period
    if any(need in comfort.homes[home].needs for home in comfort.homes_at.get(number, ())):
        price -= 0.9 * policy.wish_few_moves
    return price


def _fits(board: Board, need: int, number: int, chosen: Sequence[int], opened: int) -> bool:
    """Whether a seat is free beside those that are chosen but not yet taken."""
    offers = board.offers
    one_a_day = board.policy.one_lesson_per_day
    for other in chosen:
        if offers.masks[other] & offers.masks[number] or (one_a_day and offers.days[other] & offers.days[number]):
            return False
        if number not in board.sittings and other not in board.sittings and offers.days[other] & offers.days[number]:
            return False  # the teacher's daily limit is asked for one new meeting at a time
    if number not in board.sittings and board.week_left(offers.spots[number].teacher) <= opened:
        return False
    return board.seat_free(need, number)
