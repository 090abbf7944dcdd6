"""Why a lesson is missing, as a sentence with names in the place of codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from config.words import Language, catalogue
from rooms.planning.names import Names
from rooms.planning.why import change, fact, reason, why
from rooms.planning.why import place as place_said
from scheduler.problem import Advice, Unmet


def said(language: Language, unmet: Unmet, names: Names) -> str:
    """All of a reason in one paragraph."""
    return why(language, unmet, partial(named, language, names))


@dataclass(frozen=True, slots=True)
class Said:
    """A reason for a page: what holds whatever the plan, the nearest place, and each fact that keeps the lesson out of it."""

    reason: str
    place: str
    facts: tuple[str, ...]


def said_apart(language: Language, unmet: Unmet, names: Names) -> Said:
    """The same in its parts."""
    how = partial(named, language, names)
    place = "" if unmet.place is None else place_said(language, unmet.place, how)
    return Said(reason(language, unmet, how), place, tuple(fact(language, each, how) for each in unmet.forbids))


@dataclass(frozen=True, slots=True)
class Helps:
    """A change, and what it brings, for a page."""

    change: str
    lessons: float
    what: tuple[tuple[str, str], ...]
    """Class and subject, as codes."""


def helps(language: Language, advice: Advice, names: Names) -> Helps:
    """One line of what would help most."""
    words = change(language, advice, partial(named, language, names))
    return Helps(words, advice.halves / 2, tuple((code, subject) for code, subject, _ in advice.lessons))


def named(language: Language, names: Names, value: object) -> object:
    """A school's or a teacher's code becomes a name and the code, a subject's code its word."""
    if not isinstance(value, str):
        return value
    if value in names.teachers:
        return f"{names.teacher(value)}({value})" if language == "zh_CN" else f"{names.teacher(value)} ({value})"
    if value in names.schools:
        return names.school(value)
    return catalogue(language).get(f"common.subject_{value}", value)


def said_fully(language: Language, key: str, facts: Mapping[str, object]) -> str:
    """The sentence of a code with its domain (``plan.ended_time``); an unknown code stands as it is."""
    words = catalogue(language).get(key)
    return words.format(**facts) if words else key
