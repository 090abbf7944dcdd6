"""The first page of a county: where it stands, what comes next, and how well its classes are supplied."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from api.planner.desk import CountyPath, head_of, routes, show
from api.routing import Call, Nothing
from rooms.counties import load_county
from rooms.planning.names import Names, SchoolName
from rooms.planning.outlook import Outlook, outlook
from rooms.planning.supply import CountySupply, received_of, supply_of
from rooms.planning.versions import load_plan
from rooms.store import Store


@routes.get("/planner/{county}", needs="plan.read", summary="A county at a glance and what comes next", page=True)
async def home(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        view = await outlook(session, call.path.county, call.app.clock.now())
        supply = await _supply(call.app.store, session, view) if view and view.names.schools else None
    return show(call, "home", head, view=view, supply=supply, townships=townships(view.names) if view else {})


_kept: WeakKeyDictionary[Store, dict[str, tuple[int, int | None, CountySupply]]] = WeakKeyDictionary()
"""The last supply of each county with the revision and the plan it was counted from; a large county takes a second to read."""


async def _supply(store: Store, session: AsyncSession, view: Outlook) -> CountySupply:
    """What the published plan brings, or else the latest one."""
    shown = view.published or view.latest
    stamp = (view.revision, shown.id if shown else None)
    kept = _kept.setdefault(store, {})
    if view.code not in kept or kept[view.code][:2] != stamp:
        plan = await load_plan(session, shown.id) if shown else None
        county = await load_county(session, view.code)
        kept[view.code] = (
            *stamp,
            await asyncio.to_thread(supply_of, county, received_of(plan.meetings if plan else ())),
        )
    return kept[view.code][2]


def townships(names: Names) -> Mapping[str, list[SchoolName]]:
    """The schools by township, leading ones first."""
    order = ("strong", "nine_year", "junior", "senior", "central_primary", "village_primary", "teaching_point")
    found: dict[str, list[SchoolName]] = {}
    for school in names.schools.values():
        if not school.retired:
            found.setdefault(school.township, []).append(school)
    for some in found.values():
        some.sort(key=lambda school: (order.index(school.kind), school.code))
    return dict(sorted(found.items(), key=lambda item: (-sum(s.leads for s in item[1]), -len(item[1]), item[0])))
