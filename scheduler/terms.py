"""From a week's meetings to dated lessons: term weeks, odd and even, holidays, make-up days, exam weeks.

Pure: the calendar comes in, dated lessons go out. The county's clock becomes UTC here and nowhere else. Week 1 contains the
term's first day and begins on its Monday; the parity of a make-up day is that of the week of its own date (docs/RULES.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from scheduler.problem import EVEN, ODD, Minute, Slot

DayKind = Literal["holiday", "makeup", "exam", "closed"]
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A row of ``calendar.csv``. `follows` is the weekday (1–7) a make-up day is taught as, else None."""

    kind: DayKind
    follows: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Term:
    """A term from its first to its last day, both included, with the days that differ."""

    first: date
    last: date
    special: Mapping[date, SpecialDay] = field(default_factory=dict)
    zone: ZoneInfo = SHANGHAI
    lessons_on_exam_days: bool = False
    """Whether remote lessons are held on exam days; closed days and holidays never have any."""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("the term ends before it begins")

    def week(self, day: date) -> int:
        """The term week of a date: 1 is the week (Monday first) of the term's first day; 0 and less lie before it."""
        return (_monday(day) - _monday(self.first)).days // 7 + 1

    def monday(self, week: int) -> date:
        """The Monday of a term week."""
        return _monday(self.first) + timedelta(weeks=week - 1)

    @property
    def weeks(self) -> int:
        """How many term weeks there are."""
        return self.week(self.last)

    def taught_as(self, day: date) -> int | None:
        """The weekday (1–7) whose timetable holds on a date; None where no remote lesson is held."""
        if not self.first <= day <= self.last:
            return None
        special = self.special.get(day)
        if special is None:
            return day.isoweekday()
        match special.kind:
            case "makeup":
                return special.follows
            case "exam":
                return day.isoweekday() if self.lessons_on_exam_days else None
            case "holiday" | "closed":
                return None

    def days(self, first: date | None = None, last: date | None = None) -> Iterator[date]:
        """The dates of the term, or of a part of it, both ends included."""
        day = max(self.first, first or self.first)
        end = min(self.last, last or self.last)
        while day <= end:
            yield day
            day += timedelta(days=1)

    def school_days(self, first: date | None = None, last: date | None = None) -> list[date]:
        """The dates on which a Monday-to-Friday timetable is taught."""
        return [day for day in self.days(first, last) if (self.taught_as(day) or 7) <= 5]

    def instant(self, day: date, minute: Minute) -> datetime:
        """The UTC instant of a minute since local midnight."""
        local = datetime.combine(day, time(), tzinfo=self.zone) + timedelta(minutes=minute)
        return local.astimezone(UTC)

    def local_day(self, instant: datetime) -> date:
        """The county's date at an instant."""
        return instant.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class DatedLesson:
    """A meeting on a date. `starts_at` and `ends_at` are UTC, `key` is whatever the caller named the meeting."""

    key: str
    day: date
    week: int
    starts_at: datetime
    ends_at: datetime


def parity(week: int) -> int:
    """`ODD` or `EVEN` of a term week."""
    return ODD if week % 2 else EVEN


def dated(
    term: Term, meetings: Iterable[tuple[str, Slot]], *, first: date | None = None, last: date | None = None
) -> list[DatedLesson]:
    """Every lesson the weekly meetings amount to, in order of time, within the term or the given part of it."""
    by_weekday: dict[int, list[tuple[str, Slot]]] = {}
    for key, slot in meetings:
        by_weekday.setdefault(slot.weekday, []).append((key, slot))
    found: list[DatedLesson] = []
    for day in term.days(first, last):
        weekday, week = term.taught_as(day), term.week(day)
        for key, slot in by_weekday.get(weekday, ()) if weekday else ():
            if slot.weeks & parity(week):
                found.append(DatedLesson(key, day, week, term.instant(day, slot.start), term.instant(day, slot.end)))
    return sorted(found, key=lambda lesson: (lesson.starts_at, lesson.key))


def _monday(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)
