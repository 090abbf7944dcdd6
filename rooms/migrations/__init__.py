"""Schema of the store, from the first table on."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from rooms.audit import triggers
from rooms.store import Store
from rooms.tables import Base


async def upgrade(store: Store) -> None:
    """Bring the store's schema to the newest version."""
    async with store.engine.begin() as connection:
        await connection.run_sync(_create)


def _create(connection: Connection) -> None:
    fresh = not inspect(connection).has_table("audit_head")
    Base.metadata.create_all(connection)
    if fresh:
        triggers.install(connection)
