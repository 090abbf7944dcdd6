"""The bureau's first page, and the schools side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from aiohttp import web

from api.bureau.desk import Chosen, CountyPath, Head, head_of, routes, show
from api.bureau.live import running
from api.routing import Call, Nothing
from rooms.audit.checkpoints import newest_checkpoint
from rooms.counties import list_counties
from rooms.reports import (
    CoverageLine,
    QuotaLine,
    SideRow,
    coverage_table,
    exceptions,
    figures,
    figures_by_school,
    quota_table,
    side_rows,
)

WEEK_BARS = 24
"""At most this many weeks are drawn."""


@dataclass(frozen=True, slots=True)
class WeekBar:
    """A term week: receiving sides planned, due and done."""

    week: int
    monday: date
    planned: int
    due: int
    done: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Weekly hours in short: classes × subjects, how many are offered at all, how many are met."""

    lines: int
    offered: int
    complete: int
    missing: Fraction

    @property
    def offered_share(self) -> float:
        return self.offered / self.lines if self.lines else 0.0

    @property
    def complete_share(self) -> float:
        return self.complete / self.lines if self.lines else 0.0


@routes.get("/bureau", needs="report.read", summary="The counties an auditor sees", page=True)
async def counties(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    within = call.principal.counties("report.read")
    if len(within) == 1:
        return web.Response(status=303, headers={"Location": f"/bureau/{quote(within[0])}"})
    async with call.app.store.read() as session:
        found = [each for each in await list_counties(session) if each.code in within]
    return call.page("bureau/counties.html", counties=found)


@routes.get("/bureau/{county}", needs="report.read", summary="The bureau's overview of a county", page=True)
async def overview(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    now = call.app.clock.now()
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        found = await figures(session, head.scope, head.period, now)
        rows = await side_rows(session, head.scope, head.period, now)
        quota = await quota_table(session, head.scope, now)
        hours = await coverage_table(session, head.scope, head.period, now)
        concerns = await exceptions(session, head.scope, head.period, now)
        checkpoint = await newest_checkpoint(session)
    live = await running(call, head)
    view: dict[str, Any] = {
        "figures": found,
        "weeks": await asyncio.to_thread(week_bars, rows, head),
        "quota": quota,
        "standing": standing(quota),
        "hours": coverage(hours),
        "concerns": concerns,
        "checkpoint": checkpoint,
        "live": live,
        "now": now,
    }
    return show(call, "overview", head, view)


@routes.get("/bureau/{county}/schools", needs="report.read", summary="The figures of every school", page=True)
async def schools(call: Call[CountyPath, Chosen, Nothing]) -> web.Response:
    now = call.app.clock.now()
    async with call.app.store.read() as session:
        head = await head_of(session, call, call.query)
        found = await figures_by_school(session, head.scope, head.period, now)
    return show(call, "schools", head, {"rows": found})


def week_bars(rows: Sequence[SideRow], head: Head) -> list[WeekBar]:
    """Receiving sides of each week of the period that has any."""
    received: dict[int, list[SideRow]] = {}
    for row in rows:
        if row.side != "lead":
            received.setdefault(row.week, []).append(row)
    monday = head.term.start - timedelta(days=head.term.start.weekday())
    bars = []
    for week, mine in sorted(received.items())[-WEEK_BARS:]:
        due, done = sum(row.due for row in mine), sum(row.verdict == "VALID" for row in mine)
        bars.append(WeekBar(week, monday + timedelta(weeks=week - 1), len(mine), due, done))
    return bars


def standing(lines: Sequence[QuotaLine]) -> dict[str, int]:
    """How many ranked schools stand where in R2."""
    ranked = [line for line in lines if line.ranked]
    counts = {key: sum(line.outlook == key for line in ranked) for key in ("met", "on_course", "at_risk", "missed")}
    return {"schools": len(ranked), **counts}


def coverage(lines: Sequence[CoverageLine]) -> Coverage:
    """Weekly hours in short."""
    return Coverage(
        len(lines),
        sum(line.offered for line in lines),
        sum(line.complete for line in lines),
        sum((line.missing for line in lines), Fraction(0)),
    )
