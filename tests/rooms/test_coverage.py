"""Weekly hours: required − local − received and valid, exact over short weeks too."""

from fractions import Fraction

from rooms.coverage import Hours, cover, meets_all_hours, offers_everything, weeks_of


def test_a_gap_that_is_met_by_remote_lessons() -> None:
    line = cover(Hours("C", "music", 4, 0, 8), weeks_of(20))
    assert (line.required, line.received, line.missing) == (2, 2, 0)
    assert line.offered
    assert line.complete


def test_local_and_remote_add_up() -> None:
    line = cover(Hours("C", "art", 4, 1, 5), weeks_of(20))
    assert line.missing == Fraction(2) - Fraction(1, 2) - Fraction(5, 4)
    assert line.offered
    assert not line.complete


def test_a_subject_nobody_teaches_is_not_offered() -> None:
    line = cover(Hours("C", "english", 6, 0, 0), weeks_of(5))
    assert not line.offered
    assert line.missing == 3


def test_a_holiday_week_asks_for_less() -> None:
    assert cover(Hours("C", "music", 2, 0, 3), weeks_of(18)).missing == 1 - Fraction(15, 18)
    assert cover(Hours("C", "music", 2, 0, 3), weeks_of(15)).complete


def test_before_the_first_school_day_nothing_is_missing_yet() -> None:
    line = cover(Hours("C", "music", 4, 0, 0), weeks_of(0))
    assert line.complete
    assert not line.offered


def test_more_than_required_is_not_less_than_nothing() -> None:
    assert cover(Hours("C", "music", 2, 2, 9), weeks_of(5)).missing == 0


def test_a_class_offers_everything_and_meets_all_hours_line_by_line() -> None:
    full, short = cover(Hours("C", "music", 2, 2, 0), weeks_of(5)), cover(Hours("C", "art", 4, 2, 0), weeks_of(5))
    none = cover(Hours("C", "english", 2, 0, 0), weeks_of(5))
    assert offers_everything([full, short])
    assert not meets_all_hours([full, short])
    assert not offers_everything([full, none])
    assert meets_all_hours([full])
