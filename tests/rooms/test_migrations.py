"""The migrations make exactly the tables that the code describes, and guards that no later statement gets past."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from rooms.audit import append
from rooms.clock import SystemClock
from rooms.migrations import newest, upgrade
from rooms.migrations.upgrading import configuration
from rooms.store import SYSTEM, Store
from rooms.tables import Base


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
def test_it_migrates_from_any_folder(tmp_path: Path, database: str) -> None:
    code = (
        "import asyncio\nfrom rooms.migrations import upgrade\nfrom rooms.store import Store\n"
        f"asyncio.run(upgrade(Store('sqlite+aiosqlite:///{tmp_path}/new.db')))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "new.db").stat().st_size > 0
