"""Weekly hours of a class in a subject: required − taught locally − received and valid (开齐/开足). Pure; docs/RULES.md.

Lessons a week are exact fractions. A period of holidays is worth less than a full one: its weeks are its school days ÷ 5,
so that a class is never asked for lessons on days on which nobody is taught.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

SCHOOL_DAYS_A_WEEK = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """A class and a subject over a period. `required_halves` and `local_halves` are weekly lessons × 2, `received` counts lessons."""

    school_class: str
    subject: str
    required_halves: int
    local_halves: int
    received: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lessons a week. `offered` is 开齐 for this subject, `complete` is 开足; a subject that is not required is both."""

    school_class: str
    subject: str
    required: Fraction
    local: Fraction
    received: Fraction
    missing: Fraction
    offered: bool
    complete: bool


def weeks_of(school_days: int) -> Fraction:
    """How many weeks a number of school days amounts to."""
    return Fraction(school_days, SCHOOL_DAYS_A_WEEK)


def cover(hours: Hours, weeks: Fraction) -> Coverage:
    """The coverage of one class and subject over so many weeks; with no weeks nothing was received and nothing is missing yet."""
    required, local = Fraction(hours.required_halves, 2), Fraction(hours.local_halves, 2)
    received = Fraction(hours.received) / weeks if weeks else Fraction(0)
    missing = max(Fraction(0), required - local - received) if weeks else Fraction(0)
    offered = not required or local > 0 or hours.received > 0
    return Coverage(hours.school_class, hours.subject, required, local, received, missing, offered, missing == 0)


def offers_everything(lines: Iterable[Coverage]) -> bool:
    """开齐 for a class: every required subject is offered at all."""
    return all(line.offered for line in lines)


def meets_all_hours(lines: Iterable[Coverage]) -> bool:
    """开足 for a class: the hours of every required subject are met."""
    return all(line.complete for line in lines)
