"""A circumstance of a day or a week, lesson by lesson: who could stand in, when it could be made up for, or that it falls out. Pure.

The order is that of a school office: a qualified colleague of the same school who is free; else a later hour of the week, or of
the next one, that suits everybody; else the lesson falls out with its reason. The weekly plan is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from rooms.planning.circumstances import Circumstance, windows
from rooms.planning.diary import Booking, Diary, booking_of, closed_on
from rooms.planning.occurrences import OccurrenceView, SideView
from scheduler.problem import ClassCode, Minute, SchoolCode, Slot, Subject, TeacherCode
from scheduler.windows import Window, periods_touched, shortest, windows_in

Action = Literal["teacher", "room", "later", "excuse", "cancel", "keep"]
CANCEL_REASON = {"teacher_away": "teacher_leave", "room_closed": "room_closed", "school_closed": "school_closed"}
"""Kind of circumstance → the reason of a lesson that falls out, or of a side that is excused."""

NEXT_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Option:
    """One way to deal with a lesson: another teacher or room at the same time, a later hour, or that it (or a side) falls out."""

    action: Action
    teacher: str
    room: str
    day: date
    start: Minute
    end: Minute

    @property
    def key(self) -> str:
        """What a form sends: equal for equal options."""
        return f"{self.action} {self.teacher} {self.room} {self.day.isoformat()} {self.start} {self.end}"


@dataclass(frozen=True, slots=True)
class Affected:
    """A lesson that a circumstance hits. `sides` are the ids of those who cannot attend; empty where the lead cannot teach."""

    lesson: OccurrenceView
    sides: tuple[str, ...]
    nobody: bool
    """Whether nobody is left who could attend."""
    begun: bool
    """It has begun or is over: nothing can be done for it here."""


def affected(diary: Diary, what: Circumstance, lessons: Sequence[OccurrenceView], now: datetime) -> list[Affected]:
    """The dated lessons that a circumstance hits, in order of time; what was cancelled or excused before is left out."""
    found = []
    for lesson in lessons:
        if lesson.state == "cancelled" or not _meets(diary, what, lesson):
            continue
        attend = lesson.attending
        hit = tuple(side.id for side in attend if _names(what, side))
        begun = lesson.state not in ("planned", "ready") or lesson.opened_at is not None or lesson.starts_at <= now
        if _names(what, lesson.lead):
            found.append(Affected(lesson, (), False, begun))
        elif hit:
            found.append(Affected(lesson, hit, len(hit) == len(attend), begun))
    return found


def _meets(diary: Diary, what: Circumstance, lesson: OccurrenceView) -> bool:
    if not closed_on(what, lesson.day, diary.term):
        return False
    weekday = diary.term.taught_as(lesson.day) or lesson.day.isoweekday()
    return any(start < lesson.end and lesson.start < end for start, end in windows(diary.county, what, weekday))


def _names(what: Circumstance, side: SideView) -> bool:
    match what.kind:
        case "teacher_away":
            return side.teacher_code == what.code
        case "room_closed":
            return side.room_code == what.code
        case _:
            return side.school_code == what.code


def options(diary: Diary, what: Circumstance, hit: Affected, now: datetime) -> list[Option]:
    """Every way to deal with a lesson, the best first; the last is always to leave it as it is."""
    lesson = hit.lesson
    as_it_is = _option("keep", lesson)
    if hit.begun:
        return [as_it_is]
    if lesson.receivers and not lesson.attending:  # nobody is left for whom it could be held instead
        return [_option("cancel", lesson), as_it_is]
    found: list[Option] = []
    if hit.sides and not hit.nobody:
        found.append(_option("excuse", lesson))
    elif what.kind == "teacher_away" and not hit.sides:
        found += [replace(as_it_is, action="teacher", teacher=code) for code in _stand_ins(diary, lesson)]
    elif what.kind == "room_closed" and not hit.sides:
        found += [replace(as_it_is, action="room", room=code) for code in _other_rooms(diary, lesson)]
    found += _later(diary, lesson, now)
    found.append(_option("cancel", lesson))
    if hit.nobody:
        found.append(_option("excuse", lesson))
    return [*found, as_it_is]


def _option(action: Action, lesson: OccurrenceView) -> Option:
    lead = lesson.lead
    return Option(action, lead.teacher_code or "", lead.room_code or "", lesson.day, lesson.start, lesson.end)


def booked(hit: Affected, option: Option) -> Booking:
    """The lesson as it would be held instead."""
    old = booking_of(hit.lesson)
    others = old.rooms - {hit.lesson.lead.room_code or ""}
    rooms = others | ({option.room} if option.room else frozenset())
    return replace(
        old, occurrence=f"instead of {old.occurrence}", day=option.day, start=option.start, end=option.end,
        leads=option.teacher, rooms=rooms,
    )  # fmt: skip


def settle(diary: Diary, hit: Affected, option: Option) -> None:
    """Enters a decision in the diary, so that the next lesson's options know of it."""
    lesson = hit.lesson
    if option.action in ("teacher", "room", "later", "cancel"):
        diary.drop(lesson.day, lesson.id)
    if option.action in ("teacher", "room", "later"):
        diary.add(booked(hit, option))
    if option.action == "excuse":
        gone = [side for side in lesson.sides if side.id in hit.sides]
        old = booking_of(lesson)
        left = replace(
            old,
            classes=old.classes - {side.class_code for side in gone},
            attend=old.attend - {side.teacher_code for side in gone},
        )
        diary.add(left)


