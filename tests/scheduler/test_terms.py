"""Weekly meetings become dated lessons: weeks, parity, holidays, make-up days, exams, time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.problem import ALL_WEEKS, EVEN, ODD, Slot
from scheduler.terms import SpecialDay, Term, dated, parity

# Autumn 2026: 1 September is a Tuesday; National Day 1–7 October; 20 September and 10 October are working weekend days.
AUTUMN = Term(
    date(2026, 9, 1),
    date(2027, 1, 22),
    {
        **{date(2026, 9, 25) + timedelta(n): SpecialDay("holiday") for n in range(3)},
        **{date(2026, 10, 1) + timedelta(n): SpecialDay("holiday") for n in range(7)},
        date(2026, 9, 20): SpecialDay("makeup", follows=4),
        date(2026, 10, 10): SpecialDay("makeup", follows=3),
        date(2026, 11, 12): SpecialDay("exam"),
        date(2026, 12, 1): SpecialDay("closed"),
    },
)


def days(slot: Slot, term: Term = AUTUMN) -> list[date]:
    return [lesson.day for lesson in dated(term, [("m", slot)])]


def test_week_one_holds_the_first_day_monday_first() -> None:
    assert AUTUMN.week(date(2026, 8, 31)) == 1
    assert AUTUMN.week(date(2026, 9, 6)) == 1
    assert AUTUMN.week(date(2026, 9, 7)) == 2
    assert AUTUMN.week(date(2026, 8, 30)) == 0
    assert AUTUMN.monday(2) == date(2026, 9, 7)


def test_a_term_that_begins_on_a_sunday_has_a_one_day_week() -> None:
    term = Term(date(2026, 3, 1), date(2026, 3, 31))
    assert term.week(date(2026, 3, 1)) == 1
    assert term.week(date(2026, 3, 2)) == 2
    assert days(Slot(1, 480, 520, ODD), term) == [date(2026, 3, 9), date(2026, 3, 23)]


def test_nothing_before_the_first_or_after_the_last_day() -> None:
    monday = days(Slot(1, 480, 520))
    assert monday[0] == date(2026, 9, 7)  # 31 August lies in week 1 but before the term
    assert monday[-1] == date(2027, 1, 18)


def test_holidays_and_closed_days_have_no_lessons() -> None:
    thursday, tuesday = days(Slot(4, 480, 520)), days(Slot(2, 480, 520))
    assert date(2026, 10, 1) not in thursday
    assert date(2026, 12, 1) not in tuesday
    assert date(2026, 11, 24) in tuesday


def test_a_makeup_day_follows_its_weekday_in_the_parity_of_its_own_week() -> None:
    assert AUTUMN.week(date(2026, 9, 20)) == 3  # a Sunday, at the end of week 3
    assert date(2026, 9, 20) in days(Slot(4, 480, 520))
    assert date(2026, 9, 20) in days(Slot(4, 480, 520, ODD))
    assert date(2026, 9, 20) not in days(Slot(4, 480, 520, EVEN))
    assert date(2026, 9, 20) not in days(Slot(7, 480, 520))  # it is no Sunday any more
    assert date(2026, 10, 10) in days(Slot(3, 480, 520, EVEN))


def test_exam_days_have_lessons_only_where_the_county_says_so() -> None:
    assert date(2026, 11, 12) not in days(Slot(4, 480, 520))
    lenient = Term(AUTUMN.first, AUTUMN.last, AUTUMN.special, lessons_on_exam_days=True)
    assert date(2026, 11, 12) in days(Slot(4, 480, 520), lenient)


def test_minutes_become_utc_instants() -> None:
    lesson = dated(AUTUMN, [("m", Slot(1, 8 * 60 + 40, 9 * 60 + 20))])[0]
    assert lesson.starts_at == datetime(2026, 9, 7, 0, 40, tzinfo=UTC)
    assert lesson.ends_at - lesson.starts_at == timedelta(minutes=40)
    early = dated(AUTUMN, [("m", Slot(1, 7 * 60, 8 * 60))])[0]
    assert early.starts_at.date() == date(2026, 9, 6)  # still Sunday in UTC
    assert early.day == date(2026, 9, 7)


def test_another_zone_is_another_instant() -> None:
    urumqi = Term(AUTUMN.first, AUTUMN.last, AUTUMN.special, ZoneInfo("Asia/Urumqi"))
    assert urumqi.instant(date(2026, 9, 7), 600) - AUTUMN.instant(date(2026, 9, 7), 600) == timedelta(hours=2)


def test_a_part_of_the_term_only() -> None:
    part = dated(AUTUMN, [("m", Slot(5, 480, 520))], first=date(2026, 9, 11), last=date(2026, 9, 18))
    assert [lesson.day for lesson in part] == [date(2026, 9, 11), date(2026, 9, 18)]


def test_school_days_count_makeup_days_and_no_weekends() -> None:
    september = AUTUMN.school_days(date(2026, 9, 14), date(2026, 9, 27))
    assert date(2026, 9, 20) in september
    assert date(2026, 9, 19) not in september
    assert date(2026, 9, 25) not in september
    assert len(september) == 5 + 1 + 4


def test_a_term_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError):
        Term(date(2026, 9, 2), date(2026, 9, 1))


@given(
    st.integers(1, 7),
    st.sampled_from([ODD, EVEN, ALL_WEEKS]),
    st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    st.integers(0, 200),
)
def test_odd_and_even_weeks_share_out_all_weeks(weekday: int, weeks: int, first: date, length: int) -> None:
    term = Term(first, first + timedelta(length))
    found = dated(term, [("m", Slot(weekday, 480, 520, weeks))])
    expected = [
        day
        for day in term.days()
        if day.isoweekday() == weekday and weeks & parity((day - term.monday(1)).days // 7 + 1)
    ]
    assert [lesson.day for lesson in found] == expected
    assert all(term.local_day(lesson.starts_at) == lesson.day for lesson in found)
