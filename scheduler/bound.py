"""A proven upper bound of weighted service, independent of the search.

Each receiving school is looked at alone, as if every lead teacher, lead room and partner were there for it only. What still binds is
its own: the minutes its classes and receiving rooms are free, one lesson a day, who may share a room, and how much any one
teacher could give a need. That small problem is solved exactly, and the sum over the schools bounds every plan: receiving schools
share nothing but lead resources. Windows are relaxed to what all windows of a lead period have in common, so that the proof holds for every
minute a meeting could begin at. Where the county is small, the whole problem is tried as well.

A bound is only ever lowered by a proof: the solver's own dual bound, rounded down to whole units of halves × priority.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random

from ortools.sat.python import cp_model

from scheduler.board import Board
from scheduler.explain import SchoolCeiling
from scheduler.locked_meetings import standing_locks
from scheduler.model import SubModel, clique_groups
from scheduler.offers import Offers
from scheduler.problem import EVEN, ODD, ClassCode, Problem, RoomCode, SchoolCode, Slot
from scheduler.windows import Grid, Mask

Literal = cp_model.IntVar

WHOLE_SEATS = 2_500
"""Seats up to which the whole county is also given to the solver at once."""


def alone(offers: Offers, need: int) -> int:
    """Halves that the need could get if it were the only one: the best of its teachers, a lesson a day."""
    asked = offers.wants[need].need.halves
    best = 0
    for spots in offers.seats[need].values():
        best = max(best, min(asked, sum(_days(offers, spots).values())))
        if best == asked:
            break
    return best


def _days(offers: Offers, spots: tuple[int, ...]) -> dict[object, int]:
    """Halves by weekday and parity where one lesson a day is allowed; else by spot, disjoint or not."""
    found: dict[object, int] = {}
    for number in spots:
        slot = offers.spots[number].slot
        for week in (ODD, EVEN):
            if slot.weeks & week:
                found[(slot.weekday, week) if offers.problem.policy.one_lesson_per_day else (number, week)] = 1
    return found


def first_ceilings(offers: Offers) -> dict[SchoolCode, SchoolCeiling]:
    """The bound that costs nothing: every need alone."""
    weighted: Counter[SchoolCode] = Counter()
    most: Counter[SchoolCode] = Counter()
    asked: Counter[SchoolCode] = Counter()
    for number, want in enumerate(offers.wants):
        halves = alone(offers, number)
        weighted[want.school] += halves * want.weight
        most[want.school] += halves
        asked[want.school] += want.need.halves
    return {school: SchoolCeiling(weighted[school], most[school], asked[school]) for school in asked}


def placed_anyway(problem: Problem) -> tuple[Counter[SchoolCode], Counter[SchoolCode]]:
    """Weighted halves and halves that receiving schools get from meetings for which rules were overridden.

    Without those meetings the rest of any plan keeps every rule, so what is proved for the rest holds with this much added.
    """
    weighted: Counter[SchoolCode] = Counter()
    halves: Counter[SchoolCode] = Counter()
    for lock in standing_locks(problem):
        if lock.overrides and lock.meeting.family == "delivery":
            for code in lock.meeting.classes:
                school, slot = problem.classes[code].school, lock.meeting.slot
                weighted[school] += slot.halves * problem.need_by_key[code, lock.meeting.subject].priority
                halves[school] += slot.halves
    return weighted, halves


def prove(
    problem: Problem,
    tell: Callable[[int, Mapping[SchoolCode, SchoolCeiling]], None],
    alive: Callable[[], bool],
    *,
    seconds: float,
    work: float | None = None,
) -> int:
    """Lowers the bound school by school and calls `tell` with each better one; ends early where `alive` says no.

    `seconds` limits one school's solve by the clock, `work` by the solver's own deterministic time.
    """
    offers = Offers(problem, Grid(problem), relaxed=True)
    extra_weighted, extra_halves = placed_anyway(problem)
    ceilings = {
        school: replace(
            ceiling,
            weighted=ceiling.weighted + extra_weighted[school],
            most_halves=ceiling.most_halves + extra_halves[school],
        )
        for school, ceiling in first_ceilings(offers).items()
    }
    total = sum(ceiling.weighted for ceiling in ceilings.values())
    tell(total, ceilings)
    for school in sorted(ceilings, key=lambda school: (-_crowding(offers, school), school)):
        if not alive():
            return total
        before = ceilings[school]
        found = SchoolAlone(offers, school).ceiling(seconds, work)
        weighted = min(before.weighted, found + extra_weighted[school])
        if weighted < before.weighted:
            total -= before.weighted - weighted
            found = SchoolAlone(offers, school, by_priority=False).ceiling(seconds, work)
            most = min(before.most_halves, found + extra_halves[school])
            ceilings[school] = replace(before, weighted=weighted, most_halves=most)
            tell(total, ceilings)
    if 0 < sum(len(spots) for seats in offers.seats for spots in seats.values()) <= WHOLE_SEATS and alive():
        whole = _whole(offers, seconds * 4, work) + extra_weighted.total()
        if whole < total:
            total = whole
            tell(total, ceilings)
    return total


def _whole(offers: Offers, seconds: float, work: float | None) -> int:
    model = SubModel(Board(offers, keep_locked=False), range(len(offers.wants)), Random(0), plain=True)  # noqa: S311 # no tie-breaks are drawn
    return model.ceiling(seconds, work)


def _crowding(offers: Offers, school: SchoolCode) -> float:
    """Halves asked for in the school's fullest receiving room: where the bound falls first."""
    rooms: dict[RoomCode | None, int] = defaultdict(int)
    for want in offers.wants:
        if want.school == school:
            rooms[want.room] += want.need.halves
    return max((halves for room, halves in rooms.items() if room is not None), default=0)


