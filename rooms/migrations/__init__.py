"""Schema of the store, from the first table on: alembic migrations that live in the package and run from any folder.

A change of `rooms.tables` needs a migration: ``python -m rooms.migrations.revise "what it does"`` drafts one, a test compares
the migrated schema with the tables on both databases. SQLite alters a table only through ``op.batch_alter_table``. There are no
downgrades: the way back is a backup.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from rooms.store import Store

FOLDER = Path(__file__).parent


class Newer(Exception):
    """The store was brought up to date by a newer version of the program; the text is its revision."""


@cache
def newest() -> str:
    """The revision of the last migration, as its file is called: ``v0008_encoders_of_recording_rooms.py``."""
    return max(each.name[1:].split("_")[0] for each in (FOLDER / "versions").glob("v*.py"))


async def upgrade(store: Store) -> None:
    """Bring the store's schema to the newest version; nothing happens where it is already there. Raises `Newer`."""
    async with store.engine.begin() as connection:
        revision = await connection.run_sync(_revision)
    if revision == newest():
        return
    if revision is not None and revision > newest():
        raise Newer(revision)
    from rooms.migrations.upgrading import bring_up  # alembic is loaded only where there is something to do

    # As an act of `Store.write`: on SQLite whoever comes second waits for the first, and then finds nothing to do.
    async with store.engine.execution_options(sanke_writes=True).begin() as connection:
        await connection.run_sync(bring_up)


def _revision(connection: Connection) -> str | None:
    """The schema's revision; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
