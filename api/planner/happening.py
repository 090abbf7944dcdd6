"""What happened, as a form tells it: one shape for substitutions, repairs and their previews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from api.routing import Shape, Text
from rooms.planning.circumstances import EVERY_DAY, Circumstance, CircumstanceKind
from rooms.planning.names import Names
from scheduler.problem import WEEK_BITS

OptionalDate = Annotated[date | None, BeforeValidator(lambda value: value or None)]
"""A date field of a form; empty is none."""
Clock = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]
"""``08:40``, or empty."""
OptionalCode = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f/]*$")]


class Window(Shape):
    """When in the week; everything empty is the whole of every day."""

    weekday: Literal["", "1", "2", "3", "4", "5", "6", "7"] = ""
    period: OptionalCode = ""
    start: Clock = ""
    end: Clock = ""
    weeks: Literal["all", "odd", "even"] = "all"
    reason: Text = ""


class Happening(Window):
    """Something that happened from a day on. `code` is that of the teacher, room, school, bell table or class."""

    kind: CircumstanceKind
    code: OptionalCode = ""
    from_date: date
    bell_code: OptionalCode = ""
    subject: OptionalCode = ""
    lessons: float = Field(0, ge=0, le=40, multiple_of=0.5, description="Lessons a week that are needed in addition.")
    priority: int = Field(5, ge=1, le=9)


def circumstance_of(told: Happening, until: date | None) -> Circumstance:
    """The circumstance of a form; `until` is its last day, None for good."""
    return Circumstance(
        kind=told.kind,
        code=told.code,
        from_date=told.from_date,
        until_date=until,
        weekdays=frozenset({int(told.weekday)}) if told.weekday else EVERY_DAY,
        period=told.period,
        start=minute_of(told.start),
        end=minute_of(told.end),
        weeks=WEEK_BITS[told.weeks],
        bell_code=told.bell_code,
        subject=told.subject,
        halves=round(told.lessons * 2),
        priority=told.priority,
        reason=told.reason,
    )


def minute_of(text: str) -> int | None:
    """Minutes since midnight of ``08:40``."""
    return int(text[:2]) * 60 + int(text[3:]) if text else None


def choices_of(names: Names, kind: CircumstanceKind) -> Sequence[tuple[str, str]]:
    """Code and name of everything that a kind of circumstance can happen to."""
    match kind:
        case "teacher_away":
            return [
                (code, f"{each.name} · {names.school(each.school_code)}")
                for code, each in names.teachers.items()
                if not each.retired
            ]
        case "room_closed":
            return [(code, names.school(each.school_code)) for code, each in names.rooms.items() if not each.retired]
        case "school_closed":
            return [(code, each.name) for code, each in names.schools.items() if not each.retired]
        case "bell_changed":
            followed: dict[str, list[str]] = {}
            for each in names.schools.values():
                if not each.retired:
                    followed.setdefault(each.bell_code, []).append(each.name)
            return [(code, "、".join(schools[:3])) for code, schools in sorted(followed.items())]
        case "need_added":
            return [
                (code, f"{names.school(each.school_code)} {'+'.join(map(str, each.grades))}")
                for code, each in names.classes.items()
                if not each.retired
            ]


def whom(names: Names, circumstance: Circumstance) -> str:
    """Whom or what a circumstance happened to, by name."""
    code = circumstance.code
    match circumstance.kind:
        case "teacher_away":
            return names.teacher(code)
        case "room_closed":
            return f"{names.school(names.rooms[code].school_code)} {code}" if code in names.rooms else code
        case "school_closed":
            return names.school(code)
        case "bell_changed":
            return f"{code} → {circumstance.bell_code}"
        case "need_added":
            return f"{names.school(names.school_of_class(code))} {code}"
