"""Schema of the store, from the first table on."""

from __future__ import annotations

from rooms.store import Store
from rooms.tables import Base


async def upgrade(store: Store) -> None:
    """Bring the store's schema to the newest version."""
    async with store.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
