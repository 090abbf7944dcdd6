"""Why a lesson is missing, as a sentence with names in the place of codes."""

from __future__ import annotations

from collections.abc import Mapping

from config.words import Language, catalogue
from rooms.planning.names import Names


def said(language: Language, reason: str, facts: Mapping[str, object], names: Names) -> str:
    """The sentence of a reason code of the ``plan`` catalogue; an unknown code stands as it is."""
    words = catalogue(language).get(f"plan.{reason}")
    return words.format(**{key: _named(language, value, names) for key, value in facts.items()}) if words else reason


def _named(language: Language, value: object, names: Names) -> object:
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
