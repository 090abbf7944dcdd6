"""The five-level tree: nation, province, city, county, school, and teaching points below their school."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables as t
from rooms.county import County, School

NATION = "中国"
UNNAMED = "—"


async def plant(session: AsyncSession, county: County) -> int:
    """Makes or mends the nodes from the nation down to the county; returns the county's node id."""
    nation = await _node(session, None, "nation", NATION)
    province = await _node(session, nation, "province", county.province or UNNAMED)
    city = await _node(session, province, "city", county.city or UNNAMED)
    node = await session.scalar(select(t.OrgUnit).where(t.OrgUnit.level == "county", t.OrgUnit.county == county.code))
    if node is None:
        node = t.OrgUnit(level="county", name=county.name, path="", county=county.code)
        session.add(node)
    await _place(session, node, city, county.name)
    return node.id


async def plant_schools(session: AsyncSession, county: County, county_node: int) -> None:
    """Makes or mends a node for every school and teaching point, and names it in the school's row."""
    root = await session.get_one(t.OrgUnit, county_node)
    known = {
        node.school_code: node
        for node in await session.scalars(
            select(t.OrgUnit).where(t.OrgUnit.county == county.code, t.OrgUnit.school_code.is_not(None))
        )
    }
    fresh = [school for school in county.schools if school.code not in known]
    for school in fresh:
        known[school.code] = t.OrgUnit(
            level=_level(school), name=school.name, path="", county=county.code, school_code=school.code
        )
    session.add_all(known[school.code] for school in fresh)
    await session.flush()
    for school in sorted(county.schools, key=lambda school: _level(school) == "point"):  # parents before points
        node, parent = known[school.code], known.get(school.parent_school_code) if school.parent_school_code else None
        above = parent if _level(school) == "point" and parent is not None and parent.level == "school" else root
        node.level, node.name = _level(school), school.name
        node.parent_id, node.path = above.id, f"{above.path}{node.id}/"
    await session.flush()
    linked = [{"_county": county.code, "_code": code, "org_id": node.id} for code, node in known.items() if code]
    await _link(session, linked)


async def _link(session: AsyncSession, linked: list[dict[str, object]]) -> None:
    schools: Any = t.School.__table__
    statement = (
        update(schools)
        .where(schools.c.county == bindparam("_county"), schools.c.code == bindparam("_code"))
        .values(org_id=bindparam("org_id"))
    )
    connection = await session.connection()
    await connection.execute(statement, linked)


def _level(school: School) -> str:
    return "point" if school.kind == "teaching_point" else "school"


async def _node(session: AsyncSession, parent: t.OrgUnit | None, level: str, name: str) -> t.OrgUnit:
    above = None if parent is None else parent.id
    node = await session.scalar(
        select(t.OrgUnit).where(
            t.OrgUnit.level == level, t.OrgUnit.name == name, t.OrgUnit.parent_id.is_not_distinct_from(above)
        )
    )
    if node is None:
        node = t.OrgUnit(level=level, name=name, path="")
        session.add(node)
        await _place(session, node, parent, name)
    return node


async def _place(session: AsyncSession, node: t.OrgUnit, parent: t.OrgUnit | None, name: str) -> None:
    await session.flush()
    node.name = name
    node.parent_id = None if parent is None else parent.id
    node.path = f"{parent.path if parent else '/'}{node.id}/"
    await session.flush()
