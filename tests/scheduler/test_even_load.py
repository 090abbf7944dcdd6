"""W1: lead teachers share the work."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import ODD, Problem, RoomCode, Teacher, TeacherCode
from scheduler.wishes.load import EvenLoad, fair_share
from tests.scheduler.small import ART, LEAD, MUSIC, county, meeting, wished


def with_colleague() -> Problem:
    """A second music teacher (TM) at the lead school."""
    plain = county()
    grades = frozenset(range(1, 7))
    return replace(
        plain, teachers={**plain.teachers, TeacherCode("TM"): Teacher(TeacherCode("TM"), LEAD, {MUSIC: grades}, 4, 2)}
    )


def test_nothing_is_even() -> None:
    assert wished(EvenLoad, county()) == []


def test_the_only_teacher_of_a_subject_leads_a_fair_share() -> None:
    assert wished(EvenLoad, county(), meeting(2), meeting(3), meeting(4)) == []


def test_a_share_is_a_whole_number_of_meetings() -> None:
    assert [fair_share(halves, 2) for halves in (0, 1, 4, 5, 8)] == [0, 2, 2, 4, 4]
    assert wished(EvenLoad, with_colleague(), meeting(2)) == []
    shared = meeting(3, lead_teacher=TeacherCode("TM"), lead_room=RoomCode("L2"), classes=["V3"])
    assert wished(EvenLoad, with_colleague(), meeting(2), shared) == []


def test_what_one_leads_beyond_it_counts_in_halves() -> None:
    (cause,) = wished(EvenLoad, with_colleague(), meeting(2), meeting(4), meeting(5, classes=["W4"], weeks=ODD))
    assert (cause.count, cause.facts) == (1, {"teacher": "TL", "load": 2.5, "share": 2.0})
    assert len(cause.meetings) == 3


def test_a_second_subject_gives_no_second_share() -> None:
    plain = with_colleague()
    both = replace(plain.teachers[TeacherCode("TA")], subjects={ART: frozenset({3}), MUSIC: frozenset({3})})
    problem = replace(plain, teachers={**plain.teachers, both.code: both})
    art = [meeting(day, subject=ART, lead_teacher=both.code, code=f"A{day}") for day in (1, 3)]
    music = meeting(5, lead_teacher=both.code)
    (cause,) = wished(EvenLoad, problem, *art, music)
    assert (cause.count, cause.facts["teacher"]) == (2, "TA")  # three meetings; the busiest subject's share is two
