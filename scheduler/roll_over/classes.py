"""Which class of a new term is which of the old one: the same code, or a grade up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from scheduler.problem import ClassCode, SchoolClass, SchoolCode

BEGINS = 8
"""The month in which a school year begins."""


def school_year(day: date) -> int:
    """The year in which the school year of a day began."""
    return day.year if day.month >= BEGINS else day.year - 1


Classes = Mapping[ClassCode, SchoolClass]
Followed = Mapping[ClassCode, ClassCode | None]
"""Class of the old term → the class it is now; None where it left."""


def follow_classes(old: Classes, new: Classes, *, up: bool) -> Followed:
    """Every old class with the class that it is in the new term, as well as codes and grades tell; `up`: a school year has begun.

    Within its school a class becomes, in this order: the class of its own code, where that has the grades looked for; the class whose
    code says the new grade where its own says the old one; the only class of those grades, where it was the only one too; the class of
    its own code that shares one of those grades. No class of the new term is given to two.
    """
    at_school: dict[SchoolCode, list[SchoolClass]] = defaultdict(list)
    for group in new.values():
        at_school[group.school].append(group)
    before: dict[tuple[SchoolCode, frozenset[int]], int] = defaultdict(int)
    for group in old.values():
        before[group.school, group.grades] += 1
    followed: dict[ClassCode, ClassCode | None] = {}
    taken: set[ClassCode] = set()
    for find in (_same, _renamed, _only, _alike):
        for code in sorted(old):
            if code in followed:
                continue
            group = old[code]
            grades = frozenset(grade + 1 for grade in group.grades) if up else group.grades
            choices = [each for each in at_school[group.school] if each.code not in taken]
            found = find(group, grades, choices, before[group.school, group.grades])
            if found is not None:
                followed[code] = found
                taken.add(found)
    return {code: followed.get(code) for code in sorted(old)}


def _same(group: SchoolClass, grades: frozenset[int], choices: list[SchoolClass], alike: int) -> ClassCode | None:
    return next((each.code for each in choices if each.code == group.code and each.grades == grades), None)


def _renamed(group: SchoolClass, grades: frozenset[int], choices: list[SchoolClass], alike: int) -> ClassCode | None:
    if group.grades == grades or len(grades) != 1:
        return None
    names = set(_with_grade(group.code, min(group.grades), min(grades)))
    found = [each.code for each in choices if each.grades == grades and each.code in names]
    return found[0] if len(found) == 1 else None


def _with_grade(code: str, old: int, new: int) -> Iterable[str]:
    """The code with the new grade in the place of the old one, once, at each place where it may stand."""
    text, place = str(old), -1
    while (place := code.find(text, place + 1)) >= 0:
        yield code[:place] + str(new) + code[place + len(text) :]


def _only(group: SchoolClass, grades: frozenset[int], choices: list[SchoolClass], alike: int) -> ClassCode | None:
    found = [each.code for each in choices if each.grades == grades]
    return found[0] if len(found) == 1 and alike == 1 else None


def _alike(group: SchoolClass, grades: frozenset[int], choices: list[SchoolClass], alike: int) -> ClassCode | None:
    return next((each.code for each in choices if each.code == group.code and each.grades & grades), None)
