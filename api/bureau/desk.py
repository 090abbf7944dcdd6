"""What every page of the bureau's desk shares: its routes, the choice of period and township, and the head of a county."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages import ZONE
from api.routing import Call, Code, Routes, Shape, Text
from rooms.planning.names import Names, names_of
from rooms.planning.outlook import Term, term_of
from rooms.refusals import NotFound
from rooms.reports.rows import Period, Scope

routes = Routes("bureau")

Span = Literal["term", "month", "week", "today", "own"]


class CountyPath(Shape):
    county: Code


class Chosen(Shape):
    """Which part of the county and which days; the whole county and the whole term where nothing is given."""

    span: Span = "term"
    first: date | None = None
    last: date | None = None
    township: Text = ""
    school: Text = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above every page. `period` is the chosen one within the term; `query` repeats the choice in links."""

    county: str
    name: str
    term: Term
    today: date
    week: int
    chosen: Chosen
    scope: Scope
    period: Period
    names: Names

    @property
    def townships(self) -> list[str]:
        """The county's townships, sorted."""
        return sorted({each.township for each in self.names.schools.values() if each.township and not each.retired})

    def query(self, **changes: object) -> str:
        """The choice as a query, with changes; empty where it is the default."""
        kept = {
            "span": "" if self.chosen.span == "term" else self.chosen.span,
            "first": self.chosen.first.isoformat() if self.chosen.first else "",
            "last": self.chosen.last.isoformat() if self.chosen.last else "",
            "township": self.chosen.township,
            "school": self.chosen.school,
        }
        asked = {name: value for name, value in ({**kept, **changes}).items() if value}
        return f"?{urlencode(asked)}" if asked else ""


async def head_of(session: AsyncSession, call: Call[Any, Any, Any], chosen: Chosen | None = None) -> Head:
    """The head of the county in the address; a refusal where nothing was imported for it yet."""
    code: str = call.path.county
    term = await term_of(session, code)
    if term is None:
        raise NotFound
    asked = chosen or Chosen()
    today = term.today(call.app.clock.now())
    scope = Scope(code, asked.township or None, asked.school or None)
    return Head(
        county=code,
        name=term.name,
        term=term,
        today=today,
        week=max(0, term.week_of(today)),
        chosen=asked,
        scope=scope,
        period=period_of(asked, term, today),
        names=await names_of(session, code),
    )


def period_of(chosen: Chosen, term: Term, today: date) -> Period:
    """The days meant: the term, this month or week or day, or the caller's own, first and last in order."""
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    spans = {
        "term": (term.start, term.end),
        "month": (month, (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)),
        "week": (monday, monday + timedelta(days=6)),
        "today": (today, today),
        "own": (chosen.first or term.start, chosen.last or term.end),
    }
    first, last = sorted(spans[chosen.span])
    return Period(first, last)


def show(call: Call[Any, Any, Any], template: str, head: Head, view: dict[str, Any]) -> web.Response:
    """A page of the desk, with its county's head."""
    return call.page(f"bureau/{template}.html", head=head, county=head.county, **view)


def time_of_day(at: datetime) -> str:
    """To the second, as a row of evidence shows it."""
    return f"{at.astimezone(ZONE):%H:%M:%S}"
