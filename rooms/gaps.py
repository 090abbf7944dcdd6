"""What a class should be taught and is not: 开齐 (every subject offered at all) and 开足 (the hours met). Pure.

Required hours come from the county's curriculum plan; of a combined-grade class the largest of its grades' hours count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rooms.county import County, Need


@dataclass(frozen=True, slots=True)
class Gap:
    """One class and subject of the curriculum plan, in halves of a weekly lesson."""

    class_code: str
    school_code: str
    subject: str
    required: int
    local: int
    received: int

    @property
    def missing(self) -> int:
        return max(0, self.required - self.local - self.received)

    @property
    def offered(self) -> bool:
        """开齐: the class is taught the subject at all, here or from afar."""
        return self.local + self.received > 0

    @property
    def met(self) -> bool:
        """开足: all hours are taught."""
        return self.missing == 0


def plan_in_force(county: County) -> str | None:
    """The code of the curriculum plan that counts; see `counting_plan`."""
    return counting_plan(county.curriculum_plan, {hours.plan_code for hours in county.curriculum})


def counting_plan(named: str, plans: Collection[str]) -> str | None:
    """Of a county's curriculum plans the one it names, or the only one there is (docs/IMPORT.md, ``curriculum_plan``)."""
    if named:
        return named if named in plans else None
    return next(iter(plans)) if len(plans) == 1 else None


def local_halves(county: County) -> Mapping[tuple[str, str], int]:
    """(class, subject) → halves taught by the school itself; a lesson of several classes counts for each."""
    taught: Counter[tuple[str, str]] = Counter()
    for lesson in county.lessons:
        for code in lesson.class_codes:
            taught[code, lesson.subject] += lesson.halves
    return taught


def gaps(county: County, received: Mapping[tuple[str, str], int] | None = None) -> tuple[Gap, ...]:
    """Every class and subject of the plan in force, met or not. `received` are halves a week from afar, by class and subject."""
    plan, local, received = plan_in_force(county), local_halves(county), received or {}
    hours: dict[int, dict[str, int]] = {}
    for row in county.curriculum:
        if row.plan_code == plan and row.halves:
            hours.setdefault(row.grade, {})[row.subject] = row.halves
    found = []
    for group in county.classes:
        required: dict[str, int] = {}
        for grade in group.grades:
            for subject, halves in hours.get(grade, {}).items():
                required[subject] = max(required.get(subject, 0), halves)
        for subject, halves in sorted(required.items()):
            key = (group.code, subject)
            found.append(
                Gap(group.code, group.school_code, subject, halves, local.get(key, 0), received.get(key, 0)),
            )
    return tuple(found)


def computed_needs(county: County) -> tuple[Need, ...]:
    """The curriculum plan minus the local lessons, for every class of a school that receives (FORMATS: needs computed)."""
    return tuple(
        Need(gap.class_code, gap.subject, gap.missing)
        for gap in gaps(county)
        if gap.missing and county.school_by_code[gap.school_code].receives
    )


def needs_of(county: County) -> tuple[Need, ...]:
    """The needs to plan for: those of the file, else computed."""
    return computed_needs(county) if county.needs is None else county.needs
