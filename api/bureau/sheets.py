"""Every table of the bureau as a file: CSV that Excel opens, or a workbook. Cells that could pass for formulas are made harmless."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal
from urllib.parse import quote

import xlsxwriter
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from api.bureau.desk import Chosen, CountyPath, Head, head_of, routes
from api.bureau.tables import FigureKey, point_lines
from api.pages import ZONE
from api.routing import Call, Nothing, Text
from config.words import catalogue
from rooms.importing.sheets import neutral
from rooms.reports import (
    FIGURE_KEYS,
    SideRow,
    coverage_table,
    exceptions,
    figure_rows,
    figures_by_school,
    quota_rows,
    quota_table,
)

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Table = Literal["rows", "schools", "quota", "hours", "points", "exceptions"]
Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to write: its name, the heads of its columns, its rows."""

    name: str
    heads: list[str]
    rows: list[list[Cell]]


class SheetPath(CountyPath):
    table: Table
    kind: Literal["csv", "xlsx"]


class SheetQuery(Chosen):
    """The same choice as the page's; `figure` or `quota_of` (a school) for the rows behind a number."""

    figure: FigureKey = "planned_receive"
    quota_of: Text = ""


@routes.get(
    "/bureau/{county}/export/{table}/{kind}", needs="report.read", summary="A table of the bureau as a file",
    produces="application/octet-stream",
)  # fmt: skip
async def export(call: Call[SheetPath, SheetQuery, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        sheet = await MAKERS[call.path.table](session, head, call)
    write = to_csv if call.path.kind == "csv" else to_xlsx
    body = await asyncio.to_thread(write, sheet, _note(call, head))
    name = f"{head.name}-{sheet.name}-{head.period.first:%Y%m%d}-{head.period.last:%Y%m%d}.{call.path.kind}"
    headers = {
        "Content-Disposition": f"attachment; filename=\"export.{call.path.kind}\"; filename*=UTF-8''{quote(name)}"
    }
    return web.Response(body=body, content_type=CSV if call.path.kind == "csv" else XLSX, headers=headers)


def _note(call: Call[Any, Any, Any], head: Head) -> str:
    """What stands below every exported table: scope, period, who exported it when, and its data level."""
    place = head.names.school(head.chosen.school) if head.chosen.school else head.chosen.township
    return call.say(
        "bureau.sheet_note",
        place=f"{head.name} {place}".strip(),
        first=head.period.first.isoformat(),
        last=head.period.last.isoformat(),
        who=call.principal.name,
        when=f"{call.app.clock.now().astimezone(ZONE):%Y-%m-%d %H:%M}",
    )


def to_csv(sheet: Sheet, note: str) -> bytes:
    """UTF-8 with a byte-order mark, for Excel."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(sheet.heads)
    writer.writerows([[neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in sheet.rows])
    writer.writerow([])
    writer.writerow([neutral(note)])
    return target.getvalue().encode("utf-8-sig")


def to_xlsx(sheet: Sheet, note: str) -> bytes:
    """A workbook of one sheet."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#DCEFE7", "bottom": 1, "text_wrap": True, "valign": "top"})
        page = book.add_worksheet(sheet.name[:31])
        page.freeze_panes(1, 0)
        page.set_column(0, len(sheet.heads) - 1, 16)
        page.write_row(0, 0, sheet.heads, bold)
        for line, row in enumerate(sheet.rows, 1):
            page.write_row(line, 0, row)
        page.autofilter(0, 0, max(1, len(sheet.rows)), len(sheet.heads) - 1)
        page.write(len(sheet.rows) + 2, 0, note)
        page.set_landscape()
        page.repeat_rows(0)
    return target.getvalue()


# ---------------------------------------------------------------- the tables

Maker = Callable[[AsyncSession, Head, Call[Any, Any, Any]], Awaitable[Sheet]]


def _sheet(call: Call[Any, Any, Any], name: str, heads: str, rows: list[list[Cell]]) -> Sheet:
    return Sheet(call.say(f"bureau.nav_{name}"), [call.say(f"bureau.{head}") for head in heads.split()], rows)


def word(call: Call[Any, Any, Any], key: str, plain: str) -> str:
    """The word for a code; a code of which the catalogue knows nothing stands as it is."""
    return call.say(key) if key in catalogue(call.caller.language) else plain


