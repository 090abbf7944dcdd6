"""The schools of a county with their people and rooms, and the doors to each one's week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, TypeVar

from aiohttp import web

from api.planner.desk import CountyPath, head_of, routes, show
from api.routing import Call, Nothing, Shape
from rooms.people import Principal
from rooms.planning.names import ClassName, Names, RoomName, TeacherName, names_of

N = TypeVar("N", TeacherName, ClassName, RoomName)


class Shown(Shape):
    """Which list is shown."""

    list: Literal["schools", "teachers", "rooms"] = "schools"


@routes.get("/planner/{county}/schools", needs="timetable.read", summary="Schools, teachers and rooms", page=True)
async def schools(call: Call[CountyPath, Shown, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, names = await head_of(session, call), await names_of(session, call.path.county)
    seen = reached(call.principal, head.county, names)
    return show(
        call, "schools", head, names=names, seen=[names.schools[code] for code in seen], tab=call.query.list,
        teachers=_by_school(names.teachers.values()), classes=_by_school(names.classes.values()),
        rooms=_by_school(names.rooms.values()),
    )  # fmt: skip


def reached(principal: Principal, county: str, names: Names) -> list[str]:
    """Codes of the schools that a principal sees."""
    return [s.code for s in names.schools.values() if not s.retired and principal.sees_school(county, s.code)]


def _by_school(values: Iterable[N]) -> dict[str, list[N]]:
    found: defaultdict[str, list[N]] = defaultdict(list)
    for value in values:
        if not value.retired:
            found[value.school_code].append(value)
    return found
