"""The search of one process: ruin and recreate over neighbourhoods that are chosen by their success, cooling as time goes by."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from random import Random

from scheduler.board import Board
from scheduler.explain import SchoolCeiling
from scheduler.homes import bring_home, homes_of
from scheduler.improve import Snapshot, rebuild, restore, snapshot
from scheduler.locks import honour_locked, locks_used
from scheduler.offers import Offers
from scheduler.problem import Plan, SchoolCode
from scheduler.rebuild import reseat

WARM = 6.0
"""Weighted halves that a try may lose at the start with a chance of 1/e."""
COLD = 0.05
LOYALTY = 0.5
"""Weighted halves that a seat is worth, where nothing is won, for standing as it stood before."""
AT_HOME = 0.1
"""Warmth of a faithful search, as a part of the usual: what stands should not melt."""
KEEP_EVERY = 4
"""Tries between two copies of a best state while the search is warm: a copy costs as much as a try."""
KEEP_ALWAYS = 0.2
"""Warmth below which every better state is copied."""


class Search:
    """A board that gets better. `step` makes one try; the best state is kept apart from the present one."""

    def __init__(self, offers: Offers, random: Random) -> None:
        self.offers, self.random = offers, random
        self.board = Board(offers)
        self._homes: dict[int, set[int]] = defaultdict(set)
        """Need → spots of the meetings that stood before."""
        self._faithful = False
        self.of_school: dict[SchoolCode, list[int]] = defaultdict(list)
        for need, want in enumerate(offers.wants):
            self.of_school[want.school].append(need)
        self.schools = list(self.of_school)
        self.steps = 0
        self.best_weighted = -1
        self._best: Snapshot | None = None
        self._kept_at = 0
        self._lacking: list[int] = []
        self.ceilings: Mapping[SchoolCode, SchoolCeiling] = {}
        """What is proved for single schools; one that has reached its ceiling is left in peace."""
        self.kinds: dict[str, Callable[[], set[int]]] = {
            "school": self._one_school,
            "rivals": self._school_and_rivals,
            "partner": self._break_partnership,
            "teacher": self._teacher_round,
            "lead": self._two_schools,
        }
        self.credit = dict.fromkeys(self.kinds, 1.0)

    # ------------------------------------------------------------ states

    def construct(self, previous: Plan | None = None, faithful: bool = False) -> None:
        """A first plan: what stood before as far as it still fits, the rest from nothing.

        A `faithful` search looks close to the plan that stood; it finds less service than a free one, so it should not be alone.
        """
        self._faithful = faithful and previous is not None
        if self.offers.wants:
            for home in homes_of(self.offers, previous):
                bring_home(self.board, home)
                for need in home.needs:
                    self._homes[need].update(home.spots)
            reseat(self.board, range(len(self.offers.wants)), self.random)
            honour_locked(self.board)
        self._keep()

    def adopt(self, state: Snapshot) -> None:
        """Goes on from another state, such as another process's best."""
        rebuild(self.board, state)
        if self.board.weighted > self.best_weighted:
            self._keep()

    def best(self) -> Snapshot:
        """The best state so far."""
        if self.board.weighted > self.best_weighted or self._best is None:
            self._keep()
        assert self._best is not None
        return self._best

    def _keep(self) -> None:
        self.best_weighted = self.board.weighted
        self._kept_at = self.steps
        self._best = snapshot(self.board, range(len(self.offers.wants)))

    def stands(self, seats: Iterable[tuple[int, Iterable[int]]]) -> int:
        """How many of these seats (need, its spots) stood in the previous plan."""
        if not self._homes:
            return 0
        return sum(number in self._homes.get(need, ()) for need, numbers in seats for number in numbers)

    @property
    def whole(self) -> bool:
        """Whether nothing is lacking."""
        return all(
            served == want.need.halves for served, want in zip(self.board.served, self.offers.wants, strict=True)
        )

    # ------------------------------------------------------------ one try

    def step(self, warmth: float) -> bool:
        """Empties one neighbourhood and fills it anew; `warmth` falls from 1 to 0. True where service grew beyond the best."""
        board = self.board
        if self.steps % 40 == 0 or not self._lacking:
            self._look()
        self.steps += 1
        kind = self._pick()
        free = self.kinds[kind]()
        before, weighted, locks = snapshot(board, free), board.weighted, locks_used(board)
        stood = self.stands((need, board.spots_of[need]) for need in free)
        for need in free:
            board.clear(need)
        reseat(board, free, self.random, 0.3)
        gain = board.weighted - weighted
        self.credit[kind] = 0.995 * self.credit[kind] + (0.05 if gain > 0 else 0.0)
        heat = max(COLD, WARM * warmth * (AT_HOME if self._faithful else 1.0))
        gone = stood - self.stands((need, board.spots_of[need]) for need in free)
        loss = gain - LOYALTY * max(0, gone) if gain <= 0 else 0.0
        if locks_used(board) < locks or (loss < 0 and self.random.random() >= math.exp(loss / heat)):
            restore(board, free, before)
            return False
        better = board.weighted > self.best_weighted
        if better and (self.steps - self._kept_at >= KEEP_EVERY or warmth < KEEP_ALWAYS):
            self._keep()
        return better

    def _look(self) -> None:
        """Finds the needs that lack lessons, could have some, and whose school is not at its proven ceiling."""
        wants, served = self.offers.wants, self.board.served
        lacking = [n for n, want in enumerate(wants) if served[n] < want.need.halves and self.offers.seats[n]]
        full = {
            school
            for school in {wants[n].school for n in lacking} & self.ceilings.keys()
            if sum(served[n] * wants[n].weight for n in self.of_school[school]) >= self.ceilings[school].weighted
        }
        self._lacking = [n for n in lacking if wants[n].school not in full]

    def lacking(self) -> list[int]:
        """Needs that lack lessons and could have some, as last looked up."""
        return self._lacking

    def served_through(self, lead: SchoolCode, but: SchoolCode) -> set[int]:
        """What one other school gets from a lead school."""
        others = [school for school in self._served_by(lead) if school != but]
        if not others:
            return set()
        other = self.random.choice(others)
        return {need for need in self.of_school[other] if self._lead_of(need) == lead}

    def partners_of(self, needs: Iterable[int]) -> list[tuple[SchoolCode, int]]:
        """The lead schools of the needs' schools, with the number of needs each serves there."""
        schools = {self.offers.wants[need].school for need in needs}
        return [(pair[0], uses) for pair, uses in self.board.pair_use.items() if pair[1] in schools]

    def _pick(self) -> str:
        total = sum(self.credit.values())
        point = self.random.random() * (total + 0.15 * len(self.credit))
        for kind, credit in self.credit.items():
            point -= credit + 0.15
            if point <= 0:
                return kind
        return "school"

    # ------------------------------------------------------------ neighbourhoods

    def _target(self) -> SchoolCode:
        """A receiving school, mostly one that lacks something."""
        if self._lacking and self.random.random() < 0.75:
            return self.offers.wants[self.random.choice(self._lacking)].school
        return self.random.choice(self.schools)

    def _one_school(self) -> set[int]:
        return set(self.of_school[self._target()])

    def _served_by(self, lead: SchoolCode) -> list[SchoolCode]:
        return [pair[1] for pair, uses in self.board.pair_use.items() if uses and pair[0] == lead]

    def _wished_lead(self, school: SchoolCode) -> SchoolCode | None:
        """A lead school that could teach something the school lacks."""
        board = self.board
        lacks = [n for n in self.of_school[school] if board.served[n] < self.offers.wants[n].need.halves]
        leads = [lead for need in lacks for lead in self.offers.by_lead[need]]
        if not leads or self.random.random() < 0.3:
            leads = [pair[0] for pair, uses in board.pair_use.items() if uses and pair[1] == school]
        return self.random.choice(leads) if leads else None

    def _school_and_rivals(self) -> set[int]:
        """A school, and some of those who are served by a lead school that it could use."""
        school = self._target()
        free = set(self.of_school[school])
        lead = self._wished_lead(school)
        if lead is not None:
            others = [other for other in self._served_by(lead) if other != school]
            self.random.shuffle(others)
            for other in others[: self.random.randint(1, 3)]:
                free.update(self.of_school[other])
        return free

    def _break_partnership(self) -> set[int]:
        """A school, and what one other school gets from a lead school that the first could use."""
        school = self._target()
        free = set(self.of_school[school])
        lead = self._wished_lead(school)
        if lead is not None:
            free |= self.served_through(lead, school)
        return free

    def _lead_of(self, need: int) -> SchoolCode | None:
        teacher = self.board.teacher_of[need]
        return None if teacher is None else self.offers.problem.teachers[teacher].school

    def _teacher_round(self) -> set[int]:
        """A need that lacks lessons, all whom one of its possible teachers serves, and its own room's and class's others."""
        if not self._lacking:
            return self._one_school()
        need = self.random.choice(self._lacking)
        want = self.offers.wants[need]
        teacher = self.random.choice(list(self.offers.seats[need]))
        free = {other for other, held in enumerate(self.board.teacher_of) if held == teacher}
        free.update(
            other
            for other in self.of_school[want.school]
            if self.offers.wants[other].room == want.room or self.random.random() < 0.3
        )
        free.add(need)
        return free

    def _two_schools(self) -> set[int]:
        return set(self.of_school[self._target()]) | set(self.of_school[self.random.choice(self.schools)])