ROW_HEADS = (
    "day start end week subject family side school class_code teacher lead_school state verdict reason "
    "presence common required head_count expected late early_leave"
)


async def _rows(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    now, asked = call.app.clock.now(), call.query
    if asked.quota_of:
        found = await quota_rows(session, head.county, asked.quota_of, now)
    else:
        found = await figure_rows(session, asked.figure, head.scope, head.period, now)
    return _sheet(call, "rows", ROW_HEADS, await asyncio.to_thread(lambda: [_row(call, head, row) for row in found]))


def _row(call: Call[Any, Any, Any], head: Head, row: SideRow) -> list[Cell]:
    return [
        row.day.isoformat(),
        _hhmm(row.starts_at),
        _hhmm(row.ends_at),
        row.week,
        word(call, f"common.subject_{row.subject}", row.subject),
        call.say(f"common.family_{row.family}"),
        call.say(f"common.side_{row.side}"),
        row.school_name,
        row.class_code or "",
        head.names.teacher(row.teacher_code or row.lead_teacher_code),
        head.names.school(row.lead_school_code),
        call.say(f"common.state_{row.state}"),
        call.say(f"common.verdict_{row.verdict.lower()}") if row.verdict else "",
        word(call, f"verdict.reason_{row.reason}", row.reason or ""),
        row.presence_seconds,
        row.common_seconds,
        row.required_seconds,
        "" if row.head_count is None else row.head_count,
        row.expected,
        _yes(call, row.late),
        _yes(call, row.early_leave),
    ]


async def _schools(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    found = await figures_by_school(session, head.scope, head.period, call.app.clock.now())
    names = [call.say("bureau.school"), *(call.say(f"verdict.figure_{key}") for key in FIGURE_KEYS)]
    rows: list[list[Cell]] = [
        [head.names.school(code), *(line[key].value for key in FIGURE_KEYS)] for code, line in found.items()
    ]
    return Sheet(call.say("bureau.nav_schools"), names, rows)


async def _quota(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    lines = await quota_table(session, head.scope, call.app.clock.now())
    rows: list[list[Cell]] = [
        [
            line.school_name,
            word(call, f"common.kind_{line.school_kind}", line.school_kind),
            line.count,
            line.target,
            line.points if line.ranked else "",
            line.needed,
            line.planned_left,
            call.say(f"verdict.outlook_{line.outlook}"),
        ]
        for line in lines
    ]
    return _sheet(call, "quota", "school kind count target points needed planned_left outlook", rows)


async def _hours(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    lines = await coverage_table(session, head.scope, head.period, call.app.clock.now())
    rows: list[list[Cell]] = [
        [
            line.school_name,
            line.class_code,
            word(call, f"common.subject_{line.subject}", line.subject),
            _two(line.required),
            _two(line.local),
            _two(line.received),
            _two(line.missing),
            _yes(call, line.offered),
            _yes(call, line.complete),
        ]
        for line in lines
    ]
    return _sheet(call, "hours", "school class_code subject required local received missing offered complete", rows)


async def _points(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    rows: list[list[Cell]] = [
        [line.name, line.township, line.planned, line.due, line.done, line.weeks, line.contact_name, line.contact_phone]
        for line in await point_lines(session, head, call.app.clock.now())
    ]
    return _sheet(call, "points", "school township planned due done active_weeks contact phone", rows)


async def _exceptions(session: AsyncSession, head: Head, call: Call[Any, Any, Any]) -> Sheet:
    lines = await exceptions(session, head.scope, head.period, call.app.clock.now())
    rows: list[list[Cell]] = [
        [
            call.say(f"verdict.exception_{line.kind}"),
            line.school_name,
            f"{line.day} {line.detail}".strip(),
            line.contact_name,
            line.contact_phone,
        ]
        for line in lines
    ]
    return _sheet(call, "exceptions", "concern school detail contact phone", rows)


def _hhmm(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%H:%M}"


def _two(value: Fraction) -> float:
    return round(float(value), 2)


def _yes(call: Call[Any, Any, Any], value: bool) -> str:
    return call.say("common.yes" if value else "common.no")


MAKERS: Mapping[Table, Maker] = {
    "rows": _rows,
    "schools": _schools,
    "quota": _quota,
    "hours": _hours,
    "points": _points,
    "exceptions": _exceptions,
}
