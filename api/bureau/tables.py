"""The bureau's tables: the rows behind a figure, R2 by school, weekly hours, teaching points, exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.bureau.desk import Chosen, CountyPath, Head, head_of, routes, show
from api.routing import Call, Code, Nothing, Shape
from rooms.refusals import NotFound
from rooms.reports import (
    FIGURE_KEYS,
    CoverageLine,
    Participation,
    SideRow,
    coverage_table,
    exceptions,
    figure_rows,
    participation,
    quota_rows,
    quota_table,
    reach,
    side_rows,
)
from rooms.reports.rows import schools_of
from rooms.tables import School

FigureKey = Literal[
    "planned_lead", "due_lead", "done_lead", "invalid_lead", "excused_lead", "unexcused_lead", "unjudged_lead",
    "on_time_lead", "planned_receive", "due_receive", "done_receive", "invalid_receive", "excused_receive",
    "unexcused_receive", "unjudged_receive", "on_time_receive", "planned_points", "due_points", "done_points",
]  # fmt: skip
assert set(FIGURE_KEYS) == set(FigureKey.__args__)  # type: ignore[attr-defined]  # Literal's values


PAGE = 200


class FigurePath(Shape):
    county: Code
    figure: FigureKey


class SchoolPath(Shape):
    county: Code
    school: Code


class HoursPath(Shape):
    county: Code
    class_code: Code
    subject: Code


class Paged(Chosen):
    """A choice, and the page of its rows."""

    page: int = Field(default=1, ge=1, le=10**6)


@dataclass(frozen=True, slots=True)
class PointLine:
    """A teaching point: whom to call, and how much it took part in what it was to receive, as the figures ``…_points`` count."""

    code: str
    name: str
    township: str
    contact_name: str
    contact_phone: str
    planned: int
    due: int
    done: int
    weeks: int
    """Weeks with a valid lesson."""
    due_weeks: int
    subjects: tuple[str, ...]


@routes.get("/bureau/{county}/figures/{figure}", needs="report.read", summary="The rows that make a figure", page=True)
async def figure(call: Call[FigurePath, Paged, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        rows = await figure_rows(session, call.path.figure, head.scope, head.period, call.app.clock.now())
    return show(call, "rows", head, {"key": call.path.figure} | paged(rows, call.query.page))


@routes.get("/bureau/{county}/quota", needs="report.read", summary="R2: the term's remote lessons by school", page=True)
async def quota(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        lines = await quota_table(session, head.scope, call.app.clock.now())
    return show(call, "quota", head, {"lines": lines})


@routes.get(
    "/bureau/{county}/quota/{school}", needs="report.read", summary="The lessons behind a school's R2", page=True
)
async def quota_of(call: Call[SchoolPath, Paged, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        if call.path.school not in head.names.schools:
            raise NotFound
        rows = await quota_rows(session, head.county, call.path.school, call.app.clock.now())
    view = {"key": "quota", "school": call.path.school}
    return show(call, "rows", head, view | paged(rows, call.query.page))


@routes.get("/bureau/{county}/hours", needs="report.read", summary="Weekly hours of every class", page=True)
async def hours(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        lines = await coverage_table(session, head.scope, head.period, call.app.clock.now())
    return show(call, "hours", head, {"lines": lines, "classes": by_class(lines)})


@routes.get(
    "/bureau/{county}/hours/{class_code}/{subject}",
    needs="report.read",
    summary="The lessons behind a class's weekly hours",
    page=True,
)
async def hours_of(call: Call[HoursPath, Paged, Nothing]) -> web.Response:
    now = call.app.clock.now()
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        lines = await coverage_table(session, head.scope, head.period, now)
        line = next((each for each in lines if _is(each, call.path)), None)
        if line is None:
            raise NotFound
        rows = await side_rows(session, head.scope, head.period, now)
    received = set(line.occurrence_ids)
    mine = [row for row in rows if row.class_code == line.class_code and row.occurrence_id in received]
    return show(call, "rows", head, {"key": "hours", "line": line} | paged(mine, call.query.page))


def _is(line: CoverageLine, path: HoursPath) -> bool:
    return (line.class_code, line.subject) == (path.class_code, path.subject)


def paged(rows: Sequence[SideRow], page: int) -> dict[str, Any]:
    """All the rows for their number, and those of one page to show."""
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page, pages)
    return {"rows": rows, "shown": rows[(page - 1) * PAGE : page * PAGE], "page": page, "pages": pages}


@routes.get("/bureau/{county}/points", needs="report.read", summary="Participation of teaching points", page=True)
async def points(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        now = call.app.clock.now()
        lines = await point_lines(session, head, now)
        taking_part = await participation(session, head.scope, head.period, now)
        view = {"lines": lines, "reach": await reach(session, head.scope, head.period, now)}
    subjects = list(dict.fromkeys(line.subject for line in taking_part))
    return show(call, "points", head, view | {"subjects": subjects, "matrix": matrix(taking_part)})


@routes.get("/bureau/{county}/exceptions", needs="report.read", summary="Whom to call about what", page=True)
async def concerns(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        lines = await exceptions(session, head.scope, head.period, call.app.clock.now())
    kinds = list(dict.fromkeys(line.kind for line in lines))
    return show(call, "exceptions", head, {"lines": lines, "kinds": kinds})


async def point_lines(session: AsyncSession, head: Head, now: datetime) -> list[PointLine]:
    """Every teaching point of the scope, also one that never took part; those that take part least come first."""
    rows: dict[str, list[SideRow]] = {}
    for row in await side_rows(session, head.scope, head.period, now):
        if row.side != "lead":
            rows.setdefault(row.school_code, []).append(row)
    schools = await schools_of(session, head.scope)
    lines = [_point(each, rows.get(each.code, ())) for each in schools if each.kind == "teaching_point"]
    return sorted(lines, key=lambda line: (line.done / line.due if line.due else 0, line.township, line.name))


def _point(school: School, rows: Sequence[SideRow]) -> PointLine:
    valid = [row for row in rows if row.verdict == "VALID"]
    return PointLine(
        code=school.code,
        name=school.name,
        township=school.township,
        contact_name=school.contact_name,
        contact_phone=school.contact_phone,
        planned=len(rows),
        due=sum(row.due for row in rows),
        done=len(valid),
        weeks=len({row.week for row in valid}),
        due_weeks=len({row.week for row in rows if row.due}),
        subjects=tuple(sorted({row.subject for row in valid})),
    )


def matrix(lines: Sequence[Participation]) -> list[tuple[str, str, list[Participation]]]:
    """School name and kind with its cells, one for each subject in the table's order."""
    found: dict[str, list[Participation]] = {}
    for line in lines:
        found.setdefault(line.school_code, []).append(line)
    return [(cells[0].school_name, cells[0].school_kind, cells) for cells in found.values()]


def by_class(lines: Sequence[CoverageLine]) -> list[tuple[str, str, str, tuple[int, ...], list[CoverageLine]]]:
    """School code and name, class, grades and its lines, in the table's order."""
    found: dict[tuple[str, str], list[CoverageLine]] = {}
    for line in lines:
        found.setdefault((line.school_code, line.class_code), []).append(line)
    return [(code, group[0].school_name, name, group[0].grades, group) for (code, name), group in found.items()]
