"""A breach of a rule as a sentence, with names in the place of codes and weekdays in the place of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from babel.dates import format_date

from api.planner.reasons import named
from config.words import Language, catalogue, say
from rooms.planning.names import Names

WINDOW = re.compile(r"([1-7]) (\d\d:\d\d)-(\d\d:\d\d)")
"""A weekday and a window, as the rules write them (`scheduler.rules.base.clock`)."""
WHOLE_DAY = ("00:00", "24:00")


def breach(language: Language, code: str, facts: Mapping[str, object], names: Names) -> str:
    """The sentence of a rule's or a repair's code of the ``plan`` catalogue; an unknown code stands as it is.

    A clash with a whole day is somebody's absence, and is said so.
    """
    for window in (facts.get("first"), facts.get("second")):
        if code.startswith("rule_h3") and str(window).endswith(" 00:00-24:00"):
            told = {"code": _told(language, facts["code"], names), "window": _told(language, window, names)}
            return say(language, "planner.repair_why_away", **told)
    words = catalogue(language).get(f"plan.{code}")
    return words.format(**{key: _told(language, value, names) for key, value in facts.items()}) if words else code


def _told(language: Language, value: object, names: Names) -> object:
    if isinstance(value, str) and (window := WINDOW.fullmatch(value)):
        day = format_date(date(2024, 1, int(window[1])), "EEE", locale=language)  # 1 January 2024 is a Monday
        hours = window[2], window[3]
        return f"{day} {say(language, 'common.whole_day')}" if hours == WHOLE_DAY else f"{day} {hours[0]}–{hours[1]}"
    return named(language, names, value)
