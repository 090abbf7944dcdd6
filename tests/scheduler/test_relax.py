"""Every reason is true: without exactly its facts the lesson has its place, and without fewer it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from scheduler.check import check
from scheduler.finish import finished, stages
from scheduler.offers import Offers
from scheduler.places import FURTHEST
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    Meeting,
    Need,
    Place,
    Plan,
    Problem,
    Slot,
    Unmet,
)
from scheduler.relax import Relaxed, fits, relaxed
from scheduler.search import Search
from scheduler.windows import Grid, breakpoints, windows_in
from tests.scheduler.counties import counties, random_county
from tests.scheduler.small import plan


def planned(problem: Problem) -> Plan:
    """A first plan, finished like any other."""
    offers = Offers(problem, Grid(problem))
    search = Search(offers, Random(5))  # a seeded example
    search.construct()
    return finished(stages(offers, search.best(), None, {}, bound=10**6, seconds=0.0, seed=5, status="feasible"))


def need_of(problem: Problem, unmet: Unmet) -> Need:
    return problem.need_by_key[unmet.school_class, unmet.subject]


def all_places(problem: Problem, meetings: Sequence[Meeting], need: Need, missing: int) -> Iterator[Place]:
    """Every place of a lesson in a county, whoever is busy: written down without `scheduler.places`."""
    weeks = (ALL_WEEKS,) if missing > 1 else (ODD, EVEN)
    edges = {day: set(minutes) for day, minutes in breakpoints(problem).items()}
    for meeting in meetings:
        edges.setdefault(meeting.slot.weekday, set()).update((meeting.slot.start, meeting.slot.end))
    for teacher in problem.teachers.values():
        if not problem.qualified(teacher.code, need.subject, need.school_class):
            continue
        for day, periods in problem.schools[teacher.school].periods.items():
            for period in periods:
                for start, end in {*windows_in(period, problem.policy, edges.get(day, ())), period}:
                    for which in weeks:
                        slot = Slot(day, start, end, which)
                        yield Place(teacher.code, teacher.school, slot)
                        for lesson in problem.lessons:
                            if lesson.teacher == teacher.code and lesson.slot.clashes(slot):
                                yield Place(teacher.code, teacher.school, slot, host_lesson=lesson.row)
        for meeting in meetings:
            mine = (meeting.lead_teacher, meeting.subject, meeting.family) == (teacher.code, need.subject, "delivery")
            if mine and meeting.slot.weeks in weeks and need.school_class not in meeting.classes:
                yield Place(teacher.code, teacher.school, meeting.slot, meeting.code)


def some_place(after: Relaxed, need: Need, missing: int) -> Place | None:
    places = all_places(after.problem, after.meetings, need, missing)
    return next((place for place in places if fits(after, need, place) is not None), None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(counties)
def test_a_lesson_has_its_place_without_exactly_the_facts_of_its_reason(problem: Problem) -> None:
    made = planned(problem)
    assert check(problem, made) == []
    for unmet in made.unmet:
        assert unmet.reason != "not_verified"
        if unmet.place is None:
            assert not unmet.reason.startswith("place_")
            continue
        assert 1 <= len(unmet.forbids) <= FURTHEST
        need = need_of(problem, unmet)
        after = relaxed(problem, made.meetings, unmet.forbids)
        meetings = fits(after, need, unmet.place)
        assert meetings is not None, unmet
        assert {v.code for v in check(after.problem, plan(after.problem, *meetings))} <= after.excused


@pytest.mark.parametrize("seed", range(14))
def test_no_fewer_facts_would_do(seed: int) -> None:
    """Brute force: with any proper subset taken away, no place in the county is open."""
    problem = random_county(seed + 400, leads=1, receivers=1)
    made = planned(problem)
    for unmet in made.unmet:
        need, missing = need_of(problem, unmet), min(2, unmet.missing_halves)
        for size in range(len(unmet.forbids)):
            for facts in combinations(unmet.forbids, size):
                found = some_place(relaxed(problem, made.meetings, facts), need, missing)
                assert found is None, (unmet, facts)
