"""The last wish: more comfortable, never at the cost of service or of an activity."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.activities import worth
from scheduler.assemble import delivery_meetings, numbered
from scheduler.board import Board
from scheduler.check import check
from scheduler.finish import finished, stages
from scheduler.fit import ActivityFit
from scheduler.improve import rebuild
from scheduler.offers import Offers
from scheduler.problem import Plan, Policy, Problem
from scheduler.search import Search
from scheduler.settle import Settle
from scheduler.windows import Grid
from scheduler.wishes import cost_of, wishes_of
from tests.scheduler.counties import counties

weights = st.fixed_dictionaries({name: st.integers(0, 9) for name in Policy.__slots__ if name.startswith("wish_")})


def searched(problem: Problem, seed: int) -> Search:
    """A search that has tried a little, with no plan to begin from."""
    search = Search(Offers(problem, Grid(problem)), Random(seed))
    search.construct()
    for _ in range(20):
        search.step(0.0)
    return search


def planned(search: Search, previous: Plan | None, tries: int) -> Plan:
    """The search's best state as a plan that has settled for so many tries."""
    state, settle_on = search.best(), lambda tried: tried < tries
    return finished(
        stages(
            search.offers,
            state,
            previous,
            {},
            bound=1 << 30,
            seconds=0.0,
            seed=1,
            status="feasible",
            settle_on=settle_on,
        )
    )


def rank(plan: Plan) -> tuple[int, tuple[int, int]]:
    """The first and the second wish."""
    return plan.served_weighted, worth(meeting for meeting in plan.meetings if meeting.ref)


@given(counties, weights, st.integers(0, 1 << 20), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_plan_that_settles_is_legal_and_no_worse_in_any_wish(
    problem: Problem, policy: dict[str, int], seed: int, again: bool
) -> None:
    problem = replace(problem, policy=replace(problem.policy, **policy))
    previous = planned(searched(problem, seed + 1), None, 0) if again else None
    search = searched(problem, seed)
    before, after = planned(search, previous, 0), planned(search, previous, 150)
    assert check(problem, after) == []
    assert rank(after) >= rank(before)
    if rank(after) == rank(before):
        assert cost_of(wishes_of(problem, after, previous)) <= cost_of(wishes_of(problem, before, previous))


@given(counties, weights, st.integers(0, 1 << 20))
@settings(max_examples=25, deadline=None)
def test_the_cost_on_the_board_moves_as_that_of_the_plan(problem: Problem, policy: dict[str, int], seed: int) -> None:
    problem = replace(problem, policy=replace(problem.policy, **policy))
    previous = planned(searched(problem, seed + 1), None, 0)
    board = Board(Offers(problem, Grid(problem)))
    rebuild(board, searched(problem, seed).best())
    activities = ActivityFit(board, Random(seed)).meetings
    settle = Settle(board, activities, previous, Random(seed))

    def true_cost() -> int:
        meetings = (*numbered(delivery_meetings(board), None), *activities)
        plan = replace(previous, meetings=tuple(meetings))
        return cost_of(wishes_of(problem, plan, previous))

    apart = true_cost() - settle.comfort.cost
    for _ in range(30):
        settle.step()
        assert true_cost() - settle.comfort.cost == apart
