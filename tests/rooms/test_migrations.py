"""The migrations make exactly the tables that the code describes, and guards that no later statement gets past."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Select, select, text
from sqlalchemy.exc import DBAPIError

from rooms.audit import append
from rooms.clock import SystemClock
from rooms.migrations import newest, upgrade
from rooms.migrations.upgrading import configuration
from rooms.store import SYSTEM, Store
from rooms.tables import AuditLeaf, Base


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


async def test_the_migrated_schema_is_the_one_the_code_describes(store: Store) -> None:
    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_second_upgrade_changes_nothing(store: Store) -> None:
    await upgrade(store)
    assert newest() == ScriptDirectory.from_config(configuration()).get_current_head()
    async with store.read() as session:
        assert (await session.scalar(text("SELECT version_num FROM alembic_version"))) == newest()


@pytest.mark.parametrize("verb", ["UPDATE audit_leaves SET actor = 'x'", "DELETE FROM audit_leaves"])
async def test_the_audit_log_refuses_change(store: Store, verb: str) -> None:
    async with store.write() as session:
        await append(session, SYSTEM, "test", "thing:1", at=SystemClock().now())
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.write() as session:
            await session.execute(text(verb))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        select(AuditLeaf).where(AuditLeaf.object.in_(["side:1", "side:2"])).order_by(AuditLeaf.index.desc()).limit(9),
        select(AuditLeaf.action).where(AuditLeaf.county == "C").distinct().order_by(AuditLeaf.action),
    ],
    ids=["entries of a lesson", "actions of a county"],
)
async def test_a_page_does_not_read_the_whole_log(store: Store, query: Select[Any]) -> None:
    async with store.read() as session:
        plain = str(query.compile(store.engine.sync_engine, compile_kwargs={"literal_binds": True}))
        steps = [row.detail for row in await session.execute(text(f"EXPLAIN QUERY PLAN {plain}"))]
    assert steps[0].startswith("SEARCH")
    assert "COVERING" in steps[0] or "object=?" in steps[0], steps


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_whoever_comes_second_waits_for_the_first(tmp_path: Path, database: str) -> None:
    first = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    first.execute("PRAGMA journal_mode=WAL")
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE made_by_the_first (id INTEGER)")
    second = Store(f"sqlite+aiosqlite:///{tmp_path}/new.db")
    upgrading = asyncio.create_task(upgrade(second))
    await asyncio.sleep(0.5)
    first.execute("COMMIT")
    first.close()
    await upgrading
    await second.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_migrates_from_any_folder(tmp_path: Path, database: str) -> None:
    code = (
        "import asyncio\nfrom rooms.migrations import upgrade\nfrom rooms.store import Store\n"
        f"asyncio.run(upgrade(Store('sqlite+aiosqlite:///{tmp_path}/new.db')))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "new.db").stat().st_size > 0
