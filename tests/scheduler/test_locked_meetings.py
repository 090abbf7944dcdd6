"""Locks: what is locked stands in every plan, what cannot stand is passed over, and only what was overridden is excused."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.bound import prove
from scheduler.check import check
from scheduler.locked_meetings import standing_locks, stands
from scheduler.outcome import Limits, Solved
from scheduler.problem import Lock, Meeting, Plan, Problem, RoomCode, Slot
from scheduler.solve import solve
from tests.scheduler.counties import counties
from tests.scheduler.legal import legal_plan
from tests.scheduler.small import county, meeting, plan

quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(problem: Problem, seed: int) -> Plan:
    outcome = solve(problem, Limits(seed=seed, deterministic=True, steps=5))
    assert isinstance(outcome, Solved)
    return outcome.plan


def some_of(meetings: tuple[Meeting, ...], seed: int) -> tuple[Lock, ...]:
    """Half of the delivery meetings, and half of the activities with all their meetings."""
    random = Random(seed)  # a seeded example
    refs = {ref for ref in sorted({found.ref for found in meetings if found.ref}) if random.random() < 0.5}
    return tuple(Lock(found) for found in meetings if (found.ref in refs if found.ref else random.random() < 0.5))


@quick
@given(counties, st.integers(0, 999))
def test_what_is_locked_stands_in_the_next_plan(problem: Problem, seed: int) -> None:
    first = legal_plan(problem)
    locked = replace(problem, locks=some_of(first.meetings, seed))
    assert standing_locks(locked) == locked.locks
    second = planned(locked, 2)
    assert check(locked, second) == []
    assert all(stands(lock, second.meetings) for lock in locked.locks)


def test_a_plan_without_a_locked_meeting_is_refused() -> None:
    held = meeting(code="M1")
    problem = county(locks=(Lock(held),))
    assert check(problem, plan(problem, held)) == []
    other = plan(problem, replace(held, slot=Slot(3, 480, 520)))
    assert [violation.code for violation in check(problem, other)] == ["rule_lock_missing"]


def test_a_locked_meeting_may_get_more_receivers_but_not_fewer() -> None:
    held = meeting(code="M1", classes=("W3b",))
    problem = county(locks=(Lock(held),))
    assert check(problem, plan(problem, replace(held, classes=(*held.classes, "W3a")))) == []
    assert check(problem, plan(problem, replace(held, classes=("W3a",))))


def test_locks_that_break_a_rule_are_passed_over_and_the_newest_goes_first() -> None:
    held = meeting(code="M1")
    clash = meeting(code="M2", classes=("V3",), lead_room=RoomCode("L2"))
    problem = county(locks=(Lock(clash, "automatic"), Lock(held)))
    assert [lock.meeting.code for lock in standing_locks(problem)] == ["M1"]
    assert check(problem, planned(problem, 1)) == []


def test_placed_anyway_excuses_that_meeting_from_that_rule_alone() -> None:
    """TL teaches row 1 on Monday in the first period; the meeting is not synchronous with it, W3a has no such grade limit."""
    clash = meeting(day=1, code="M1")
    over = Lock(clash, overrides=frozenset({"H3"}))
    assert check(county(), plan(county(), clash))
    problem = county(locks=(over,))
    assert check(problem, plan(problem, clash)) == []
    twice = plan(problem, clash, meeting(day=1, code="M2", start=485, end=525, classes=("V3",)))
    assert {violation.rule for violation in check(problem, twice)} == {"H3", "H5"}
    wrong = replace(problem, locks=(replace(over, overrides=frozenset({"H9"})),))
    assert [violation.rule for violation in check(wrong, plan(wrong, clash))] == ["H3"]


def test_the_planner_keeps_what_was_placed_anyway_and_its_bound_counts_it() -> None:
    """The whole week of TL is full, so nobody can be served but by the meeting that was placed anyway."""
    full = tuple(
        replace(county().lessons[0], row=1 + 3 * (day - 1) + place, slot=Slot(day, *period))  # type: ignore[arg-type]
        for day in range(1, 6)
        for place, period in enumerate(((480, 520), (530, 570), (600, 645)))
    )
    clash = meeting(day=2, code="M1")
    problem = county(lessons=full, policy=replace(county().policy, allow_synchronous=False))
    assert planned(problem, 1).served_halves == 0
    anyway = replace(problem, locks=(Lock(clash, overrides=frozenset({"H3"})),))
    made = planned(anyway, 1)
    assert (made.served_halves, check(anyway, made)) == (2, [])
    assert prove(anyway, lambda *_: None, lambda: True, seconds=5.0) == 10
