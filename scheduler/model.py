"""The CP-SAT model of some needs, everything else on the board standing still.

With all needs free it is the whole delivery problem (the monolithic baseline). Only what can bind is stated: limits that no choice
could break are left out. Lead rooms are counted, not named; `Board` names them when a solution is applied, and a
solution that does not fit after all is simply not accepted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ortools.sat.python import cp_model

from scheduler.board import Board
from scheduler.offers import Spot, Want
from scheduler.problem import EVEN, ODD, RoomCode, SchoolCode, TeacherCode
from scheduler.windows import Mask

Literal = cp_model.IntVar
UNIT = 10_000
"""Objective value of one half of a lesson × priority; everything below it only breaks ties."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Seats that the solver found for the free needs, and whether it proved that none serve more."""

    seats: dict[int, tuple[int, ...]]
    proved: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """What a repair asks of a model beyond service."""

    meetings: Mapping[int, tuple[int, ...]]
    """Standing meetings that are free to move, as spot → needs."""
    moves: int
    """How many of them may move."""
    liked: Mapping[tuple[int, int], int]
    """(need, spot) → a bonus far below one lesson, for staying near what was."""


class SubModel:
    """The free needs of a board as a CP-SAT model; the free needs must have been cleared from the board."""

    def __init__(
        self,
        board: Board,
        free: Collection[int],
        random: Random,
        leads: Collection[SchoolCode] | None = None,
        plain: bool = False,
        keep: Keep | None = None,
    ) -> None:
        """`leads`: only these lead schools may serve the free needs. `plain`: service alone counts, no tie-breaks.

        `keep`: meetings of a standing plan among what is free, of which only so many may move.
        """
        self.board, self.offers = board, board.offers
        self.free, self.random, self.leads = sorted(free), random, leads
        self.plain = plain
        self.model = cp_model.CpModel()
        self.seat: dict[tuple[int, int], Literal] = {}
        self.by_spot: dict[int, list[int]] = defaultdict(list)
        self.chooses: dict[tuple[int, TeacherCode], Literal] = {}
        self.opens: dict[int, list[Literal]] = {}
        self.cost: list[tuple[Literal, int]] = []
        self._seats()
        self._spots()
        self._needs()
        self._classes_and_rooms()
        self._teachers()
        self._lead_rooms()
        self._staff()
        self._pairs()
        if keep is not None:
            self._keep(keep)
        self._objective()

    def _bool(self) -> Literal:
        return self.model.new_bool_var("")

    # ------------------------------------------------------------ variables

    def _seats(self) -> None:
        board, teachers = self.board, self.offers.problem.teachers
        for need in self.free:
            for teacher, spots in self.offers.seats[need].items():
                if self.leads is not None and teachers[teacher].school not in self.leads:
                    continue
                if not board.may_meet(need, teacher):
                    continue
                open_now = [number for number in spots if board.seat_free(need, number)]
                if open_now:
                    self.chooses[need, teacher] = self._bool()
                    for number in open_now:
                        self.seat[need, number] = self._bool()
                        self.by_spot[number].append(need)

    def _spots(self) -> None:
        """H7: seats of meetings that stand, and of those that could be opened."""
        for number, needs in self.by_spot.items():
            sitting = self.board.sittings.get(number)
            if sitting is not None:
                room = self.board.widest(sitting) - len(sitting.needs)
                if len(needs) > room:
                    self.model.add(sum(self.seat[need, number] for need in needs) <= room)
                self._apart(number, needs)
            else:
                self._openable(number, needs)

    def _apart(self, number: int, needs: list[int]) -> None:
        """Those who fit a meeting that stands, but not one another."""
        for place, first in enumerate(needs):
            for second in needs[place + 1 :]:
                if not fit_together(
                    [self.offers.wants[n] for n in (first, second, *self.board.sittings[number].needs)]
                ):
                    self.model.add_at_most_one([self.seat[first, number], self.seat[second, number]])

    def _openable(self, number: int, needs: list[int]) -> None:
        wants = [self.offers.wants[need] for need in needs]
        if len(needs) == 1:
            self.opens[number] = [self.seat[needs[0], number]]
            return
        if fit_together(wants):
            opened = self._bool()
            self.opens[number] = [opened]
            for need in needs:
                self.model.add_implication(self.seat[need, number], opened)
        else:
            self._grouped(number, needs)
        self._seats_open(number, needs)

    def _grouped(self, number: int, needs: list[int]) -> None:
        """One subject, one grade and one edition for a meeting: a literal for each combination that somebody wants."""
        keys = self._keys(number, needs)
        self.model.add_at_most_one(keys.values())
        self.opens[number] = list(keys.values())

    def _keys(self, number: int, needs: list[int]) -> dict[tuple[str, int, str], Literal]:
        """A literal for each subject, grade and edition; whoever takes a seat needs one that suits."""
        wants = {need: self.offers.wants[need] for need in needs}
        editions: dict[str, set[str]] = defaultdict(set)
        for want in wants.values():
            editions[want.need.subject].add(want.edition)
        keys: dict[tuple[str, int, str], Literal] = {}
        for need, want in wants.items():
            subject = want.need.subject
            known = {want.edition} if want.edition else (editions[subject] - {""}) or {""}
            groups = []
            for grade in want.grades:
                for edition in sorted(known):  # sets of text have no order of their own
                    if (subject, grade, edition) not in keys:
                        keys[subject, grade, edition] = self._bool()
                    groups.append(keys[subject, grade, edition])
            self.model.add_bool_or([*groups, self.seat[need, number].negated()])
        return keys

    def _seats_open(self, number: int, needs: list[int]) -> None:
        """Receivers of a new meeting: at most the widest lead room that is free for it."""
        spot = self.offers.spots[number]
        rooms = self._rooms_free(spot)
        widest = max(rooms, default=0)
        if len(needs) > widest:
            self.model.add(sum(self.seat[need, number] for need in needs) <= widest)

    def _rooms_free(self, spot: Spot) -> list[int]:
        """Seats of every lead room that is free for the spot now."""
        board = self.board
        return [
            board.seats_in(code)
            for code in self.offers.leadable[spot.school]
            if not board.room_busy[code] & spot.mask or self._own_room(spot) == code
        ]

    def _own_room(self, spot: Spot) -> RoomCode | None:
        if spot.host is None:
            return None
        return self.offers.problem.lesson_by_row[spot.host].room

    # ------------------------------------------------------------ rules

    def _needs(self) -> None:
        """H8: one teacher, one lesson a day, never more than asked for."""
        per_need: dict[int, list[Literal]] = defaultdict(list)
        for (need, _), chosen in self.chooses.items():
            per_need[need].append(chosen)
        for chosen_by in per_need.values():
            self.model.add_at_most_one(chosen_by)
        for (need, teacher), chosen in self.chooses.items():
            numbers = [n for n in self.offers.seats[need][teacher] if (need, n) in self.seat]
            self._days(need, numbers, chosen)
            halves = [(self.seat[need, n], self.offers.spots[n].slot.halves) for n in numbers]
            asked = self.offers.wants[need].need.halves - self.board.served[need]
            if sum(weight for _, weight in halves) > asked:
                self.model.add(sum(literal * weight for literal, weight in halves) <= asked * chosen)

    def _days(self, need: int, numbers: list[int], chosen: Literal) -> None:
        spots = self.offers.spots
        if not self.board.policy.one_lesson_per_day:
            for number in numbers:
                self.model.add_implication(self.seat[need, number], chosen)
            self._cliques([(spots[n].mask, self.seat[need, n]) for n in numbers])
            return
        weeks = (ODD, EVEN) if any(spots[n].slot.halves == 1 for n in numbers) else (ODD,)
        for week in weeks:
            days: dict[int, list[Literal]] = defaultdict(list)
            for number in numbers:
                if spots[number].slot.weeks & week:
                    days[spots[number].slot.weekday].append(self.seat[need, number])
            for literals in days.values():
                self.model.add_at_most_one([*literals, chosen.negated()])

    def _cliques(self, held: Iterable[tuple[Mask, Literal]]) -> None:
        """At most one of those who hold the same atom."""
        held = list(held)
        for group in clique_groups([mask for mask, _ in held]):
            self.model.add_at_most_one([held[place][1] for place in group])

    def _classes_and_rooms(self) -> None:
        """H3 for classes, H6 for their rooms: the classes of one meeting may share a room."""
        spots, wants = self.offers.spots, self.offers.wants
        by_class: dict[str, list[tuple[Mask, Literal]]] = defaultdict(list)
        by_room: dict[RoomCode, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        needs_of: dict[str, set[int]] = defaultdict(set)
        for (need, number), literal in self.seat.items():
            want = wants[need]
            by_class[want.need.school_class].append((spots[number].mask, literal))
            needs_of[want.need.school_class].add(need)
            if want.room is not None and not spots[number].mask & self.board.room_busy[want.room]:
                by_room[want.room][number].append(need)
        for code, held in by_class.items():
            if len(needs_of[code]) > 1:
                self._cliques(held)
        for users in by_room.values():
            if len({wants[need].need.school_class for needs in users.values() for need in needs}) > 1:
                held = [(spots[n].mask, literal) for n, needs in users.items() for literal in self._together(n, needs)]
                self._cliques(held)

    def _together(self, number: int, needs: list[int]) -> list[Literal]:
        """Literals for the use of one receiving room by one meeting; those who do not fit together use it one by one."""
        if len(needs) == 1:
            return [self.seat[needs[0], number]]
        if fit_together([self.offers.wants[need] for need in needs]):
            used = self._bool()
            for need in needs:
                self.model.add_implication(self.seat[need, number], used)
            return [used]
        return list(self._keys(number, needs).values())

    def _teachers(self) -> None:
        """H3 and H9 for lead teachers."""
        board, spots = self.board, self.offers.spots
        by_teacher: dict[TeacherCode, list[int]] = defaultdict(list)
        for number in self.opens:
            by_teacher[spots[number].teacher].append(number)
        for code, numbers in by_teacher.items():
            teacher = self.offers.problem.teachers[code]
            self._cliques([(spots[n].mask, literal) for n in numbers for literal in self.opens[n]])
            for week in (ODD, EVEN):
                within = [n for n in numbers if spots[n].slot.weeks & week]
                self._at_most(within, teacher.week_limit - board.week_load[code, week])
                days: dict[int, list[int]] = defaultdict(list)
                for number in within:
                    days[spots[number].slot.weekday].append(number)
                for weekday, numbers_of_day in days.items():
                    self._at_most(numbers_of_day, teacher.day_limit - board.day_load[code, weekday, week])

    def _at_most(self, numbers: list[int], limit: int) -> None:
        if len(numbers) > limit:
            self.model.add(sum(literal for n in numbers for literal in self.opens[n]) <= limit)

    def _lead_rooms(self) -> None:
        """H2, H3 for lead rooms, by number of seats: meetings of more receivers than the small rooms hold need large ones."""
        by_school: dict[SchoolCode, list[int]] = defaultdict(list)
        for number in self.opens:
            if self._own_room(self.offers.spots[number]) is None:
                by_school[self.offers.spots[number].school].append(number)
        for school, numbers in by_school.items():
            rooms = self.offers.leadable[school]
            levels = sorted({self.board.seats_in(code) for code in rooms})
            for place, level in enumerate(levels):
                users = self._users(numbers, levels[place - 1] if place else 0, level)
                self._room_level([code for code in rooms if self.board.seats_in(code) >= level], users)

    def _users(self, numbers: list[int], below: int, level: int) -> list[tuple[Mask, list[Literal]]]:
        """Who needs a room of this level: everybody at the lowest, above it those with more receivers than `below`."""
        spots = self.offers.spots
        if below == 0:
            return [(spots[n].mask, self.opens[n]) for n in numbers]
        users = []
        for number in numbers:
            needs = self.by_spot[number]
            if len(needs) > below:
                large = self._bool()
                most = self.board.policy.max_receivers - below
                self.model.add(sum(self.seat[need, number] for need in needs) <= below + most * large)
                users.append((spots[number].mask, [large]))
        return users

    def _room_level(self, rooms: list[RoomCode], users: list[tuple[Mask, list[Literal]]]) -> None:
        by_atom: dict[int, list[int]] = defaultdict(list)
        for place, (mask, _) in enumerate(users):
            while mask:
                low = mask & -mask
                by_atom[low.bit_length() - 1].append(place)
                mask ^= low
        said: set[tuple[int, tuple[int, ...]]] = set()
        for atom, places in by_atom.items():
            free = sum(not self.board.room_busy[code] >> atom & 1 for code in rooms)
            key = (free, tuple(places))
            if len(places) > free and key not in said:
                said.add(key)
                self.model.add(sum(literal for place in places for literal in users[place][1]) <= free)

    def _staff(self) -> None:
        """H11: teachers left as assistants, atom by atom."""
        board, spots = self.board, self.offers.spots
        asked: dict[SchoolCode, dict[int, list[Literal]]] = defaultdict(lambda: defaultdict(list))
        holds: list[tuple[SchoolCode, Mask, list[Literal]]] = [
            (self.offers.wants[need].school, spots[number].mask, [literal])
            for (need, number), literal in self.seat.items()
        ]
        holds += [(spots[n].school, spots[n].mask, opened) for n, opened in self.opens.items() if spots[n].host is None]
        for school, mask, literals in holds:
            if school in board.staffed:
                while mask:
                    low = mask & -mask
                    asked[school][low.bit_length() - 1].extend(literals)
                    mask ^= low
        for school, atoms in asked.items():
            said = set()
            for atom, literals in atoms.items():
                left = sum(not level >> atom & 1 for level in board.staff_used[school])
                key = (left, tuple(literal.index for literal in literals))
                if len(literals) > left and key not in said:
                    said.add(key)
                    self.model.add(sum(literals) <= left)

    def _pairs(self) -> None:
        """H10: partners not used by anyone who stands still."""
        board, policy = self.board, self.board.policy
        new: dict[tuple[SchoolCode, SchoolCode], dict[int, list[Literal]]] = defaultdict(lambda: defaultdict(list))
        for (need, teacher), chosen in self.chooses.items():
            pair = (self.offers.problem.teachers[teacher].school, self.offers.wants[need].school)
            if not board.pair_use.get(pair):
                new[pair][need].append(chosen)
        by_lead: dict[SchoolCode, list[Literal]] = defaultdict(list)
        by_school: dict[SchoolCode, list[Literal]] = defaultdict(list)
        for pair, chosen_by in new.items():
            used = self._bool()
            for literals in chosen_by.values():
                self.model.add_at_most_one([*literals, used.negated()])
            self.cost.append((used, self.random.randint(0, 60)))
            by_lead[pair[0]].append(used)
            by_school[pair[1]].append(used)
        for lead, partners in by_lead.items():
            left = policy.max_partners_per_lead - board.lead_partners[lead]
            if len(partners) > left:
                self.model.add(sum(partners) <= left)
        for school, partners in by_school.items():
            left = policy.max_partners_per_receiver - board.receive_partners[school]
            if len(partners) > left:
                self.model.add(sum(partners) <= left)

    def _keep(self, keep: Keep) -> None:
        """A standing meeting stays when all who sat in it still do; all but so many stay. Seats that were liked are preferred."""
        stays = []
        for number, needs in keep.meetings.items():
            literal = self._bool()
            for need in needs:
                seat = self.seat.get((need, number))
                if seat is None:
                    self.model.add(literal == 0)
                else:
                    self.model.add_implication(literal, seat)
            stays.append(literal)
        if keep.moves < len(stays):
            self.model.add(sum(stays) >= len(stays) - keep.moves)
        self.cost.extend((literal, -60) for literal in stays)
        self.cost.extend((self.seat[place], -bonus) for place, bonus in keep.liked.items() if place in self.seat)

    def _objective(self) -> None:
        wants, spots = self.offers.wants, self.offers.spots
        literals, weights = [], []
        for (need, number), literal in self.seat.items():
            literals.append(literal)
            weights.append((1 if self.plain else UNIT) * wants[need].weight * spots[number].slot.halves)
        if self.plain:
            self.cost.clear()
            self.model.maximize(cp_model.LinearExpr.weighted_sum(literals, weights))
            return
        for opened in self.opens.values():
            for literal in opened:
                self.cost.append((literal, self.random.randint(2, 14)))
        for literal, cost in self.cost:
            literals.append(literal)
            weights.append(-cost)
        self.model.maximize(cp_model.LinearExpr.weighted_sum(literals, weights))

    # ------------------------------------------------------------ solving

    def hint(self, seats: dict[int, tuple[int, ...]]) -> None:
        """The seats the free needs had before: complete for seats and choices, which settle all the rest."""
        for (need, number), literal in self.seat.items():
            self.model.add_hint(literal, number in seats.get(need, ()))
        for (need, teacher), chosen in self.chooses.items():
            held = seats.get(need)
            self.model.add_hint(chosen, bool(held and self.offers.spots[held[0]].teacher == teacher))

    def _solver(self, seconds: float, seed: int, work: float | None) -> cp_model.CpSolver:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % (1 << 30)
        solver.parameters.max_time_in_seconds = seconds
        if work is not None:
            solver.parameters.max_deterministic_time = work
        solver.parameters.linearization_level = 2  # the linear relaxation is tight; without it nothing is ever proved
        solver.parameters.symmetry_level = 0
        return solver

    def solve(self, seconds: float, seed: int, work: float | None = None) -> Answer | None:
        """The best seats found within a wall-clock limit, or within deterministic `work`; None where nothing was found."""
        solver = self._solver(seconds, seed, work)
        if not self.plain:
            solver.parameters.absolute_gap_limit = UNIT * 0.9  # ties are not worth a proof
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        seats: dict[int, list[int]] = defaultdict(list)
        for (need, number), literal in self.seat.items():
            if solver.boolean_value(literal):
                seats[need].append(number)
        return Answer({need: tuple(numbers) for need, numbers in seats.items()}, status == cp_model.OPTIMAL)

    def ceiling(self, seconds: float, work: float | None = None) -> int:
        """A proven bound of the free needs' weighted service; asked of a plain model."""
        assert self.plain
        most = sum(want.weight * want.need.halves for want in (self.offers.wants[need] for need in self.free))
        if not self.seat:
            return 0
        solver = self._solver(seconds, 0, work)
        return proved(solver, solver.solve(self.model), most)


def proved(solver: cp_model.CpSolver, status: cp_model.CpSolverStatus, most: int) -> int:
    """The solver's bound of a sum that is to be as large as possible, where it proves more than `most`.

    Of a model to which doing nothing is a solution; so INFEASIBLE is false (OR-Tools issue 5274) and proves nothing. Where the time ran out
    before there was any bound the status is UNKNOWN and the bound 0.
    """
    bound = solver.best_objective_bound
    known = status in (cp_model.OPTIMAL, cp_model.FEASIBLE) or (status == cp_model.UNKNOWN and bound > 0)
    return min(most, math.floor(bound + 1e-6)) if known and math.isfinite(bound) else most


def clique_groups(masks: Sequence[Mask]) -> list[tuple[int, ...]]:
    """Places of masks that share an atom; no set inside another, none of one member."""
    by_atom: dict[int, list[int]] = defaultdict(list)
    for place, mask in enumerate(masks):
        while mask:
            low = mask & -mask
            by_atom[low.bit_length()].append(place)
            mask ^= low
    kept: list[tuple[int, ...]] = []
    seen: dict[int, list[frozenset[int]]] = defaultdict(list)
    groups = {tuple(places) for places in by_atom.values() if len(places) > 1}
    for group in sorted(groups, key=lambda group: (-len(group), group)):
        members = frozenset(group)
        if any(members <= other for other in seen[group[0]]):
            continue
        for place in group:
            seen[place].append(members)
        kept.append(group)
    return kept


def fit_together(wants: Iterable[Want]) -> bool:
    """H7: one subject, one common grade, no two known editions."""
    wants = list(wants)
    grades = frozenset.intersection(*(want.grades for want in wants))
    editions = {want.edition for want in wants} - {""}
    return bool(grades) and len(editions) <= 1 and len({want.need.subject for want in wants}) == 1
