"""开齐 and 开足 of a county: what is required, taught at home, taught from afar and missing, by subject and by school."""

from __future__ import annotations

from datetime import date
from typing import Any

from rooms.county import County, CurriculumHours, LocalLesson, Need, School, SchoolClass
from rooms.planning.supply import received_of, supply_of
from scheduler.problem import ODD, ClassCode, Meeting, RoomCode, Slot, Subject, TeacherCode


def county(**parts: Any) -> County:
    """Two schools: one leads, one receives with a class of grade 3 that has one of two music lessons and no art."""
    values: dict[str, Any] = {
        "schools": (
            School("lead", "主讲小学", "strong", "lead", "b"),
            School("point", "教学点", "teaching_point", "receive", "b"),
        ),
        "classes": (
            SchoolClass("L3", "lead", frozenset({3}), 40),
            SchoolClass("P3", "point", frozenset({3}), 9),
        ),
        "lessons": (LocalLesson(1, "point", ("P3",), "music", 1, "1"),),
        "curriculum": (CurriculumHours("p", "art", 3, 4), CurriculumHours("p", "music", 3, 4)),
    }
    return County("c", "县", date(2026, 9, 1), date(2027, 1, 20), **(values | parts))


def meeting(subject: str, weeks: int = 3, family: Any = "delivery") -> Meeting:
    return Meeting(
        f"D-{subject}",
        family,
        Subject(subject),
        TeacherCode("t"),
        RoomCode("r"),
        Slot(2, 500, 540, weeks),
        (ClassCode("P3"),),
    )


def test_only_classes_of_receiving_schools_count() -> None:
    whole = supply_of(county(), {}).whole
    assert (whole.required, whole.local, whole.received, whole.missing) == (8, 2, 0, 6)
    assert (whole.unoffered, whole.short, whole.pairs) == (1, 2, 2)


def test_what_is_taught_from_afar_fills_the_gap() -> None:
    found = supply_of(county(), received_of([meeting("music"), meeting("art", ODD)]))
    subjects = {row.key: row for row in found.subjects}
    assert (subjects["music"].received, subjects["music"].missing) == (2, 0)
    assert (subjects["art"].received, subjects["art"].missing, subjects["art"].unoffered) == (1, 3, 0)
    assert found.schools["point"].missing == 3
    assert "lead" not in found.schools
    assert found.subjects[0].key == "art", "where most is missing comes first"


def test_communities_teach_no_class() -> None:
    assert received_of([meeting("music", family="master")]) == {}


def test_needs_that_are_given_stand_in_the_curriculum_s_place() -> None:
    found = supply_of(county(needs=(Need("P3", "music", 2),)), {("P3", "music"): 2})
    assert (found.whole.required, found.whole.local, found.whole.received, found.whole.missing) == (4, 2, 2, 0)
    assert found.whole.pairs == 1


def test_more_than_is_required_is_not_counted_twice() -> None:
    found = supply_of(county(), {("P3", "music"): 8})
    assert found.subjects[-1].key == "music"
    assert found.subjects[-1].received == 2
