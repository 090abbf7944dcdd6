"""Repair: a legal plan, as few moves as any plan could have, service not thrown away, and every change with its reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.words import LANGUAGES, say
from scheduler.bound import prove
from scheduler.check import check
from scheduler.locked_meetings import rule_violations, sketch, standing_locks
from scheduler.problem import Lock, Need, Plan, Problem, RoomCode, Slot, TeacherCode, Unavailability
from scheduler.repair import Repaired
from scheduler.repair.hits import ADDED_LATER
from scheduler.repair.mend import repair
from scheduler.rules import Case
from tests.scheduler.counties import counties
from tests.scheduler.legal import legal_plan
from tests.scheduler.small import ART, MUSIC, county, meeting, plan

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 9999)


def gone(resource: str, code: str, days: range = range(1, 8)) -> tuple[Unavailability, ...]:
    return tuple(Unavailability(resource, code, Slot(day, 0, 24 * 60)) for day in days)  # type: ignore[arg-type]


def changed(problem: Problem, made: Plan, seed: int) -> Problem:
    """Something happens in the county: an illness, a closed room or school, a tighter limit, a need, a lock."""
    random = Random(seed)  # a seeded example
    teachers = sorted({found.lead_teacher for found in made.meetings}) or sorted(problem.teachers)
    days = random.choice((range(1, 8), range(1, 3)))
    kind = seed % 8
    policy = problem.policy
    if kind == 0:
        return replace(
            problem, unavailabilities=problem.unavailabilities + gone("teacher", random.choice(teachers), days)
        )
    if kind == 1:
        rooms = sorted({found.lead_room for found in made.meetings}) or sorted(problem.rooms)
        return replace(problem, unavailabilities=problem.unavailabilities + gone("room", random.choice(rooms), days))
    if kind == 2:
        school = random.choice(sorted(problem.schools))
        return replace(problem, unavailabilities=problem.unavailabilities + gone("school", school, days))
    if kind == 3:
        return replace(problem, policy=replace(policy, max_partners_per_lead=1, max_partners_per_receiver=1))
    if kind == 4:
        return replace(problem, policy=replace(policy, max_receivers=1, require_assistant=True))
    if kind == 5 and problem.needs:
        needs = list(problem.needs)
        random.shuffle(needs)
        return replace(problem, needs=tuple(needs[1:]))
    if kind == 6:
        few = {code: replace(teacher, week_limit=1) for code, teacher in problem.teachers.items()}
        return replace(problem, teachers=few)
    groups = sorted(problem.classes)
    needed = {(need.school_class, need.subject) for need in problem.needs}
    fresh = [Need(code, subject, 2) for code in groups for subject in (MUSIC, ART) if (code, subject) not in needed]
    return replace(problem, needs=(*problem.needs, *fresh[:1]))


def legal_without(problem: Problem, made: Plan, moved: frozenset[str]) -> bool:
    left = tuple(found for found in made.meetings if found.code not in moved)
    found = rule_violations(Case(problem, sketch(problem, left)))
    return not any(violation.code not in ADDED_LATER for violation in found)


@quick
@given(counties, seeds)
def test_a_repair_is_legal_and_no_plan_moves_fewer(problem: Problem, seed: int) -> None:
    made = legal_plan(problem)
    after = changed(problem, made, seed)
    mended = repair(after, made, before=problem)
    assert check(after, mended.plan) == []
    assert mended.moved >= mended.forced
    assert mended.proved == (mended.moved == mended.forced)
    codes = [found.code for found in made.meetings]
    for size in range(min(mended.forced, 3)):
        assert not any(legal_without(after, made, frozenset(some)) for some in combinations(codes, size))
    for change in mended.changes:
        for language in LANGUAGES:
            assert say(language, f"plan.{change.reason}", **change.facts)


@quick
@given(counties, seeds)
def test_more_moves_never_serve_less_and_are_counted(problem: Problem, seed: int) -> None:
    made = legal_plan(problem)
    after = changed(problem, made, seed)
    few, more = repair(after, made), repair(after, made, more_moves=2)
    assert check(after, more.plan) == []
    assert more.plan.served_weighted >= few.plan.served_weighted
    assert delivery_moves(more) <= delivery_moves(few) + 2


def delivery_moves(mended: Repaired) -> int:
    standing = [change.before for change in mended.changes if change.kind not in ("joined", "new")]
    return sum(found is not None and found.family == "delivery" for found in standing)


@quick
@given(counties)
def test_nothing_happened_and_nothing_moves(problem: Problem) -> None:
    made = legal_plan(problem)
    mended = repair(problem, made, before=problem)
    assert (mended.moved, mended.forced, mended.proved) == (0, 0, True)
    assert mended.plan.served_weighted >= made.served_weighted
    assert mended.plan.bound_weighted == made.bound_weighted


@quick
@given(counties, seeds)
def test_the_bound_that_is_carried_over_still_holds(problem: Problem, seed: int) -> None:
    made = legal_plan(problem)
    after = changed(problem, made, seed)
    proved = prove(problem, lambda *_: None, lambda: True, seconds=10.0)
    mended = repair(after, replace(made, bound_weighted=proved), before=problem)
    whole = legal_plan(after)
    assert mended.plan.bound_weighted >= max(whole.served_weighted, mended.plan.served_weighted)


def test_a_colleague_takes_over_in_the_same_window() -> None:
    """TA learns music: when TL is away for good, the meeting stays where it was."""
    small = county()
    able = replace(small.teachers[TeacherCode("TA")], subjects={ART: frozenset({3}), MUSIC: frozenset({3})})
    small = replace(small, teachers={**small.teachers, TeacherCode("TA"): able})
    made = plan(small, meeting(code="M1"), meeting(day=4, code="M2"))
    after = replace(small, unavailabilities=gone("teacher", "TL"))
    mended = repair(after, made)
    assert (mended.forced, mended.moved, mended.proved) == (2, 2, True)
    before = [change for change in mended.changes if change.before is not None]
    assert [(change.kind, change.reason) for change in before] == [("moved", "rule_h3_teacher")] * 2
    slots = {change.after.slot for change in before if change.after is not None}
    assert slots == {found.slot for found in made.meetings}


def test_a_closed_room_moves_only_the_room() -> None:
    small = county()
    made = plan(small, meeting(code="M1"))
    mended = repair(replace(small, unavailabilities=gone("room", "L1")), made)
    change = next(change for change in mended.changes if change.before is not None)
    assert (change.kind, change.after and change.after.lead_room) == ("room", RoomCode("L2"))


def test_a_lock_that_is_added_moves_what_is_in_its_way() -> None:
    small = county()
    made = plan(small, meeting(code="M1", classes=("V3",)))
    lock = Lock(meeting(code="K1", classes=("W4",)))
    after = replace(small, locks=(lock,))
    mended = repair(after, made)
    assert standing_locks(after) == (lock,)
    assert check(after, mended.plan) == []
    assert (mended.forced, mended.moved, mended.proved) == (1, 1, True)


def test_one_more_move_wins_a_lesson() -> None:
    """TL has one period left a day; V3 sits in the only window that W3a could use."""
    windows = ((480, 520), (530, 570), (600, 645))
    busy = tuple(
        Unavailability("teacher", "TL", Slot(day, *window))
        for day in range(1, 6)
        for window in windows
        if (day, window) not in ((2, windows[0]), (3, windows[0]))
    )
    class_busy = tuple(Unavailability("class", "W3a", Slot(3, *window)) for window in windows)
    needs = tuple(Need(code, MUSIC, 2) for code in ("W3a", "V3"))  # type: ignore[arg-type]
    policy = replace(county().policy, allow_synchronous=False)
    small = county(needs=needs, unavailabilities=busy + class_busy, policy=policy)
    made = plan(small, meeting(code="M1", classes=("V3",)))
    assert repair(small, made).plan.served_halves == 2
    more = repair(small, made, more_moves=1)
    assert (more.plan.served_halves, more.moved) == (4, 1)
    assert [change.reason for change in more.changes if change.kind == "moved"] == ["repair_for_others"]
