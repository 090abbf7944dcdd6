"""The R2 quota of each school: valid remote lessons this term, what they are worth, and what is still missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.terms import load_term
from rooms.quota import TARGET, LessonFact, counted, forecast, points
from rooms.reports.rows import Period, Scope, SideRow, schools_of, side_rows
from rooms.tables import School
from scheduler.terms import Term

REMOTE_FAMILIES = ("delivery", "network")
"""Families whose lessons are remote synchronous teaching (异地同步教学); a community's meetings are not lessons."""


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """R2 (and R13, printed twice): valid remote lessons of a school this term, once per school and lesson."""

    school_code: str
    school_name: str
    school_kind: str
    ranked: bool
    """Teaching points are not ranked; their lessons are credited to their central school too."""
    count: int
    target: int
    points: int
    """0, 100, 105, 110, 115 or 120."""
    needed: int
    """Lessons still missing."""
    by_week: int
    """Last term week with school days."""
    planned_left: int
    """Remote lessons of the school still to come this term."""
    outlook: str
    """met, on_course, at_risk, missed."""
    occurrence_ids: tuple[str, ...]
    """The lessons that count, in order of time; as many as `count`."""


async def quota_table(session: AsyncSession, scope: Scope, now: datetime) -> list[QuotaLine]:
    """R2 of every school in the scope that leads or receives, over the county's whole term."""
    term = await load_term(session, scope.county)
    rows = await side_rows(session, Scope(scope.county), Period(term.first, term.last), now)
    everyone = await schools_of(session, Scope(scope.county))
    return await asyncio.to_thread(_lines, term, await schools_of(session, scope), _credit(everyone), rows, now)


def _lines(
    term: Term, schools: Iterable[School], credit: Mapping[str, str], found: Iterable[SideRow], now: datetime
) -> list[QuotaLine]:
    rows = _remote(found)
    counts = counted(lesson_facts(rows), credit)
    left = _still_planned(rows, credit, now)
    order = {row.occurrence_id: place for place, row in enumerate(rows)}
    by_week = term.week(max(term.school_days(), default=term.last))
    over = now >= term.instant(term.last, 24 * 60)
    lines: list[QuotaLine] = []
    for school in schools:
        if school.role == "none" and school.code not in counts:
            continue
        ids = tuple(sorted(counts.get(school.code, ()), key=order.__getitem__))
        outlook = forecast(len(ids), len(left.get(school.code, ())), by_week, over=over)
        lines.append(
            QuotaLine(
                school.code,
                school.name,
                school.kind,
                school.kind != "teaching_point",
                len(ids),
                TARGET,
                points(len(ids)),
                outlook.needed,
                outlook.by_week,
                outlook.planned_left,
                outlook.outlook,
                ids,
            )
        )
    return lines


async def quota_rows(session: AsyncSession, county: str, school_code: str, now: datetime) -> list[SideRow]:
    """One row for each lesson that counts in a school's R2: the valid side that made it count, its own before a teaching point's."""
    term = await load_term(session, county)
    rows = await side_rows(session, Scope(county), Period(term.first, term.last), now)
    credit = _credit(await schools_of(session, Scope(county)))
    return await asyncio.to_thread(_rows_of, school_code, credit, rows)


def _rows_of(school_code: str, credit: Mapping[str, str], of_term: Iterable[SideRow]) -> list[SideRow]:
    rows = _remote(of_term)
    ids = counted(lesson_facts(rows), credit).get(school_code, frozenset())
    mine = [row for row in rows if row.done and school_code in (row.school_code, credit.get(row.school_code))]
    found: dict[str, SideRow] = {}
    for row in sorted(mine, key=lambda row: row.school_code != school_code):
        if row.occurrence_id in ids:
            found.setdefault(row.occurrence_id, row)
    return sorted(found.values(), key=lambda row: (row.starts_at, row.occurrence_id))


def _remote(rows: Iterable[SideRow]) -> Sequence[SideRow]:
    """Those of remote lessons."""
    return [row for row in rows if row.family in REMOTE_FAMILIES and row.kind == "lesson"]


def lesson_facts(rows: Iterable[SideRow]) -> list[LessonFact]:
    """The judged remote lessons of some rows, in order."""
    lessons: dict[str, list[SideRow]] = {}
    for row in rows:
        lessons.setdefault(row.occurrence_id, []).append(row)
    return [
        LessonFact(
            occurrence_id,
            sides[0].lead_school_code,
            any(row.done for row in sides if row.side == "lead"),
            frozenset(row.school_code for row in sides if row.side != "lead" and row.done),
        )
        for occurrence_id, sides in lessons.items()
    ]


def _credit(schools: Iterable[School]) -> dict[str, str]:
    """Teaching point → its central school."""
    return {
        school.code: school.parent_school_code
        for school in schools
        if school.kind == "teaching_point" and school.parent_school_code
    }


def _still_planned(rows: Iterable[SideRow], credit: Mapping[str, str], now: datetime) -> dict[str, set[str]]:
    """School → remote lessons that are still to come, or wait for a verdict."""
    left: dict[str, set[str]] = {}
    for row in rows:
        waiting = row.verdict in (None, "UNJUDGED") and row.state != "cancelled" and not row.spared
        if waiting and (row.ends_at > now or row.verdict == "UNJUDGED"):
            for school in {row.school_code, credit.get(row.school_code, row.school_code)}:
                left.setdefault(school, set()).add(row.occurrence_id)
    return left
