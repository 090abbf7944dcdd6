"""What is supposed of a county, as it comes in from a form, and as a sentence with names in the place of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from babel.dates import get_day_names
from pydantic import Field, StringConstraints

from api.planner.workbooks import subject_name
from api.routing import Code, Shape, Text
from config.words import Language, catalogue, say
from rooms.planning.circumstances import EVERY_DAY, Circumstance
from rooms.planning.files import clock, lessons
from rooms.planning.hypothesis import (
    BellsShifted,
    Happens,
    LeadRoomMore,
    PolicyIs,
    Supposition,
    from_json,
)
from rooms.planning.names import Names
from scheduler.problem import WEEK_BITS, WEEK_NAMES

Kind = Literal[
    "teacher_away", "room_closed", "school_closed", "bell_changed", "need_added", "policy", "lead_room", "bells_shifted"
]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Supposed(Shape):
    """One thing that is supposed. `code` names the teacher, room, school, bell table, class or policy key it is about."""

    kind: Kind
    code: Code
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field([], max_length=7, description="Empty: every day.")
    start: TimeOfDay | None = None
    end: TimeOfDay | None = None
    weeks: Literal["all", "odd", "even"] = "all"
    bell_code: Text = Field("", description="bell_changed: the table followed instead.")
    subject: Text = Field("", description="need_added.")
    lessons: float = Field(1, gt=0, le=40, multiple_of=0.5, description="need_added: more lessons a week.")
    priority: int = Field(5, ge=1, le=9)
    value: int = Field(0, ge=-(2**31), lt=2**31, description="policy: the value instead; a switch is 0 or 1.")
    minutes: int = Field(0, ge=-1440, le=1440, description="bells_shifted: minutes later, negative where earlier.")

    def value_on(self, day: date) -> Supposition:
        """The supposition, from a day on for good."""
        match self.kind:
            case "policy":
                return PolicyIs(self.code, self.value)
            case "lead_room":
                return LeadRoomMore(self.code)
            case "bells_shifted":
                return BellsShifted(self.code, self.minutes)
            case kind:
                closes = kind in ("teacher_away", "room_closed", "school_closed")
                return Happens(
                    Circumstance(
                        kind=kind,
                        code=self.code,
                        from_date=day,
                        weekdays=frozenset(self.weekdays) or EVERY_DAY if closes else EVERY_DAY,
                        start=_minute(self.start) if closes else None,
                        end=_minute(self.end) if closes else None,
                        weeks=WEEK_BITS[self.weeks] if closes else WEEK_BITS["all"],
                        bell_code=self.bell_code if kind == "bell_changed" else "",
                        subject=self.subject if kind == "need_added" else "",
                        halves=round(self.lessons * 2) if kind == "need_added" else 0,
                        priority=self.priority,
                    )
                )


def _minute(text: str | None) -> int | None:
    return None if text is None else int(text[:2]) * 60 + int(text[3:])


def sentences(language: Language, hypothesis: Sequence[Mapping[str, Any]] | None, names: Names) -> list[str]:
    """What a kept hypothesis (as JSON) says, a sentence for each supposition."""
    return [_sentence(language, each, names) for each in from_json(hypothesis or ())]


def _sentence(language: Language, each: Supposition, names: Names) -> str:
    match each:
        case PolicyIs(key, value):
            name = catalogue(language).get(f"whatif.policy_{key}", key)
            return say(language, "whatif.says_policy", who=name, value=value)
        case LeadRoomMore(school):
            return say(language, "whatif.says_lead_room", who=names.school(school))
        case BellsShifted(code, minutes):
            way = "later" if minutes > 0 else "earlier"
            return say(language, f"whatif.says_bells_{way}", who=code, minutes=abs(minutes))
        case Happens(what):
            facts = {
                "who": _who(what, names),
                "when": _when(language, what),
                "other": what.bell_code,
                "subject": subject_name(language, what.subject),
                "lessons": lessons(what.halves),
            }
            return say(language, f"whatif.says_{what.kind}", **facts)


def _who(what: Circumstance, names: Names) -> str:
    match what.kind:
        case "teacher_away":
            return f"{names.school(names.school_of_teacher(what.code))} {names.teacher(what.code)}".strip()
        case "school_closed":
            return names.school(what.code)
        case "need_added":
            return f"{names.school(names.school_of_class(what.code))} {what.code}".strip()
        case _:
            return what.code


def _when(language: Language, what: Circumstance) -> str:
    """Weekdays, window and weeks, as far as they are narrower than always."""
    if what.weekdays == EVERY_DAY:
        parts = [say(language, "whatif.every_day")]
    else:
        days = get_day_names("abbreviated", locale=language)
        parts = [say(language, "whatif.and").join(days[weekday - 1] for weekday in sorted(what.weekdays))]
    if what.period:
        parts.append(say(language, "whatif.period", n=what.period))
    elif what.start is not None and what.end is not None:
        parts.append(f"{clock(what.start)}–{clock(what.end)}")
    else:
        parts.append(say(language, "whatif.whole_day"))
    if what.weeks != WEEK_BITS["all"]:
        parts.append(say(language, f"common.weeks_{WEEK_NAMES[what.weeks]}"))
    return " ".join(parts)
