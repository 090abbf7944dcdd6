"""A reason for every unmet lesson: the certificate that holds, and no other."""

from __future__ import annotations

from dataclasses import replace

from scheduler.bound import prove
from scheduler.diagnose import diagnose
from scheduler.outcome import Limits, Solved
from scheduler.problem import (
    ClassCode,
    Need,
    Pair,
    Policy,
    Problem,
    Room,
    Slot,
    StandingPairing,
    Subject,
    Unavailability,
)
from scheduler.solve import solve
from tests.scheduler.counties import random_county
from tests.scheduler.small import ART, LEAD, MUSIC, OTHER, county


def reasons(problem: Problem) -> dict[tuple[str, str], str]:
    outcome = solve(problem, Limits(deterministic=True, steps=30))
    assert isinstance(outcome, Solved)
    return {(unmet.school_class, unmet.subject): unmet.reason for unmet in outcome.plan.unmet}


def one_need(**changes: object) -> Problem:
    return county(needs=(Need(ClassCode("V3"), MUSIC, 4),), **changes)


def test_nothing_missing_needs_no_reason() -> None:
    assert reasons(one_need()) == {}


def test_nobody_is_qualified() -> None:
    problem = county(needs=(Need(ClassCode("V3"), Subject("science"), 2),))
    assert reasons(problem) == {("V3", "science"): "no_teacher"}


def test_no_room_can_lead() -> None:
    rooms = {code: Room(code, room.school, False, None) for code, room in county().rooms.items()}
    assert reasons(one_need(rooms=rooms)) == {("V3", "music"): "no_lead_room"}


def test_the_class_is_never_free() -> None:
    gone = tuple(Unavailability("class", "V3", Slot(day, 0, 1439)) for day in range(1, 6))
    assert reasons(one_need(unavailabilities=gone)) == {("V3", "music"): "class_never_free"}


def test_teacher_and_class_have_no_window_in_common() -> None:
    away = [Unavailability("teacher", "TL", Slot(day, 0, 1439)) for day in (1, 2, 3)]
    busy = [Unavailability("class", "V3", Slot(day, 0, 1439)) for day in (4, 5)]
    assert reasons(one_need(unavailabilities=(*away, *busy))) == {("V3", "music"): "no_common_window"}


def test_one_teacher_cannot_give_so_many() -> None:
    gone = tuple(Unavailability("class", "V3", Slot(day, 0, 1439)) for day in (1, 2, 3, 4))
    assert reasons(one_need(unavailabilities=gone)) == {("V3", "music"): "teacher_too_few"}


def test_a_school_that_asks_for_more_than_its_room_holds() -> None:
    policy = replace(Policy(), max_receivers=1, one_lesson_per_day=False)
    gone = tuple(Unavailability("room", "W1", Slot(day, 0, 1439)) for day in (1, 2, 3, 4))
    needs = tuple(Need(ClassCode(code), MUSIC, 4) for code in ("W3a", "W4"))
    teachers = {code: replace(teacher, week_limit=9, day_limit=9) for code, teacher in county().teachers.items()}
    found = reasons(county(policy=policy, unavailabilities=gone, needs=needs, teachers=teachers))
    assert set(found.values()) == {"school_full"}


def test_partners_are_used_up() -> None:
    policy = replace(Policy(), max_partners_per_lead=1)
    needs = (Need(ClassCode("W4"), MUSIC, 4, 9), Need(ClassCode("V3"), MUSIC, 4, 1))
    assert reasons(county(policy=policy, needs=needs)) == {("V3", "music"): "place_partners_lead"}


def test_hopeless_needs_are_named_before_the_run() -> None:
    problem = county(needs=(Need(ClassCode("V3"), Subject("science"), 2), Need(ClassCode("W4"), MUSIC, 2)))
    assert [(finding.code, finding.facts["school_class"]) for finding in diagnose(problem)] == [("no_teacher", "V3")]


def test_a_point_whose_only_teacher_is_always_busy_has_nobody_to_assist() -> None:
    busy = tuple(Unavailability("teacher", "TV", Slot(day, 0, 1439)) for day in range(1, 6))
    problem = one_need(unavailabilities=busy, policy=replace(Policy(), require_assistant=True))
    assert reasons(problem) == {("V3", "music"): "assistants_never_free"}


def test_a_class_that_asks_for_more_than_its_free_windows_is_named_before_the_run() -> None:
    gone = tuple(Unavailability("class", "V3", Slot(day, 0, 1439)) for day in (1, 2, 3, 4))
    needs = (Need(ClassCode("V3"), MUSIC, 2), Need(ClassCode("V3"), ART, 2))
    assert diagnose(county(needs=needs, unavailabilities=gone)) == []
    most = (*gone, Unavailability("class", "V3", Slot(5, 525, 1439)))
    found = diagnose(county(needs=needs, unavailabilities=most))
    assert [(finding.code, finding.facts) for finding in found] == [
        ("class_too_few", {"school_class": "V3", "asked": 2.0, "most": 1.0})
    ]


def test_contradictions_are_found_before_the_run() -> None:
    locked = tuple(StandingPairing(Pair(LEAD, school), frozenset({MUSIC}), True) for school in (OTHER, LEAD))
    problem = county(pairings=locked, policy=replace(Policy(), max_partners_per_lead=1, max_receivers=0))
    assert {finding.code for finding in diagnose(problem)} == {
        "locked_own_school",
        "locked_too_many_lead",
        "no_receivers_allowed",
    }
    assert reasons(problem)


def test_the_bound_never_rises() -> None:
    told: list[int] = []
    bound = prove(random_county(3, 3, 6), lambda value, _: told.append(value), lambda: True, seconds=5.0)
    assert told == sorted(told, reverse=True)
    assert told[-1] == bound
