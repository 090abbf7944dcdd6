"""The term's quota of remote lessons, assessment row R2 (printed again as R13). Pure; docs/RULES.md.

"学校每学期至少完成 4 次异地同步教学课程": at least four valid remote lessons per school and term, on either side, each lesson once per
school. A lead counts a lesson only with a valid receiver of another school.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

TARGET = 4
FULL = 100
LARGEST_BONUS = 20

Outlook = Literal["met", "on_course", "at_risk", "missed"]


@dataclass(frozen=True, slots=True)
class LessonFact:
    """A judged remote lesson: who led, whether that side was VALID, and the schools with a VALID receiving class."""

    id: str
    lead_school: str
    lead_valid: bool
    valid_receivers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a school still needs, by the last term week with school days; `planned_left` remote lessons are still to come."""

    needed: int
    by_week: int
    planned_left: int
    outlook: Outlook


def counted(lessons: Iterable[LessonFact], credit: Mapping[str, str] | None = None) -> dict[str, frozenset[str]]:
    """School → ids of the lessons that count for it. `credit` maps a teaching point to the central school that is credited too."""
    found: dict[str, set[str]] = {}
    for lesson in lessons:
        schools = set(lesson.valid_receivers)
        if lesson.lead_valid and lesson.valid_receivers - {lesson.lead_school}:
            schools.add(lesson.lead_school)
        schools |= {credit[school] for school in schools if school in credit} if credit else set()
        for school in schools:
            found.setdefault(school, set()).add(lesson.id)
    return {school: frozenset(ids) for school, ids in found.items()}


def points(count: int, target: int = TARGET) -> int:
    """0 below the target, then 100 and a bonus of min(20, ceil(20·(count − target)/target)): 4 → 100, 5 → 105, 8 and more → 120."""
    if count < target:
        return 0
    return FULL + min(LARGEST_BONUS, -(-LARGEST_BONUS * (count - target) // target))


def forecast(count: int, planned_left: int, by_week: int, *, over: bool, target: int = TARGET) -> Forecast:
    """ "Needs n more by week w": at risk where fewer lessons are planned than are missing, missed when the term is over."""
    needed = max(0, target - count)
    outlook: Outlook
    if needed == 0:
        outlook = "met"
    elif over:
        outlook = "missed"
    else:
        outlook = "on_course" if planned_left >= needed else "at_risk"
    return Forecast(needed, by_week, planned_left, outlook)
