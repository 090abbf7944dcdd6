"""The store keeps a transaction whole, on both databases."""

import pytest
from sqlalchemy import func, select

from rooms.store import Store
from rooms.tables import OrgUnit


async def test_what_is_written_is_read(store: Store) -> None:
    async with store.write() as session:
        session.add(OrgUnit(level="nation", name="中国", path="/1/"))
    async with store.read() as session:
        assert (await session.scalar(select(OrgUnit.name))) == "中国"


async def test_a_failed_act_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.write() as session:
            session.add(OrgUnit(level="nation", name="中国", path="/1/"))
            await session.flush()
            raise RuntimeError
    async with store.read() as session:
        assert (await session.scalar(select(func.count()).select_from(OrgUnit))) == 0
