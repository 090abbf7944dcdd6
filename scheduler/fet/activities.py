"""What FET is given to place, and what its answer means in minutes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from xml.etree import ElementTree as Xml

from scheduler.board import Board
from scheduler.offers import Offers
from scheduler.problem import Minute, SchoolCode, Slot, TeacherCode

Hour = tuple[int, int]
"""Weekday, and the number of the band of the day, from 1."""
BAND = 45
"""Lead periods that begin within so many minutes of one another are one hour of FET's day; a school's own are further apart."""


@dataclass(frozen=True, slots=True)
class Activity:
    """One meeting that FET is to place: its needs are decided, its hour is not."""

    number: int
    teacher: TeacherCode
    needs: tuple[int, ...]
    spots: Mapping[Hour, tuple[int, ...]]
    """Hour → spots that all its needs have a seat in, were the county empty."""


def bands(offers: Offers) -> dict[Minute, int]:
    """The start of every lead period → its band of the day."""
    starts = {
        start
        for school in offers.problem.schools.values()
        if school.leads
        for periods in school.periods.values()
        for start, _ in periods
    }
    found: dict[Minute, int] = {}
    first, number = -BAND, 0
    for start in sorted(starts):
        if start - first >= BAND:
            first, number = start, number + 1
        found[start] = number
    return found


def held_names(offers: Offers, activity: Activity) -> list[str]:
    """Who cannot be twice at once, beside the classes: the teacher, and every receiving room as if it were one."""
    rooms = {offers.wants[need].room for need in activity.needs} - {None}
    return [activity.teacher, *sorted(f"room {room}" for room in rooms)]


class Activities:
    """The meetings of a greedy board, and one more activity for each lesson that the greedy left out."""

    def __init__(self, board: Board) -> None:
        self.offers = board.offers
        self.bands = bands(board.offers)
        self._numbers = count(1)
        self.placed: list[Activity] = []
        """What the greedy placed, as far as FET could place it too: at the hours the greedy chose it is a solution."""
        self.left_out: list[Activity] = []
        self._taken: set[tuple[Hour, str]] = set()
        self._days: Counter[tuple[TeacherCode, int]] = Counter()
        for number in sorted(board.sittings):
            self._of_sitting(board, number)
        self._lacking(board)

    def _of_sitting(self, board: Board, number: int) -> None:
        sitting, spot = board.sittings[number], self.offers.spots[number]
        activity = self._activity(spot.teacher, tuple(sitting.needs), spot.slot.halves)
        hour = self._hour(spot.school, spot.slot)
        names = [*held_names(self.offers, activity), sitting.room]
        names += [self.offers.wants[need].need.school_class for need in activity.needs]
        held = {(hour, name) for name in names} | {((hour[0], 0), f"need {need}") for need in activity.needs}
        full = self._days[spot.teacher, hour[0]] >= self.offers.problem.teachers[spot.teacher].day_limit
        if sitting.own_room or full or held & self._taken:
            self.left_out.append(activity)
        else:
            self._taken |= held
            self._days[spot.teacher, hour[0]] += 1
            self.placed.append(activity)

    def _activity(self, teacher: TeacherCode, needs: tuple[int, ...], halves: int) -> Activity:
        common = set.intersection(*(set(self.offers.seats[need].get(teacher, ())) for need in needs))
        found: dict[Hour, list[int]] = defaultdict(list)
        for number in sorted(common):
            spot = self.offers.spots[number]
            if spot.slot.halves == halves:
                found[self._hour(spot.school, spot.slot)].append(number)
        return Activity(
            next(self._numbers), teacher, needs, {hour: tuple(spots) for hour, spots in sorted(found.items())}
        )

    def _hour(self, school: SchoolCode, slot: Slot) -> Hour:
        periods = self.offers.problem.schools[school].periods[slot.weekday]
        start = next(start for start, end in periods if start <= slot.start and slot.end <= end)
        return slot.weekday, self.bands[start]

    def _lacking(self, board: Board) -> None:
        """Activities for what the greedy did not serve, as far as the teachers' weeks go."""
        load = Counter(activity.teacher for activity in (*self.placed, *self.left_out))
        for need, want in enumerate(self.offers.wants):
            missing = want.need.halves - board.served[need]
            teacher = self._teacher_for(board, need) if missing else None
            for halves in [2] * (missing // 2) + [1] * (missing % 2):
                if teacher is None or load[teacher] >= self.offers.problem.teachers[teacher].week_limit:
                    break
                activity = self._activity(teacher, (need,), halves)
                if activity.spots:
                    load[teacher] += 1
                    self.left_out.append(activity)

    def _teacher_for(self, board: Board, need: int) -> TeacherCode | None:
        """The teacher the greedy chose; for a need it could do nothing for, the one with the most open spots."""
        held = board.teacher_of[need]
        if held is not None:
            return held
        able = [teacher for teacher in self.offers.seats[need] if board.may_meet(need, teacher)]
        return max(able, key=lambda teacher: (len(self.offers.seats[need][teacher]), teacher), default=None)


def hours_placed(text: str) -> dict[int, Hour]:
    """Activity → hour, from FET's timetable of activities; those it did not place have no day."""
    found = {}
    for one in Xml.fromstring(text).iter("Activity"):  # noqa: S314 # written by the program this process just ran
        number, day, hour = (one.findtext(name) or "" for name in ("Id", "Day", "Hour"))
        if day and hour:
            found[int(number)] = (int(day), int(hour))
    return found


def seated(offers: Offers, activities: Iterable[Activity], hours: Mapping[int, Hour]) -> tuple[Board, int]:
    """The board of what FET placed, in minutes; and the lessons of single classes dropped because they break a rule FET does not know."""
    board, dropped = Board(offers), 0
    for activity in sorted(activities, key=lambda activity: (-len(activity.needs), activity.number)):
        hour = hours.get(activity.number)
        if hour is None:
            continue
        fits = {number: _who_fits(board, activity, number) for number in activity.spots.get(hour, ())}
        best = max(fits, key=lambda number: (len(fits[number]), -number), default=None)
        seats = fits[best] if best is not None else []
        for need in seats:
            if board.may_meet(need, activity.teacher) and board.seat_free(need, best or 0):
                board.seat(need, best or 0)
            else:
                dropped += 1
        dropped += len(activity.needs) - len(seats)
    return board, dropped


def _who_fits(board: Board, activity: Activity, number: int) -> list[int]:
    return [n for n in activity.needs if board.may_meet(n, activity.teacher) and board.seat_free(n, number)]
