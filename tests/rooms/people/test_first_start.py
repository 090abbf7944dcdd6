"""Two servers whose first start is at the same moment, on one database and one data folder."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, select

from config.settings import Settings
from rooms.audit.notes import open_key
from rooms.clock import SystemClock
from rooms.keys import made_once
from rooms.people.setup import first_operator
from rooms.store import Store
from rooms.tables import OrgUnit


async def test_one_operator_and_one_tree_are_made(store: Store) -> None:
    others = [Store(store.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    try:
        made = await asyncio.gather(
            *(first_operator(each, SystemClock(), Settings(), "管理员") for each in (store, *others))
        )
        assert [each.first.login for each in made if each is not None] == ["operator"]
        async with store.read() as session:
            assert await session.scalar(select(func.count()).select_from(OrgUnit)) == 1
    finally:
        for each in others:
            await each.close()


def test_every_process_gets_the_same_whole_key(tmp_path: Path) -> None:
    path = tmp_path / "data" / "join.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda number: made_once(path, bytes([number]) * 32), range(8)))
    assert len(keys) == 1
    assert [len(key) for key in keys] == [32]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    with ThreadPoolExecutor(4) as pool:
        assert len({key.text for key in pool.map(open_key, [tmp_path] * 4)}) == 1
