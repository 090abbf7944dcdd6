"""What every page of the operator's desk shares: its routes, and the schools to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.routing import Call, Code, Routes, Shape
from rooms.tables import Room, School

routes = Routes("operator")


class SchoolAt(Shape):
    """A school as chosen in a form."""

    county: Code
    school: Code


@dataclass(frozen=True, slots=True)
class SchoolChoice:
    """A school within the operator's reach, with its rooms."""

    county: str
    code: str
    name: str
    rooms: tuple[tuple[str, str], ...]
    """Code and kind of each room in use."""


async def schools_within(session: AsyncSession, call: Call[Any, Any, Any]) -> list[SchoolChoice]:
    """The schools for which the caller keeps people, by county and name."""
    rooms: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for room in await session.scalars(select(Room).where(Room.retired.is_(False)).order_by(Room.code)):
        rooms.setdefault((room.county, room.school_code), []).append((room.code, room.kind))
    schools = await session.scalars(
        select(School).where(School.retired.is_(False)).order_by(School.county, School.township, School.code)
    )
    return [
        SchoolChoice(each.county, each.code, each.name, tuple(rooms.get((each.county, each.code), ())))
        for each in schools
        if call.principal.may("people.change", county=each.county, school=each.code)
    ]
