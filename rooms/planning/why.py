"""Why a lesson is missing and what would help most, in words: the reason, the nearest place, each fact against it; each change and what it brings."""

from __future__ import annotations

from collections.abc import Callable

from babel.dates import get_day_names

from config.words import Language, catalogue, say
from scheduler.problem import WEEK_NAMES, Advice, Fact, Place, Slot, Unmet

Named = Callable[[object], object]
"""How a code of the county is shown: as it is, or with the name behind it."""


def as_it_is(code: object) -> object:
    """Codes alone, for files."""
    return code


def why(language: Language, unmet: Unmet, named: Named = as_it_is) -> str:
    """All of it in one paragraph."""
    parts = [reason(language, unmet, named)]
    if unmet.place is not None:
        parts += [place(language, unmet.place, named), forbidden(language, unmet.forbids, named)]
    return ("" if language == "zh_CN" else " ").join(part for part in parts if part)


def reason(language: Language, unmet: Unmet, named: Named = as_it_is) -> str:
    """What holds whatever the plan; nothing where the place says it all. An unknown code stands as it is."""
    if unmet.reason.startswith("place_"):
        return ""
    words = catalogue(language).get(f"plan.{unmet.reason}")
    return words.format(**{key: named(value) for key, value in unmet.facts.items()}) if words else unmet.reason


def place(language: Language, where: Place, named: Named = as_it_is) -> str:
    """The nearest place."""
    how = ""
    if where.joins:
        how = say(language, "plan.nearest_joins", code=where.joins)
    elif where.host_lesson is not None:
        how = say(language, "plan.nearest_host")
    facts = {"teacher": named(where.teacher), "school": named(where.school), "time": moment(language, where.slot)}
    return say(language, "plan.nearest", **facts, how=how)


def forbidden(language: Language, facts: tuple[Fact, ...], named: Named = as_it_is) -> str:
    """The facts in one sentence."""
    joined = ("；" if language == "zh_CN" else "; ").join(fact(language, each, named) for each in facts)
    if len(facts) == 1:
        return say(language, "plan.forbidden_by", facts=joined)
    return say(language, "plan.forbidden_by_all", count=len(facts), facts=joined)


def fact(language: Language, each: Fact, named: Named = as_it_is) -> str:
    """One fact."""
    return say(
        language,
        f"plan.fact_{each.kind}",
        who=named(each.who),
        code=each.code,
        subject=named(each.subject),
        time=moment(language, each.slot) if each.slot else "",
        number=each.number,
    )


def change(language: Language, advice: Advice, named: Named = as_it_is) -> str:
    """What would be otherwise, without what it brings."""
    about, slot = advice.fact, advice.fact.slot
    if about.kind == "bells" and slot is not None:
        way = "later" if advice.minutes > 0 else "earlier"
        minutes = abs(advice.minutes)
        return say(language, f"plan.advice_bells_{way}", who=named(about.who), period=_window(slot), minutes=minutes)
    return say(
        language,
        f"plan.advice_{about.kind}",
        who=named(about.who),
        time=moment(language, slot) if slot else "",
        number=about.number,
    )


def brings(language: Language, advice: Advice, named: Named = as_it_is) -> str:
    """The change and the lessons that it brings, in one sentence."""
    what = ("、" if language == "zh_CN" else ", ").join(
        f"{named(code)} {named(subject)}" for code, subject, _ in advice.lessons
    )
    lessons = f"{advice.halves / 2:g}"
    return say(language, "plan.advice_brings", change=change(language, advice, named), lessons=lessons, what=what)


def moment(language: Language, slot: Slot) -> str:
    """``Tuesday 09:20–10:00``, with the weeks where they are not all."""
    day = get_day_names("wide", locale=language)[slot.weekday - 1]
    weeks = WEEK_NAMES[slot.weeks]
    return f"{day} {_window(slot)}" + ("" if weeks == "all" else f" {say(language, f'common.weeks_{weeks}')}")


def _window(slot: Slot) -> str:
    return "–".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (slot.start, slot.end))
