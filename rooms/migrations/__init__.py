"""Schema of the store, from the first table on: alembic migrations that live in the package and run from any folder.

A change of `rooms.tables` needs a migration: ``python -m rooms.migrations.revise "what it does"`` drafts one, a test compares
the migrated schema with the tables on both databases. SQLite alters a table only through ``op.batch_alter_table``. There are no
downgrades: the way back is a backup.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from rooms.store import Store

FOLDER = Path(__file__).parent
_LOCK = 0x73616E6B65  # "sanke": one server at a time migrates a PostgreSQL database


def configuration(connection: Connection | None = None) -> Config:
    """The alembic configuration; it needs no file of its own."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


async def upgrade(store: Store) -> None:
    """Bring the store's schema to the newest version; nothing happens where it is already there."""
    async with store.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(configuration(connection), "head")
