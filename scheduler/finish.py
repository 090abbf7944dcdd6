"""From the best state of a search to a whole plan: nothing left that simply fits, activities placed, reasons given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from scheduler.activities import place_activities, worth
from scheduler.advice import advise
from scheduler.assemble import delivery_meetings, not_asked, numbered, plan_of
from scheduler.audience import widened
from scheduler.board import Board
from scheduler.explain import Explainer, SchoolCeiling
from scheduler.fit import ActivityFit
from scheduler.improve import Snapshot, rebuild, snapshot
from scheduler.locks import honour_locked
from scheduler.offers import Offers
from scheduler.problem import Meeting, Plan, PlanStatus, SchoolCode, Unmet
from scheduler.settle import Settle
from scheduler.wishes import wished


def fill_up(board: Board) -> None:
    """Takes every seat that is simply free, so that no reason is ever asked for a lesson that would fit."""
    for need, want in enumerate(board.offers.wants):
        if board.served[need] >= want.need.halves:
            continue
        held = board.teacher_of[need]
        for teacher in [held] if held is not None else list(board.offers.seats[need]):
            if board.served[need] == want.need.halves:
                break
            for number in board.offers.seats[need].get(teacher, ()):
                if board.may_meet(need, teacher) and board.seat_free(need, number):
                    board.seat(need, number)


def stages(
    offers: Offers,
    state: Snapshot,
    previous: Plan | None,
    ceilings: Mapping[SchoolCode, SchoolCeiling],
    *,
    bound: int,
    seconds: float,
    seed: int,
    status: PlanStatus,
    go_on: Callable[[int], bool] = lambda tries: False,
    settle_on: Callable[[int], bool] = lambda tries: False,
) -> Iterator[Plan]:
    """The plan of a state, whole and legal from the first stage on and better with each: a run that is out of time has the last one.

    First activities are placed; then fitted in as `go_on` allows, after so many tries, and every lesson that is missing gets its reason; then
    the plan is made more comfortable as `settle_on` allows; last comes what would help most. `bound` must be proved.
    """
    problem, board = offers.problem, Board(offers)

    def told(meetings: Sequence[Meeting], reasons: Iterable[Unmet]) -> Plan:
        by_need = {(lack.school_class, lack.subject): lack for lack in reasons}
        return plan_of(problem, meetings, by_need, bound=bound, seconds=seconds, seed=seed, status=status)

    rebuild(board, state)
    honour_locked(board)
    fill_up(board)
    fit = ActivityFit(board, Random(seed), previous)  # noqa: S311 # a seeded search, nothing secret
    yield told(numbered(delivery_meetings(board), previous) + fit.meetings, not_asked(problem))
    tries = 0
    while not fit.complete and go_on(tries):
        fit.step()
        tries += 1
    plain = numbered(delivery_meetings(board), previous) + fit.meetings
    explainer = Explainer(problem, plain, ceilings, previous)
    explainer.settle()
    plan = told(explainer.meetings, explainer.reasons())
    yield plan
    activities = settled(board, fit, previous, Random(seed), settle_on)  # noqa: S311 # a seeded search, nothing secret
    meetings = numbered(delivery_meetings(board), previous) + activities
    if meetings != plain:
        after = Explainer(problem, meetings, ceilings, previous)
        after.settle()
        if _won(after) >= _won(explainer):  # what simply fits may have fitted better before
            explainer, plan = after, told(after.meetings, after.reasons())
            yield plan
    yield replace(plan, advice=advise(explainer))


def finished(plans: Iterable[Plan]) -> Plan:
    """The last of the stages."""
    *_, last = plans
    return last


def _won(explainer: Explainer) -> tuple[int, tuple[int, int]]:
    """The first two wishes: service that is not lost, then activities and their audience."""
    lost = sum(missing * need.priority for need, missing in explainer.lacking())
    return -lost, worth(meeting for meeting in explainer.meetings if meeting.ref)


def settled(
    board: Board, fit: ActivityFit, previous: Plan | None, random: Random, settle_on: Callable[[int], bool]
) -> list[Meeting]:
    """Makes the board more comfortable around the activities that were fitted in; returns these before all who are free then."""
    if not settle_on(0) or not board.offers.wants or not wished(board.policy):
        return fit.meetings
    beside = Board(board.offers)  # activities are held on it for good
    rebuild(beside, snapshot(board, range(len(board.offers.wants))))
    settle = Settle(beside, fit.meetings, previous, random)
    tries = 0
    while settle_on(tries) and not settle.calm:
        settle.step()
        tries += 1
    rebuild(board, settle.best())
    weighted = board.weighted
    fill_up(board)
    if board.weighted > weighted:  # a lesson stands where an activity was: service comes first
        return place_activities(board, fit.standing)
    return widened(board, fit.standing, fit.meetings)
