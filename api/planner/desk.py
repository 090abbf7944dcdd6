"""What every page of the planner's desk shares: its routes, the shapes of its addresses, and the head of a county."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.planner.suppositions import sentences
from api.routing import Call, Code, Routes, Shape
from rooms.planning.outlook import Term, Version, county_names, term_of, version
from rooms.refusals import NotFound

routes = Routes("planner")


class CountyPath(Shape):
    county: Code


class PlanPath(Shape):
    county: Code
    number: int = Field(ge=1, le=2**31 - 1, description="Number of a plan version within the county.")


class RunPath(Shape):
    county: Code
    run: int = Field(ge=1, le=2**31 - 1)


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above every page of a county. `term` is None before the first import."""

    county: str
    name: str
    term: Term | None
    today: date
    week: int


async def head_of(session: AsyncSession, call: Call[Any, Any, Any]) -> Head:
    """The head of the county in the address."""
    code: str = call.path.county
    now = call.app.clock.now()
    term = await term_of(session, code)
    if term is None:
        names = await county_names(session, [code])
        return Head(code, names.get(code, code), None, now.date(), 0)
    today = term.today(now)
    return Head(code, term.name, term, today, max(0, term.week_of(today)))


async def plan_of(session: AsyncSession, county: str, number: int) -> Version:
    """A plan version of a county, or a refusal: there is none of this number."""
    found = await version(session, county, number)
    if found is None:
        raise NotFound
    return found


def show(call: Call[Any, Any, Any], template: str, head: Head, **view: Any) -> web.Response:
    """A page of the desk, with its county's head, and what the plan version it shows supposes."""
    version, names = view.get("version"), view.get("names")
    supposed = sentences(call.caller.language, version.hypothesis, names) if version and names else []
    return call.page(f"planner/{template}.html", head=head, county=head.county, supposed=supposed, **view)


def download(body: bytes, kind: str, name: str) -> web.Response:
    """A file to keep, under a name."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    place = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return web.Response(body=body, content_type=kind, headers={"Content-Disposition": place})
