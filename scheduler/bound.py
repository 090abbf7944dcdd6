"""A proven upper bound of weighted service, independent of the search.

Each receiving school is looked at alone, as if every lead teacher and lead room were there for it only. What still binds is its own: the
minutes its classes and receiving rooms are free, one lesson a day, who may share a room, one teacher for each need, and the few
lead schools it may have as partners. That small problem is solved exactly (`scheduler.alone`), first without teachers and partners, and the
sum over the schools bounds every plan: receiving schools share nothing but lead resources. Windows are relaxed to what those of a
lead period have in common, so that the proof holds for every minute a meeting could begin at. Where the county is small, the whole
problem is tried as well.

A bound is only ever lowered by a proof: the solver's own dual bound, rounded down to whole units of halves × priority.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from random import Random

from scheduler.alone import Alone, SchoolAlone
from scheduler.board import Board
from scheduler.explain import SchoolCeiling
from scheduler.locked_meetings import standing_locks
from scheduler.model import SubModel
from scheduler.offers import Offers
from scheduler.problem import Problem, RoomCode, SchoolCode
from scheduler.windows import Grid, lead_periods, turns

PARTNERS_PART = 0.5
"""The part of a school's time that the pass with partners may take: most of what they bind is proved soon, most of what they do not never."""
WHOLE_SEATS = 2_500
"""Seats up to which the whole county is also given to the solver at once."""


def first_ceilings(alone: Alone) -> dict[SchoolCode, SchoolCeiling]:
    """The bound that costs nothing: every need alone."""
    weighted: Counter[SchoolCode] = Counter()
    most: Counter[SchoolCode] = Counter()
    asked: Counter[SchoolCode] = Counter()
    for number, want in enumerate(alone.offers.wants):
        halves = alone.halves(number)
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
    met: Callable[[SchoolCode], bool] = lambda school: False,
) -> int:
    """Lowers the bound school by school and calls `tell` with each better one; ends early where `alive` says no.

    `seconds` limits one school's solve by the clock, `work` by the solver's own deterministic time. `met`: whether some legal plan is known
    to give a school all that its last ceiling allows; nothing more can be proved there.
    """
    offers = Offers(problem, Grid(problem), relaxed=True)
    alone = Alone(offers)
    extra_weighted, extra_halves = placed_anyway(problem)
    ceilings = {
        school: replace(
            ceiling,
            weighted=ceiling.weighted + extra_weighted[school],
            most_halves=ceiling.most_halves + extra_halves[school],
        )
        for school, ceiling in first_ceilings(alone).items()
    }
    total = sum(ceiling.weighted for ceiling in ceilings.values())
    tell(total, ceilings)
    needs: dict[SchoolCode, list[int]] = defaultdict(list)
    for number, want in enumerate(offers.wants):
        needs[want.school].append(number)
    crowded = sorted(needs, key=lambda school: (-_crowding(offers, needs[school]), school))
    small = sorted(needs, key=lambda school: (len(needs[school]), school))  # with partners a large one takes seconds
    for partners, part, schools in ((False, 1.0, crowded), (True, PARTNERS_PART, small)):
        limits = seconds * part, None if work is None else work * part
        for school in schools:
            if not alive():
                return total
            before = ceilings[school]
            if met(school):
                continue
            found = SchoolAlone(alone, needs[school], partners=partners).ceiling(*limits)
            weighted = min(before.weighted, found + extra_weighted[school])
            if weighted < before.weighted:
                total -= before.weighted - weighted
                found = SchoolAlone(alone, needs[school], partners=partners, by_priority=False).ceiling(*limits)
                most = min(before.most_halves, found + extra_halves[school])
                ceilings[school] = replace(before, weighted=weighted, most_halves=most)
                tell(total, ceilings)
    if _small(offers) and alive():
        whole = _whole(offers, seconds * 4, work) + extra_weighted.total()
        if whole < total:
            total = whole
            tell(total, ceilings)
    return total


def _small(offers: Offers) -> bool:
    """Whether the whole county can be tried: it has some seats, but not too many, and relaxed periods hold one meeting of a teacher each."""
    return 0 < sum(len(spots) for seats in offers.seats for spots in seats.values()) <= WHOLE_SEATS and all(
        turns(period, offers.problem.policy) == 1 for _, _, period in lead_periods(offers.problem)
    )


def _whole(offers: Offers, seconds: float, work: float | None) -> int:
    model = SubModel(Board(offers, keep_locked=False), range(len(offers.wants)), Random(0), plain=True)  # noqa: S311 # no tie-breaks are drawn
    return model.ceiling(seconds, work)


def _crowding(offers: Offers, needs: Iterable[int]) -> int:
    """Halves asked for in the fullest receiving room of a school's needs: where the bound falls first."""
    rooms: Counter[RoomCode] = Counter()
    for want in map(offers.wants.__getitem__, needs):
        if want.room is not None:
            rooms[want.room] += want.need.halves
    return max(rooms.values(), default=0)
