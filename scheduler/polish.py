"""The last touch: CP-SAT on small neighbourhoods around what is still lacking, once ruin and recreate has cooled down."""

from __future__ import annotations

from scheduler.improve import Step, restore, snapshot, try_anew
from scheduler.locks import locks_used
from scheduler.problem import SchoolCode
from scheduler.search import Search

SEATS = 2_600
"""Seats of a neighbourhood at first: more take the solver longer than they are worth."""
MORE_SEATS = 1_300
"""Seats more for every level of reach."""
PATIENCE = 8
"""Tries without gain after which neighbourhoods reach further, up to `FURTHEST`."""
FURTHEST = 4
WARM_ENOUGH = 0.15


class Polish:
    """Frees a lacking school, and what others get from lead schools that it could use, and seats them exactly."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.steps = 0
        self.gained = 0
        self._barren = 0

    def due(self, warmth: float) -> bool:
        """Whether it is late enough, and this try's turn."""
        if warmth > WARM_ENOUGH or not self.search.lacking():
            return False
        return self.search.random.random() < (0.03 if warmth > 0 else 0.12)

    def step(self, seconds: float, work: float | None = None) -> int:
        """One neighbourhood; returns the gain in weighted halves."""
        reach = min(FURTHEST, self._barren // PATIENCE)
        free, leads = self._neighbourhood(reach)
        board = self.search.board
        before, locks = snapshot(board, free), locks_used(board)
        done = try_anew(board, free, self.search.random, seconds, leads=leads, work=work)
        if locks_used(board) < locks:
            restore(board, free, before)
            done = Step(0, done.proved, done.found)
        self.steps += 1
        self.gained += done.gain
        self._barren = 0 if done.gain > 0 else (self._barren + 1) % (PATIENCE * (FURTHEST + 1))
        return done.gain

    def _neighbourhood(self, reach: int) -> tuple[set[int], set[SchoolCode]]:
        """The needs to free and the lead schools they may use, as many as the solver can bear."""
        search, random = self.search, self.search.random
        offers, board = search.offers, search.board
        need = random.choice(search.lacking())
        school = offers.wants[need].school
        free = set(search.of_school[school])
        leads = {pair[0] for pair, uses in board.pair_use.items() if uses and pair[1] == school}
        wished = [lead for lead in offers.by_lead[need] if lead not in leads]
        random.shuffle(wished)
        leads.update(wished[: random.randint(1, 4) + reach])
        rivals = [*wished[: 1 + reach], *sorted(leads)]
        random.shuffle(rivals)
        for lead in rivals[: random.randint(0, 1) + reach]:
            grown = free | search.served_through(lead, school)
            wider = leads | {partner for partner, uses in search.partners_of(grown) if uses}
            if self._size(grown, wider) > SEATS + MORE_SEATS * reach:
                break
            free, leads = grown, wider
        return free, leads

    def _size(self, free: set[int], leads: set[SchoolCode]) -> int:
        by_lead = self.search.offers.by_lead
        return sum(len(spots) for need in free for lead in leads for _, spots in by_lead[need].get(lead, ()))
