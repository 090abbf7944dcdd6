"""R2: at least four valid remote lessons a term, once per school and lesson; its points and its forecast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.quota import LessonFact, counted, forecast, points


def lesson(name: str, lead: str = "A", *receivers: str, valid: bool = True) -> LessonFact:
    return LessonFact(name, lead, valid, frozenset(receivers))


@pytest.mark.parametrize(
    ("count", "score"), [(0, 0), (3, 0), (4, 100), (5, 105), (6, 110), (7, 115), (8, 120), (9, 120), (40, 120)]
)
def test_the_table_of_points(count: int, score: int) -> None:
    assert points(count) == score


@pytest.mark.parametrize(("count", "score"), [(1999, 0), (2000, 100), (2001, 101), (2400, 104), (4000, 120)])
def test_the_same_formula_at_another_target(count: int, score: int) -> None:
    assert points(count, 2000) == score


def test_a_lesson_counts_once_for_each_school() -> None:
    found = counted([lesson("1", "A", "B", "C"), lesson("2", "A", "B")])
    assert found == {"A": {"1", "2"}, "B": {"1", "2"}, "C": {"1"}}


def test_a_lead_without_a_valid_receiver_of_another_school_counts_nothing() -> None:
    assert counted([lesson("1", "A"), lesson("2", "A", "A")]) == {"A": {"2"}}
    assert counted([lesson("1", "A")]) == {}


def test_an_invalid_lead_does_not_take_the_receivers_lesson() -> None:
    assert counted([lesson("1", "A", "B", valid=False)]) == {"B": {"1"}}


def test_a_teaching_point_is_credited_to_its_central_school_once() -> None:
    found = counted([lesson("1", "A", "P", "Q", "B")], {"P": "B", "Q": "B"})
    assert found == {"A": {"1"}, "P": {"1"}, "Q": {"1"}, "B": {"1"}}


@pytest.mark.parametrize(
    ("count", "left", "over", "needed", "outlook"),
    [
        (4, 0, False, 0, "met"),
        (3, 1, False, 1, "on_course"),
        (3, 0, False, 1, "at_risk"),
        (0, 3, False, 4, "at_risk"),
        (3, 0, True, 1, "missed"),
        (9, 0, True, 0, "met"),
    ],
)
def test_the_forecast(count: int, left: int, over: bool, needed: int, outlook: str) -> None:
    found = forecast(count, left, 16, over=over)
    assert (found.needed, found.by_week, found.outlook) == (needed, 16, outlook)


schools = st.sampled_from("ABCD")
facts = st.builds(LessonFact, st.sampled_from("1234567"), schools, st.booleans(), st.frozensets(schools))


@given(st.lists(facts, max_size=12), st.randoms())
def test_order_and_repetition_change_nothing(lessons: list[LessonFact], shuffle: object) -> None:
    mixed = lessons + lessons[::2]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert counted(mixed) == counted(lessons)