def _stand_ins(diary: Diary, lesson: OccurrenceView) -> list[str]:
    """Qualified teachers of the same school who are free then and below their limits; the least burdened week first."""
    found = [
        code
        for code in _colleagues(diary, lesson)
        if diary.holding(("teacher", code), lesson.day, lesson.start, lesson.end) is None
        and diary.within_limits(code, lesson.day)
    ]
    monday = lesson.day - timedelta(days=lesson.day.isoweekday() - 1)
    return sorted(found, key=lambda code: (diary.remote(code, monday, monday + timedelta(days=6)), code))


def _colleagues(diary: Diary, lesson: OccurrenceView) -> list[str]:
    """H1: the other teachers of the lead school who may teach this subject to every class. A community's host is not replaced."""
    problem, lead = diary.problem, lesson.lead
    classes = [side.class_code for side in lesson.receivers if side.class_code]
    if lesson.family == "master" or not classes or any(code not in problem.classes for code in classes):
        return []
    return [
        code
        for code, teacher in problem.teachers.items()
        if teacher.school == lead.school_code
        and code != lead.teacher_code
        and all(problem.qualified(code, Subject(lesson.subject), ClassCode(each)) for each in classes)
    ]


def _rooms(diary: Diary, lesson: OccurrenceView) -> list[str]:
    """H2 and H7: lead rooms of the school that hold all receivers, the lesson's own first."""
    classes = sum(side.class_code is not None for side in lesson.receivers)
    most = diary.problem.policy.max_receivers
    fit = [
        code
        for code, room in diary.problem.rooms.items()
        if room.school == lesson.lead.school_code
        and room.can_lead
        and (lesson.family != "delivery" or classes <= min(most, room.max_receivers or most))
    ]
    return sorted(fit, key=lambda code: (code != lesson.lead.room_code, code))


def _other_rooms(diary: Diary, lesson: OccurrenceView) -> list[str]:
    return [
        code
        for code in _rooms(diary, lesson)
        if code != lesson.lead.room_code and diary.holding(("room", code), lesson.day, lesson.start, lesson.end) is None
    ]


def _later(diary: Diary, lesson: OccurrenceView, now: datetime) -> list[Option]:
    """Later hours that suit everybody, of the same week or, where it has none, of the next one."""
    sunday = lesson.day + timedelta(days=7 - lesson.day.isoweekday())
    same_week = list(_hours_until(diary, lesson, lesson.day, sunday, now))
    return same_week or list(_hours_until(diary, lesson, sunday + timedelta(days=1), sunday + NEXT_WEEK, now))


