"""The wishes of a board, kept up to date: what changes with a few needs is counted anew, the rest stands.

It adds up to what `scheduler.wishes` says of the board's plan, but for a constant: activities and meetings that cannot come
back do not change here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from scheduler.board import Board
from scheduler.homes import Home, at_home
from scheduler.problem import Meeting, Subject, TeacherCode
from scheduler.wishes.days import pairs_close_by
from scheduler.wishes.load import could_lead, fair_share


class Comfort:
    """The cost of a board by need, by sitting, by home, and of what all share: load and pairings."""

    def __init__(self, board: Board, activities: Iterable[Meeting], homes: Sequence[Home]) -> None:
        self.board, self.homes, self.policy = board, homes, board.policy
        offers = board.offers
        self.homes_at: dict[int, list[int]] = defaultdict(list)
        for number, home in enumerate(homes):
            for spot in home.spots:
                self.homes_at[spot].append(number)
        self._unknown = [
            not offers.problem.classes[want.need.school_class].editions.get(want.need.subject, "")
            for want in offers.wants
        ]
        self._leads = could_lead(offers.problem)
        self._subjects: dict[TeacherCode, list[Subject]] = defaultdict(list)
        for subject, teachers in self._leads.items():
            for code in teachers:
                self._subjects[code].append(subject)
        self._totals: dict[Subject, int] = defaultdict(int)
        """Halves led by subject: activities, and the sittings that were last counted."""
        self._loads: dict[TeacherCode, int] = defaultdict(int)
        self._shares: dict[Subject, int] = {}
        self._beyond: dict[TeacherCode, int] = {}
        self._stirred: dict[Subject, set[TeacherCode]] = defaultdict(set)
        """Subjects and teachers whose load has changed since it was last spread."""
        for meeting in activities:
            self._lead(meeting.subject, meeting.lead_teacher, meeting.slot.halves)
        self._of_need = [0] * len(offers.wants)
        self._of_spot: dict[int, int] = {}
        self._astray = [False] * len(homes)
        self._counted: dict[int, Subject] = {}
        """Spot → subject of the sittings in totals and loads."""
        self._pairings = 0
        self.cost = 0
        self.cost = self.count(range(len(offers.wants)), [*board.sittings, *self.homes_at])

    # ------------------------------------------------------------ parts

    def need_cost(self, need: int) -> int:
        """W2 and W6 of a need."""
        spots, offers = self.board.spots_of[need], self.board.offers
        close = pairs_close_by([offers.spots[number].slot for number in spots])
        school = offers.wants[need].school
        two = sum(offers.covers_two(school, number) for number in spots)
        return close * self.policy.wish_days_apart + two * self.policy.wish_one_period

    def _spot_cost(self, number: int) -> int:
        """W4 of the sitting in a spot."""
        sitting = self.board.sittings.get(number)
        if sitting is None or len(sitting.needs) < 2 or not self.policy.match_edition:
            return 0
        return sum(self._unknown[need] for need in sitting.needs) * self.policy.wish_editions_known

    def _pairings_cost(self) -> int:
        """W3."""
        board = self.board
        pairs = sum(board.lead_partners.values()) - sum(board.pair_use[pair] == 1 for pair in board.locked)
        return pairs * self.policy.wish_few_pairings

    # ------------------------------------------------------------ keeping count

    def count(self, needs: Collection[int], spots: Iterable[int]) -> int:
        """Counts these needs, and all that sits or sat in these spots, anew; returns the whole cost."""
        change = 0
        for need in needs:
            cost = self.need_cost(need)
            change += cost - self._of_need[need]
            self._of_need[need] = cost
        for number in set(spots):
            cost = self._spot_cost(number)
            change += cost - self._of_spot.get(number, 0)
            self._of_spot[number] = cost
            self._count_load(number)
            for home in self.homes_at.get(number, ()):
                astray = not at_home(self.board, self.homes[home])
                change += (astray - self._astray[home]) * self.policy.wish_few_moves
                self._astray[home] = astray
        change += self._spread() * self.policy.wish_even_load
        pairings = self._pairings_cost()
        change += pairings - self._pairings
        self._pairings = pairings
        self.cost += change
        return self.cost

    def _count_load(self, number: int) -> None:
        sitting = self.board.sittings.get(number)
        spot = self.board.offers.spots[number]
        before = self._counted.pop(number, None)
        if before is not None:
            self._lead(before, spot.teacher, -spot.slot.halves)
        if sitting is not None:
            self._counted[number] = sitting.subject
            self._lead(sitting.subject, spot.teacher, spot.slot.halves)

    def _lead(self, subject: Subject, teacher: TeacherCode, halves: int) -> None:
        self._totals[subject] += halves
        self._loads[teacher] += halves
        self._stirred[subject].add(teacher)

    def _spread(self) -> int:
        """W1: how much more is led beyond the fair shares since it was last asked; a share moves all who have the subject."""
        change = 0
        for subject, teachers in self._stirred.items():
            share = fair_share(self._totals[subject], len(self._leads[subject]))
            if share != self._shares.get(subject, 0):
                self._shares[subject] = share
                teachers.update(self._leads[subject])
            for code in teachers:
                beyond = max(0, self._loads[code] - self.share_of(code))
                change += beyond - self._beyond.get(code, 0)
                self._beyond[code] = beyond
        self._stirred.clear()
        return change

    def share_of(self, teacher: TeacherCode) -> int:
        """The fair share of the busiest of a teacher's subjects, in halves."""
        return max((self._shares.get(subject, 0) for subject in self._subjects[teacher]), default=0)

    # ------------------------------------------------------------ where it hurts

    def costly_needs(self) -> list[int]:
        return [need for need, cost in enumerate(self._of_need) if cost]

    def costly_spots(self) -> list[int]:
        return [number for number, cost in self._of_spot.items() if cost]

    def astray(self) -> list[int]:
        """Homes whose meeting does not stand as it stood."""
        return [home for home, astray in enumerate(self._astray) if astray]

    def load_left(self, teacher: TeacherCode) -> int:
        """Halves that a teacher may lead more before the share is full."""
        return self.share_of(teacher) - self._loads[teacher]

    def overloaded(self) -> list[TeacherCode]:
        """Teachers who lead beyond their fair share; in order, for a draw from them must not hang on how sets lie in memory."""
        return sorted(code for code, beyond in self._beyond.items() if beyond)

    def unknown(self, need: int) -> bool:
        """Whether the edition of a need's class is unknown."""
        return self._unknown[need]
