"""What has changed since the county's files: who is away, what is closed, other bells, one more need. Pure.

A circumstance without a last day is *standing*: it belongs to the weekly problem, and `with_circumstances` puts it into the county
that the planner sees. One with a last day touches dated lessons alone (`rooms.planning.substitution`), never the weekly plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from rooms.county import County, Need, Resource, Unavailability
from rooms.gaps import needs_of
from scheduler.problem import ALL_WEEKS, Minute

CircumstanceKind = Literal["teacher_away", "room_closed", "school_closed", "bell_changed", "need_added"]
KINDS: tuple[CircumstanceKind, ...] = get_args(CircumstanceKind)
EVERY_DAY = frozenset(range(1, 8))
WHOLE_DAY: tuple[Minute, Minute] = (0, 24 * 60)


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One thing that happened. `code` names the teacher, room, school, bell table or class that it happened to.

    The first three kinds close a window: the `period` of the school's bell, or `start` to `end`, or (neither given) the whole day,
    on `weekdays`, in `weeks`.
    """

    kind: CircumstanceKind
    code: str
    from_date: date
    until_date: date | None = None
    """The last day, included; None: for good."""
    weekdays: frozenset[int] = EVERY_DAY
    period: str = ""
    start: Minute | None = None
    end: Minute | None = None
    weeks: int = ALL_WEEKS
    bell_code: str = ""
    """bell_changed: the table that every school with the bell table `code` follows instead."""
    subject: str = ""
    halves: int = 0
    """need_added: the halves of a weekly lesson that the class needs in `subject`, beyond what it asks for already."""
    priority: int = 5
    reason: str = ""

    @property
    def standing(self) -> bool:
        """Whether it belongs to the weekly problem."""
        return self.until_date is None


_CLOSES: dict[CircumstanceKind, Resource] = {
    "teacher_away": "teacher",
    "room_closed": "room",
    "school_closed": "school",
}


def with_circumstances(county: County, circumstances: Iterable[Circumstance]) -> County:
    """The county with its standing circumstances applied, in the order given; dated ones change nothing.

    One that the county no longer fits (`misfit`: a re-import dropped what it names) is passed over.
    """
    for each in circumstances:
        if each.standing and misfit(county, each) is None:
            county = _applied(county, each)
    return county


def misfit(county: County, circumstance: Circumstance) -> str | None:
    """Why a circumstance cannot be applied to the county: a refusal code, or None where it can.

    ``circumstance_unknown`` (the county has nothing of that code), ``circumstance_window`` (no minute is named, or no such period),
    ``circumstance_subject`` (nothing is needed), ``circumstance_always_standing`` (bells and needs have no last day), ``bell_unknown``, ``bell_same``, ``bell_lacks_periods`` (a lesson stands in a
    period that the other table does not have).
    """
    codes = {
        "teacher_away": county.teacher_by_code,
        "room_closed": county.room_by_code,
        "school_closed": county.school_by_code,
        "bell_changed": {school.bell_code for school in county.schools},
        "need_added": county.class_by_code,
    }
    if circumstance.code not in codes[circumstance.kind]:
        return "circumstance_unknown"
    if circumstance.kind in ("bell_changed", "need_added") and not circumstance.standing:
        return "circumstance_always_standing"
    match circumstance.kind:
        case "bell_changed":
            return _bell_misfit(county, circumstance)
        case "need_added":
            return None if circumstance.subject and circumstance.halves > 0 else "circumstance_subject"
        case _:
            return None if any(windows(county, circumstance, day) for day in EVERY_DAY) else "circumstance_window"


def windows(county: County, circumstance: Circumstance, weekday: int) -> Sequence[tuple[Minute, Minute]]:
    """The minutes that a closing circumstance takes from a weekday's timetable: one window, or none. Weeks are the caller's."""
    if weekday not in circumstance.weekdays:
        return ()
    if circumstance.period:
        bell_code = county.school_by_code[_school_of(county, circumstance)].bell_code
        window = county.windows.get((bell_code, weekday, circumstance.period))
    elif circumstance.start is None or circumstance.end is None:
        window = WHOLE_DAY
    else:
        window = (circumstance.start, circumstance.end)
    return (window,) if window and 0 <= window[0] < window[1] <= WHOLE_DAY[1] else ()


def _school_of(county: County, circumstance: Circumstance) -> str:
    match circumstance.kind:
        case "teacher_away":
            return county.teacher_by_code[circumstance.code].school_code
        case "room_closed":
            return county.room_by_code[circumstance.code].school_code
        case _:
            return circumstance.code


def _bell_misfit(county: County, circumstance: Circumstance) -> str | None:
    table = {(bell.weekday, bell.period) for bell in county.bells if bell.bell_code == circumstance.bell_code}
    if not table:
        return "bell_unknown"
    if circumstance.bell_code == circumstance.code:
        return "bell_same"
    changed = {school.code for school in county.schools if school.bell_code == circumstance.code}
    taught = {(lesson.weekday, lesson.period) for lesson in county.lessons if lesson.school_code in changed}
    return "bell_lacks_periods" if taught - table else None


def _applied(county: County, circumstance: Circumstance) -> County:
    match circumstance.kind:
        case "bell_changed":
            return _with_bells(county, circumstance.code, circumstance.bell_code)
        case "need_added":
            return _with_need(county, circumstance)
        case _:
            return _with_closure(county, circumstance)


def _with_bells(county: County, old: str, new: str) -> County:
    schools = tuple(replace(school, bell_code=new) if school.bell_code == old else school for school in county.schools)
    return replace(county, schools=schools)


def _with_need(county: County, circumstance: Circumstance) -> County:
    key = (circumstance.code, circumstance.subject)
    needs = {(need.class_code, need.subject): need for need in needs_of(county)}
    there = needs.get(key)
    if there is None:
        needs[key] = Need(*key, circumstance.halves, circumstance.priority)
    else:
        priority = max(there.priority, circumstance.priority)
        needs[key] = replace(there, halves=there.halves + circumstance.halves, priority=priority)
    return replace(county, needs=tuple(needs[each] for each in sorted(needs)))


def _with_closure(county: County, circumstance: Circumstance) -> County:
    """As one more row of ``unavailability.csv``. A window of the whole day is given in minutes: it needs no period."""
    start, end = circumstance.start, circumstance.end
    if not circumstance.period and (start is None or end is None):
        start, end = WHOLE_DAY
    row = Unavailability(
        row=max((away.row for away in county.unavailabilities), default=0) + 1,
        resource=_CLOSES[circumstance.kind],
        code=circumstance.code,
        weekdays=circumstance.weekdays,
        period=circumstance.period,
        start=None if circumstance.period else start,
        end=None if circumstance.period else end,
        weeks=circumstance.weeks,
        reason=circumstance.reason,
    )
    return replace(county, unavailabilities=(*county.unavailabilities, row))
