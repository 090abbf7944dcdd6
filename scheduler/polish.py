"""The last touch: CP-SAT on small neighbourhoods around what is still lacking, once ruin and recreate has cooled down."""

from __future__ import annotations

from scheduler.improve import try_anew
from scheduler.problem import SchoolCode
from scheduler.search import Search

LARGEST = 2_600
"""Seats of a neighbourhood: more take the solver longer than they are worth."""


class Polish:
    """Frees a lacking school, sometimes with what others get from one lead school, and seats them exactly."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.credit = 1.0
        self._tried: dict[tuple[SchoolCode, SchoolCode | None], int] = {}

    def due(self, warmth: float) -> bool:
        """Whether it is late enough, and the solver has lately been of use often enough."""
        return warmth < 0.45 and bool(self.search.lacking()) and self.search.random.random() < 0.02 + 0.1 * self.credit

    def step(self, seconds: float, work: float | None = None) -> int:
        """One neighbourhood; returns the gain in weighted halves."""
        search, random = self.search, self.search.random
        offers, board = search.offers, search.board
        need = random.choice(search.lacking())
        school = offers.wants[need].school
        free = set(search.of_school[school])
        leads = {pair[0] for pair, uses in board.pair_use.items() if uses and pair[1] == school}
        wished = [lead for lead in offers.by_lead[need] if lead not in leads]
        random.shuffle(wished)
        leads.update(wished[: random.randint(1, 4)])
        if wished and random.random() < 0.5:
            free.update(search.served_through(wished[0], school))
            leads.update(lead for lead, uses in search.partners_of(free) if uses)
        size = sum(len(spots) for n in free for lead in leads for _, spots in offers.by_lead[n].get(lead, ()))
        if size > LARGEST:
            free = set(search.of_school[school])
        done = try_anew(board, free, random, seconds, leads=leads, work=work)
        self.credit = 0.9 * self.credit + (0.1 if done.gain > 0 else 0.0)
        return done.gain
