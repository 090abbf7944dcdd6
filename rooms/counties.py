"""The counties of the store: what a new import would change, saving it whole or not at all, and reading it again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables as t
from rooms.audit import append
from rooms.clock import Clock
from rooms.county import County
from rooms.county_rows import LASTING, REPLACED, Values, header_values, read_rows, rows_of
from rooms.differences import Diff, compare
from rooms.organisation import plant, plant_schools
from rooms.refusals import Conflict, NotFound
from rooms.store import Actor, Store
from rooms.tables import ImportRun


@dataclass(frozen=True, slots=True)
class CountyEntry:
    """A line of the list of counties."""

    code: str
    name: str
    city: str
    province: str
    org_id: int
    org_path: str
    term_start: date
    term_end: date
    timezone: str
    revision: int
    synthetic: bool
    schools: int


async def list_counties(session: AsyncSession) -> list[CountyEntry]:
    """Every county, by its code."""
    schools = (
        select(t.School.county, func.count().label("schools"))
        .where(t.School.retired.is_(False))
        .group_by(t.School.county)
        .subquery()
    )
    found = await session.execute(
        select(t.County, t.OrgUnit.path, func.coalesce(schools.c.schools, 0))
        .join(t.OrgUnit, t.OrgUnit.id == t.County.org_id)
        .outerjoin(schools, schools.c.county == t.County.code)
        .order_by(t.County.code)
    )
    return [
        CountyEntry(
            row.code, row.name, row.city, row.province, row.org_id, path, row.term_start, row.term_end, row.timezone,
            row.revision, row.synthetic, count,
        )
        for row, path, count in found
    ]  # fmt: skip


async def load_county(session: AsyncSession, code: str) -> County:
    """The county as it was read from its files. Raises `NotFound` ``county_not_found``."""
    header = await session.get(t.County, code)
    if header is None:
        raise NotFound("county_not_found", county=code)
    return await read_rows(session, header)


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """An accepted import. `rows`: file → number of rows; `changes`: file → added, changed, removed."""

    revision: int
    file_name: str
    sha256: str
    at: datetime
    by: str
    rows: Mapping[str, int]
    changes: Mapping[str, Mapping[str, int]]


async def list_imports(session: AsyncSession, code: str) -> list[ImportEntry]:
    """The accepted imports of a county, the newest first."""
    chosen = select(ImportRun).where(ImportRun.county == code).order_by(ImportRun.id.desc())
    return [
        ImportEntry(run.revision, run.file_name, run.sha256, run.at, run.by, run.rows, run.changes)
        for run in await session.scalars(chosen)
    ]


async def preview(store: Store, county: County) -> Diff:
    """What saving the county would change; nothing is written."""
    async with store.read() as session:
        present = await read_rows(session, header) if (header := await session.get(t.County, county.code)) else None
    return await asyncio.to_thread(compare, present, county)  # a large county keeps a core busy for a second


async def save_county(
    store: Store,
    actor: Actor,
    clock: Clock,
    county: County,
    *,
    file_name: str,
    sha256: str,
    synthetic: bool | None = None,
    into: str | None = None,
) -> ImportRun:
    """Puts the county in place of what the store holds under its code: all of it, or nothing.

    Schools, rooms, teachers and classes keep their rows; those that the files no longer name are retired. `into` is the county
    for which the person acts; where the files are another county's, `Conflict` ``other_county`` is raised. `synthetic` marks
    a demonstration; None keeps the mark that stands.
    """
    if into is not None and into != county.code:
        raise Conflict("other_county", county=county.code, expected=into)
    async with store.write() as session:
        header = await session.get(t.County, county.code, with_for_update=True)
        diff = await asyncio.to_thread(compare, await read_rows(session, header) if header else None, county)
        node = await plant(session, county)
        revision = header.revision + 1 if header else 1
        marked = synthetic if synthetic is not None else bool(header and header.synthetic)
        await _write_header(session, county, header, node, revision, marked)
        rows = rows_of(county)
        for file, table in LASTING.items():
            await _write_lasting(session, county.code, table, rows[file])
        await plant_schools(session, county, node)
        for file, table in REPLACED.items():
            stored: Any = table.__table__
            await session.execute(delete(stored).where(stored.c.county == county.code))
            if rows[file]:
                await session.execute(insert(stored), rows[file])
        run = ImportRun(
            county=county.code, revision=revision, file_name=file_name, sha256=sha256, at=clock.now(), by=actor.name,
            rows={file: len(found) for file, found in rows.items()}, changes=diff.counts(),
        )  # fmt: skip
        session.add(run)
        facts = {"revision": revision, "file": file_name, "sha256": sha256, "rows": run.rows, "changes": run.changes}
        await append(
            session, actor, "county.import", f"county:{county.code}", county=county.code, at=run.at, facts=facts
        )
    return run


async def _write_header(
    session: AsyncSession, county: County, header: t.County | None, node: int, revision: int, synthetic: bool
) -> None:
    values = header_values(county) | {"org_id": node, "revision": revision, "synthetic": synthetic}
    if header is None:
        session.add(t.County(code=county.code, **values))
    else:
        for name, value in values.items():
            setattr(header, name, value)
    await session.flush()


async def _write_lasting(session: AsyncSession, code: str, table: type[t.Base], rows: list[Values]) -> None:
    """Inserts new rows, updates those that are there, retires those that are missing."""
    stored: Any = table.__table__
    known = set(await session.scalars(select(stored.c.code).where(stored.c.county == code)))
    named = {row["code"] for row in rows}
    connection = await session.connection()
    if fresh := [{**row, "retired": False} for row in rows if row["code"] not in known]:
        await connection.execute(insert(stored), fresh)
    if there := [row for row in rows if row["code"] in known]:
        await connection.execute(_update(stored, there[0]), [_bound(row) for row in there])
    if gone := known - named:
        retire = (
            update(stored).where(stored.c.county == code, stored.c.code == bindparam("b_code")).values(retired=True)
        )
        await connection.execute(retire, [{"b_code": missing} for missing in sorted(gone)])


def _update(stored: Any, row: Values) -> Any:
    names = [name for name in row if name not in ("county", "code")]
    same = (stored.c.county == bindparam("b_county"), stored.c.code == bindparam("b_code"))
    return update(stored).where(*same).values({name: bindparam(f"b_{name}") for name in names} | {"retired": False})


def _bound(row: Values) -> Values:
    return {f"b_{name}": value for name, value in row.items()}
