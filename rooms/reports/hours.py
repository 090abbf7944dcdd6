"""Weekly hours of every class and subject: required, taught locally, received and valid (开齐/开足)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.coverage import Hours, cover, weeks_of
from rooms.gaps import counting_plan
from rooms.planning.terms import load_term
from rooms.reports.quotas import REMOTE_FAMILIES
from rooms.reports.rows import Period, Scope, SideRow, schools_of, side_rows
from rooms.tables import County, CurriculumHours, LocalLesson, Need, SchoolClass
from scheduler.problem import ALL_WEEKS
from scheduler.terms import Term

ClassSubject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CoverageLine:
    """Weekly hours of a class in a subject. Lessons a week as exact fractions; see `rooms.coverage`."""

    school_code: str
    school_name: str
    class_code: str
    grades: tuple[int, ...]
    subject: str
    required: Fraction
    local: Fraction
    received: Fraction
    """Valid received lessons ÷ weeks counted."""
    missing: Fraction
    offered: bool
    """开齐: taught locally or received at all."""
    complete: bool
    """开足: hours met."""
    occurrence_ids: tuple[str, ...]
    """The valid lessons received, in order of time."""


async def coverage_table(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> list[CoverageLine]:
    """Weekly hours of every class and subject that is required, in the scope, over the school days of the period until today.

    Required is the county's curriculum plan (of a combined class the largest of its grades); where the plan says nothing of a
    class's grades, what is taught locally plus what ``needs.csv`` asks for.
    """
    term = await load_term(session, scope.county)
    weeks = weeks_of(len(_school_days(term, period, now)))
    schools = {school.code: school for school in await schools_of(session, scope)}
    classes = await session.scalars(
        select(SchoolClass)
        .where(
            SchoolClass.county == scope.county,
            SchoolClass.school_code.in_(schools),
            SchoolClass.retired.is_(False),
        )
        .order_by(SchoolClass.school_code, SchoolClass.code)
    )
    local = await _local_halves(session, scope.county)
    required = _Required(await _curriculum(session, scope.county), local, await _needs(session, scope.county))
    rows = await side_rows(session, scope, period, now)
    names = {code: school.name for code, school in schools.items()}
    return await asyncio.to_thread(_lines, classes.all(), names, required, rows, weeks)


def _lines(
    classes: Iterable[SchoolClass],
    names: Mapping[str, str],
    required: _Required,
    rows: Iterable[SideRow],
    weeks: Fraction,
) -> list[CoverageLine]:
    received = _received(rows)
    lines: list[CoverageLine] = []
    for each in classes:
        for subject, halves in sorted(required.of(each).items()):
            key = (each.code, subject)
            ids = received.get(key, [])
            line = cover(Hours(each.code, subject, halves, required.local.get(key, 0), len(ids)), weeks)
            lines.append(
                CoverageLine(
                    each.school_code,
                    names[each.school_code],
                    each.code,
                    tuple(each.grades),
                    subject,
                    line.required,
                    line.local,
                    line.received,
                    line.missing,
                    line.offered,
                    line.complete,
                    tuple(ids),
                )
            )
    return lines


def _school_days(term: Term, period: Period, now: datetime) -> list[object]:
    """School days of the period that have begun."""
    return list(term.school_days(period.first, min(period.last, term.local_day(now))))


@dataclass(frozen=True)
class _Required:
    """Weekly halves a class is to have in each subject."""

    by_grade: dict[tuple[int, str], int]
    local: dict[ClassSubject, int]
    needs: dict[ClassSubject, int]

    def of(self, school_class: SchoolClass) -> dict[str, int]:
        found: dict[str, int] = {}
        for (grade, subject), halves in self.by_grade.items():
            if grade in school_class.grades:
                found[subject] = max(halves, found.get(subject, 0))
        if found:
            return {subject: halves for subject, halves in found.items() if halves}
        asked = {subject: halves for (code, subject), halves in self.needs.items() if code == school_class.code}
        own = {subject: halves for (code, subject), halves in self.local.items() if code == school_class.code}
        return {subject: asked.get(subject, 0) + own.get(subject, 0) for subject in asked.keys() | own.keys()}


async def _curriculum(session: AsyncSession, county: str) -> dict[tuple[int, str], int]:
    """(grade, subject) → weekly halves of the plan in force."""
    named = await session.scalar(select(County.curriculum_plan).where(County.code == county))
    rows = (await session.scalars(select(CurriculumHours).where(CurriculumHours.county == county))).all()
    plan = counting_plan(named or "", {row.plan_code for row in rows})
    return {(row.grade, row.subject): row.halves for row in rows if row.plan_code == plan}


async def _needs(session: AsyncSession, county: str) -> dict[ClassSubject, int]:
    rows = await session.scalars(select(Need).where(Need.county == county))
    return {(row.class_code, row.subject): row.halves for row in rows}


async def _local_halves(session: AsyncSession, county: str) -> dict[ClassSubject, int]:
    """Weekly halves of each class and subject in the local timetable."""
    found: dict[ClassSubject, int] = {}
    for row in await session.scalars(select(LocalLesson).where(LocalLesson.county == county)):
        for code in row.class_codes:
            key = (code, row.subject)
            found[key] = found.get(key, 0) + (2 if row.weeks == ALL_WEEKS else 1)
    return found


def _received(rows: Iterable[SideRow]) -> dict[ClassSubject, list[str]]:
    """(class, subject) → the valid remote lessons it received."""
    found: dict[ClassSubject, list[str]] = {}
    for row in rows:
        remote = row.family in REMOTE_FAMILIES and row.kind == "lesson" and row.side == "receiver"
        if remote and row.done and row.class_code:
            found.setdefault((row.class_code, row.subject), []).append(row.occurrence_id)
    return found
