"""What a receiving school could get if it were the only one: the relaxation that `scheduler.bound` proves with.

Relaxed offers have one window a period in place of all that lie in it. Of these, a need and a teacher can use those that are free for
both, and whatever they use, they hold the minutes that all of those have in common: its *core*. Two cores that overlap are two meetings
that clash, wherever in their periods they begin; so what the cores forbid is forbidden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ortools.sat.python import cp_model

from scheduler.model import clique_groups, proved
from scheduler.offers import Offers, PerNeed
from scheduler.problem import ClassCode, RoomCode, SchoolCode, Slot, TeacherCode
from scheduler.windows import Mask, turns

Literal = cp_model.IntVar
Turn = tuple[Slot, int]
"""A lead period, and which of the meetings that one need could have in it: more than one only where it may have several a day."""
Chances = Mapping[Turn, Mask]
"""What a teacher could give a need, and the minutes that such a meeting holds in any case."""


class Alone:
    """Every need of relaxed offers with all lead teachers, lead rooms and receiving rooms to itself."""

    def __init__(self, offers: Offers) -> None:
        assert offers.relaxed
        self.offers = offers
        self.by_lead = PerNeed(len(offers.wants), self._by_lead)
        """Need → lead school → chances with each of its teachers; a teacher who has no more than another one is left out."""

    def _by_lead(self, need: int) -> dict[SchoolCode, list[Chances]]:
        offers, found = self.offers, defaultdict[SchoolCode, list[Chances]](list)
        for lead, teachers in offers.by_lead[need].items():
            each = [self._with(need, teacher, spots) for teacher, spots in teachers]
            each.sort(key=len, reverse=True)
            for chances in each:
                if chances and not any(_no_more(chances, other) for other in found[lead]):
                    found[lead].append(chances)
        return {lead: kept for lead, kept in found.items() if kept}

    def _with(self, need: int, teacher: TeacherCode, spots: Iterable[int]) -> Chances:
        """A lesson that is taught along (H4) takes its whole period, any other meeting what is free of it."""
        offers = self.offers
        want, grid = offers.wants[need], offers.grid
        busy = grid.class_busy[want.need.school_class] | offers.staff_none.get(want.school, 0)
        if want.room is not None:
            busy |= grid.room_busy[want.room]
        found: dict[Turn, Mask] = {}
        for number in spots:
            spot = offers.spots[number]
            if spot.host is not None:
                core = None if grid.mask(spot.slot) & busy else grid.mask(spot.slot)
            else:
                core = offers.core(number, busy | grid.teacher_busy[teacher])
            if core is not None:
                for turn in range(self._turns(spot.slot)):
                    found[spot.slot, turn] = found.get((spot.slot, turn), core) & core
        return found

    def _turns(self, slot: Slot) -> int:
        policy = self.offers.problem.policy
        return 1 if policy.one_lesson_per_day else turns((slot.start, slot.end), policy)

    def by_partner(self, need: int) -> dict[SchoolCode, int]:
        """Halves that the need could get from each lead school: of one of its teachers (H8), a lesson a day."""
        asked = self.offers.wants[need].need.halves
        return {lead: min(asked, max(map(self.given, each))) for lead, each in self.by_lead[need].items()}

    def halves(self, need: int) -> int:
        """Halves that the need could get at all."""
        return max(self.by_partner(need).values(), default=0)

    def given(self, chances: Chances) -> int:
        """Halves: by weekday and parity where one lesson a day is allowed; else every turn, disjoint or not."""
        if self.offers.problem.policy.one_lesson_per_day:
            return len({(slot.weekday, slot.weeks) for slot, _ in chances})
        return len(chances)


def _no_more(chances: Chances, other: Chances) -> bool:
    """Whether whoever could use `chances` could use `other` instead."""
    return all(turn in other and not other[turn] & ~core for turn, core in chances.items())


class SchoolAlone:
    """One receiving school with all lead resources to itself, as a CP-SAT model: its needs × lead periods, in odd and in even weeks.

    The same period of different lead schools is one: who leads is left open, but where `partners` is set. Then every need has one
    teacher (H8) of one of the few lead schools that are partners (H10).
    """

    def __init__(self, alone: Alone, needs: Iterable[int], *, by_priority: bool = True, partners: bool = False) -> None:
        """`needs`: those of the school. `by_priority`: halves × priority are counted, else halves."""
        self.alone, self.offers, self.model = alone, alone.offers, cp_model.CpModel()
        self.by_priority = by_priority
        self.objective: list[tuple[Literal, int]] = []
        self._by_class: dict[ClassCode, list[tuple[Mask, Literal]]] = defaultdict(list)
        self._in_room: dict[tuple[RoomCode, Slot], list[tuple[int, Mask, Literal]]] = defaultdict(list)
        self._partners: dict[SchoolCode, Literal] = {}
        for number in needs:
            literals = self._need(number)
            if partners:
                self._led_by_one(number, literals)
        for held in self._by_class.values():
            self._one_at_a_time(held)
        rooms: dict[RoomCode, list[tuple[Mask, Literal]]] = defaultdict(list)
        for (room, _), users in self._in_room.items():
            rooms[room].extend(self._groups(users))
        for held in rooms.values():
            self._one_at_a_time(held)
        if partners:
            self.model.add(sum(self._partners.values()) <= self.offers.problem.policy.max_partners_per_receiver)
        self.model.maximize(sum(literal * weight for literal, weight in self.objective))

    def _need(self, number: int) -> dict[Turn, Literal]:
        want = self.offers.wants[number]
        cores: dict[Turn, Mask] = {}
        for each in self.alone.by_lead[number].values():
            for chances in each:
                for turn, core in chances.items():
                    cores[turn] = cores.get(turn, core) & core
        literals: dict[Turn, Literal] = {}
        days: dict[tuple[int, int], list[Literal]] = defaultdict(list)
        for turn, core in cores.items():
            literal, slot = self.model.new_bool_var(""), turn[0]
            literals[turn] = literal
            self.objective.append((literal, want.weight if self.by_priority else 1))
            self._by_class[want.need.school_class].append((core, literal))
            if want.room is not None:
                self._in_room[want.room, slot].append((number, core, literal))
            days[slot.weekday, slot.weeks].append(literal)
        if self.offers.problem.policy.one_lesson_per_day:
            for of_day in days.values():
                self.model.add_at_most_one(of_day)
        if literals:
            self.model.add(sum(literals.values()) <= self.alone.halves(number))
        return literals

    def _led_by_one(self, number: int, literals: Mapping[Turn, Literal]) -> None:
        """H8, H10: a lesson in a period needs the one teacher to have it, and the teacher's school to be a partner."""
        asked = self.offers.wants[number].need.halves
        most: list[tuple[Literal, int]] = []
        having: dict[Turn, list[Literal]] = defaultdict(list)
        for lead, each in self.alone.by_lead[number].items():
            if lead not in self._partners:
                self._partners[lead] = self.model.new_bool_var("")
            of_lead = [self.model.new_bool_var("") for _ in each]
            self.model.add_at_most_one([*of_lead, self._partners[lead].negated()])
            for chances, teacher in zip(each, of_lead, strict=True):
                most.append((teacher, min(asked, self.alone.given(chances))))
                for turn in chances:
                    having[turn].append(teacher)
        if literals:
            self.model.add_at_most_one(teacher for teacher, _ in most)
            self.model.add(sum(literals.values()) <= sum(teacher * halves for teacher, halves in most))
        for turn, literal in literals.items():
            self.model.add_bool_or([*having[turn], literal.negated()])

    def _groups(self, users: list[tuple[int, Mask, Literal]]) -> Iterator[tuple[Mask, Literal]]:
        """H6, H7: only those who fit one meeting share a room; a literal for each subject, grade and edition."""
        if len(users) == 1:
            yield users[0][1:]
            return
        wants = self.offers.wants
        editions: dict[str, set[str]] = defaultdict(set)
        for number, _, _ in users:
            editions[wants[number].need.subject].add(wants[number].edition)
        keys: dict[tuple[str, int, str], Literal] = {}
        common = users[0][1]
        for number, core, literal in users:
            want = wants[number]
            common &= core
            known = {want.edition} if want.edition else (editions[want.need.subject] - {""}) or {""}
            fits = []
            for grade in want.grades:
                for edition in sorted(known):  # sets of text have no order of their own
                    key = (want.need.subject, grade, edition)
                    if key not in keys:
                        keys[key] = self.model.new_bool_var("")
                    fits.append(keys[key])
            self.model.add_bool_or([*fits, literal.negated()])
        for used in keys.values():
            yield common, used

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
        return proved(solver, solver.solve(self.model), sum(weight for _, weight in self.objective))