def _hours_until(diary: Diary, lesson: OccurrenceView, first: date, last: date, now: datetime) -> Iterator[Option]:
    """Those of the lesson's own teacher first, then of who may stand in."""
    for teacher in (lesson.lead.teacher_code or "", *_colleagues(diary, lesson)):
        for day in diary.term.days(first, last):
            weekday = diary.term.taught_as(day)
            if weekday is None or TeacherCode(teacher) not in diary.problem.teachers:
                continue
            for windows_of_period in _hours(diary, lesson, day, weekday):
                fitting = (_placed(diary, lesson, teacher, day, window, now) for window in windows_of_period)
                if option := next((each for each in fitting if each), None):
                    yield option


def _hours(diary: Diary, lesson: OccurrenceView, day: date, weekday: int) -> Iterator[Sequence[Window]]:
    """For each period of the lead school the windows to try, the whole period first; a community keeps its hour."""
    schools, policy = diary.problem.schools, diary.problem.policy
    lead = schools.get(SchoolCode(lesson.lead.school_code))
    if lead is None or weekday not in lead.periods:
        return
    if lesson.family == "master":
        if day > lesson.day:
            yield [(lesson.start, lesson.end)]
        return
    there = [schools[SchoolCode(side.school_code)] for side in lesson.receivers if side.school_code in schools]
    breaks = {minute for school in there for period in school.periods.get(weekday, ()) for minute in period}
    for period in lead.periods[weekday]:
        if day > lesson.day or period[0] >= lesson.end:
            yield list(dict.fromkeys([period, *windows_in(period, policy, sorted(breaks))]))


def _placed(
    diary: Diary, lesson: OccurrenceView, teacher: str, day: date, window: Window, now: datetime
) -> Option | None:
    """The lesson in a window with a teacher, in the first lead room that is free; None where anybody is held."""
    if diary.term.instant(day, window[0]) <= now or not bells_allow(diary, lesson, day, window):
        return None
    whole = Affected(lesson, (), False, False)
    for room in _rooms(diary, lesson) if lesson.lead.room_code else [""]:
        option = Option("later", teacher, room, day, *window)
        wanted = booked(whole, option)
        if obstacle(diary, wanted, but=(lesson.id,)) is None:
            return option
    return None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a lesson cannot be held so: somebody is ``held``, a ``limit``, no ``period`` there, too few ``assistants``."""

    why: Literal["held", "limit", "period", "assistants"]
    what: str = ""
    code: str = ""


def obstacle(diary: Diary, wanted: Booking, *, but: Sequence[str] = ()) -> Obstacle | None:
    """The first thing that stands against a booking; the lessons `but` are looked past. Bells are judged by `bells_allow`."""
    for what, code in wanted.taken:
        if diary.holding((what, code), wanted.day, wanted.start, wanted.end, but=but):
            return Obstacle("held", what, code)
    if not diary.within_limits(wanted.leads, wanted.day, but=but):
        return Obstacle("limit", "teacher", wanted.leads)
    return None if diary.assistants_enough(wanted, but=but) else Obstacle("assistants")


def bells_allow(diary: Diary, lesson: OccurrenceView, day: date, window: Window) -> bool:
    """H5 on dates: whether a lesson may stand in a window; a community may stand anywhere."""
    if lesson.family == "master":
        return True
    weekday, problem = diary.term.taught_as(day), diary.problem
    lead = problem.schools.get(SchoolCode(lesson.lead.school_code))
    there = [problem.schools.get(SchoolCode(side.school_code)) for side in lesson.receivers]
    if weekday is None or lead is None:
        return False
    inside = any(
        period[0] <= window[0] and window[1] <= period[1] and window[1] - window[0] >= shortest(period, problem.policy)
        for period in lead.periods.get(weekday, ())
    )
    return inside and all(
        school is not None and 1 <= periods_touched(school, Slot(weekday, *window)) <= 2 for school in there
    )
