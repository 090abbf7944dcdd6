"""The log grows with the act, without gaps, and the database refuses to change it."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from rooms.audit import append
from rooms.audit.leaf import Opening, commitment
from rooms.audit.log import locked_head
from rooms.audit.merkle import root, root_of_edge
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import AuditHead, AuditLeaf, AuditPersonal, OrgUnit

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)


async def some(store: Store, count: int) -> None:
    async with store.write() as session:
        for number in range(count):
            await append(session, SYSTEM, "test.act", f"thing:{number}", at=AT, facts={"number": number})


async def test_entries_are_numbered_from_zero(store: Store) -> None:
    async with store.write() as session:
        assert [await append(session, SYSTEM, "test.act", "thing", at=AT) for _ in range(5)] == [0, 1, 2, 3, 4]
    async with store.read() as session:
        leaves = (await session.scalars(select(AuditLeaf.leaf_hash).order_by(AuditLeaf.index))).all()
        size, edge = await locked_head(session)
    assert size == 5
    assert root_of_edge(edge) == root(leaves)


async def test_a_failed_act_leaves_no_entry(store: Store) -> None:
    await some(store, 3)
    with pytest.raises(RuntimeError):
        async with store.write() as session:
            await append(session, SYSTEM, "test.act", "thing", at=AT)
            raise RuntimeError
    async with store.write() as session:
        assert await append(session, SYSTEM, "test.act", "thing", at=AT) == 3


async def test_an_entry_that_cannot_be_written_stops_the_act(store: Store) -> None:
    with pytest.raises(TypeError):
        async with store.write() as session:
            session.add(OrgUnit(level="nation", name="中国", path="/1/"))
            await append(session, SYSTEM, "test.act", "thing", at=AT, facts={"bad": object()})
    async with store.read() as session:
        assert await session.scalar(select(func.count()).select_from(OrgUnit)) == 0


async def test_fifty_writers_leave_no_gap(store: Store) -> None:
    async def write(number: int) -> list[int]:
        found = []
        for turn in range(4):
            async with store.write() as session:
                found.append(await append(session, Actor(f"account:{number}", "planner"), "test.act", str(turn), at=AT))
        return found

    numbers = [index for found in await asyncio.gather(*(write(n) for n in range(50))) for index in found]
    assert sorted(numbers) == list(range(200))
    async with store.read() as session:
        rows = (await session.execute(select(AuditLeaf.index, AuditLeaf.leaf_hash).order_by(AuditLeaf.index))).all()
        size, edge = await locked_head(session)
    assert [row.index for row in rows] == list(range(200))
    assert (size, root_of_edge(edge)) == (200, root(row.leaf_hash for row in rows))


async def test_what_is_personal_stands_apart(store: Store) -> None:
    async with store.write() as session:
        actor = Actor("account:liwei", "operator", "10.20.30.40")
        await append(session, actor, "account.create", "account:wang", at=AT, personal={"name": "王芳"})
    async with store.read() as session:
        canonical = await session.scalar(select(AuditLeaf.canonical))
        kept = {row.field: Opening(row.salt, row.value) for row in await session.scalars(select(AuditPersonal))}
    assert canonical is not None
    assert "王芳" not in canonical.decode()
    assert "10.20.30.40" not in canonical.decode()
    assert {name: row.value for name, row in kept.items()} == {"name": "王芳", "address": "10.20.30.40"}
    assert commitment("name", kept["name"]) in canonical.decode()


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditLeaf).where(AuditLeaf.index == 1).values(actor="someone"),
        delete(AuditLeaf).where(AuditLeaf.index == 2),
        update(AuditHead).values(size=1),
        delete(AuditHead),
        text(
            'INSERT INTO audit_leaves SELECT "index" + 7, county, at, actor, role, action, object, canonical, leaf_hash FROM audit_leaves WHERE "index" = 0'
        ),
        update(AuditPersonal).values(value="x"),
    ],
    ids=["edit", "delete", "shrink the head", "drop the head", "leave a gap", "change an opening"],
)
async def test_the_database_refuses(store: Store, statement: object) -> None:
    async with store.write() as session:
        for number in range(3):
            await append(session, SYSTEM, "test.act", str(number), at=AT, personal={"name": "王芳"})
    with pytest.raises(DBAPIError):
        async with store.write() as session:
            await session.execute(statement)  # type: ignore[call-overload]  # one parametrised test over several kinds


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_sqlite_refuses_to_replace(store: Store) -> None:
    await some(store, 2)
    with pytest.raises(DBAPIError):
        async with store.write() as session:
            await session.execute(
                text('INSERT OR REPLACE INTO audit_leaves SELECT * FROM audit_leaves WHERE "index" = 1')
            )


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_postgresql_refuses_to_empty_the_log(store: Store) -> None:
    await some(store, 2)
    with pytest.raises(DBAPIError):
        async with store.write() as session:
            await session.execute(text("TRUNCATE audit_leaves CASCADE"))
