"""What the pages of a live lesson share: names of classes, and the data block their scripts read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from api.routing import Call
from config.words import Language, catalogue, say
from rooms.planning.occurrences import OccurrenceView, SideView

OVER = ("ended", "judged", "cancelled")


def script_words(language: Language, *domains: str) -> dict[str, str]:
    """The sentences of some domains by key, for the page's scripts."""
    starts = tuple(f"{domain}." for domain in domains)
    return {key: text for key, text in catalogue(language).items() if key.startswith(starts)}


def group_name(language: Language, grades: Sequence[int]) -> str:
    """三年级, or 一年级、二年级复式班 for pupils of several grades in one room."""
    names = say(language, "live.comma").join(say(language, f"live.grade_{grade}") for grade in grades)
    return names if len(grades) <= 1 else say(language, "live.combined", grades=names)


def side_name(language: Language, side: SideView) -> str:
    """School and class of a receiver, school and person of a member or lead."""
    group = group_name(language, side.grades) if side.grades else side.teacher_name or ""
    return f"{side.school_name} {group}".strip()


def doors_open(call: Call[Any, Any, Any], lesson: OccurrenceView) -> datetime:
    """From when people may enter."""
    return lesson.starts_at - timedelta(minutes=call.app.settings.early_entry_minutes)


def lesson_data(call: Call[Any, Any, Any], lesson: OccurrenceView, words: dict[str, str]) -> dict[str, object]:
    """The data block of a lesson page."""
    now = call.app.clock.now()
    return {
        "occurrence": lesson.id,
        "state": lesson.state,
        "now": now.isoformat(),
        "starts_at": lesson.starts_at.isoformat(),
        "ends_at": lesson.ends_at.isoformat(),
        "enter_from": doors_open(call, lesson).isoformat(),
        "enterable": lesson.state not in OVER and now >= doors_open(call, lesson),
        "words": words,
    }