class SchoolAlone:
    """One receiving school with all lead resources to itself, as a CP-SAT model: needs × windows, teachers merged."""

    def __init__(self, offers: Offers, school: SchoolCode, *, by_priority: bool = True) -> None:
        """`by_priority`: halves × priority are counted, else halves."""
        self.offers, self.model, self.by_priority = offers, cp_model.CpModel(), by_priority
        self.objective: list[tuple[Literal, int]] = []
        self._by_class: dict[ClassCode, list[tuple[Mask, Literal]]] = defaultdict(list)
        self._in_room: dict[tuple[RoomCode, Slot], list[tuple[int, Literal]]] = defaultdict(list)
        self._mask: dict[Slot, Mask] = {}
        for number, want in enumerate(offers.wants):
            if want.school == school:
                self._need(number)
        for held in self._by_class.values():
            self._one_at_a_time(held)
        rooms: dict[RoomCode, list[tuple[Mask, Literal]]] = defaultdict(list)
        for (room, slot), users in self._in_room.items():
            rooms[room].extend((self._mask[slot], literal) for literal in self._groups(users))
        for held in rooms.values():
            self._one_at_a_time(held)
        self.model.maximize(sum(literal * weight for literal, weight in self.objective))

    def _need(self, number: int) -> None:
        want, offers = self.offers.wants[number], self.offers
        windows: dict[Slot, int] = {}
        for spots in offers.seats[number].values():
            for spot in spots:
                windows[offers.spots[spot].slot] = spot
        given = []
        days: dict[tuple[int, int], list[Literal]] = defaultdict(list)
        for slot, spot in windows.items():
            literal = self.model.new_bool_var("")
            mask = self._mask[slot] = offers.masks[spot]
            given.append(literal * slot.halves)
            self.objective.append((literal, (want.weight if self.by_priority else 1) * slot.halves))
            self._by_class[want.need.school_class].append((mask, literal))
            if want.room is not None:
                self._in_room[want.room, slot].append((number, literal))
            for week in (ODD, EVEN):
                if slot.weeks & week:
                    days[slot.weekday, week].append(literal)
        if offers.problem.policy.one_lesson_per_day:
            for literals in days.values():
                self.model.add_at_most_one(literals)
        if given:
            self.model.add(sum(given) <= alone(offers, number))

    def _groups(self, users: list[tuple[int, Literal]]) -> Iterator[Literal]:
        """H6, H7: only those who fit one meeting share a room; a literal for each subject, grade and edition."""
        if len(users) == 1:
            yield users[0][1]
            return
        wants = self.offers.wants
        editions: dict[str, set[str]] = defaultdict(set)
        for number, _ in users:
            editions[wants[number].need.subject].add(wants[number].edition)
        keys: dict[tuple[str, int, str], Literal] = {}
        for number, literal in users:
            want = wants[number]
            known = {want.edition} if want.edition else (editions[want.need.subject] - {""}) or {""}
            fits = []
            for grade in want.grades:
                for edition in sorted(known):  # sets of text have no order of their own
                    key = (want.need.subject, grade, edition)
                    if key not in keys:
                        keys[key] = self.model.new_bool_var("")
                    fits.append(keys[key])
            self.model.add_bool_or([*fits, literal.negated()])
        yield from keys.values()

    def _one_at_a_time(self, held: list[tuple[Mask, Literal]]) -> None:
        for group in clique_groups([mask for mask, _ in held]):
            self.model.add_at_most_one([held[place][1] for place in group])

    def ceiling(self, seconds: float, work: float | None) -> int:
        """A proven bound of the school's weighted service."""
        if not self.objective:
            return 0
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        solver.parameters.symmetry_level = 0
        solver.parameters.max_time_in_seconds = seconds
        if work is not None:
            solver.parameters.max_deterministic_time = work
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
            return sum(
                weight for _, weight in self.objective
            )  # a false INFEASIBLE (nobody served is a solution): no proof
        bound = solver.best_objective_bound
        most = sum(weight for _, weight in self.objective)
        return min(most, math.floor(bound + 1e-6)) if math.isfinite(bound) else most
