"""The store keeps a transaction whole, on both databases."""

import asyncio
import logging
from pathlib import Path

import pytest
from silent_wire import silent_wire
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from waiting import SOON

from rooms import store as stores
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


async def test_a_reader_that_is_cancelled_twice_gives_its_connection_back(store: Store) -> None:
    async def read() -> None:
        async with store.read() as session:
            await session.scalar(select(OrgUnit.name))
            reads.set()
            await asyncio.Event().wait()

    reads = asyncio.Event()
    reading = asyncio.create_task(read())
    await reads.wait()
    for _ in range(2):
        reading.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({reading})
    await store.close()
    assert [each.get_name() for each in asyncio.all_tasks() if each.get_name() == "store-step"] == []


@pytest.mark.parametrize("does", ["reads", "streams", "writes"])
async def test_a_task_may_be_cancelled_anywhere(store: Store, caplog: pytest.LogCaptureFixture, does: str) -> None:
    """Wherever the cancellation meets it, nothing is complained of, the connection is whole, and a commit is one or none."""

    async def unit(number: int) -> None:
        if does == "reads":
            async with store.read() as session:
                await session.scalar(select(OrgUnit.name))
            return
        if does == "streams":
            async with store.read() as session:
                async for _ in (await session.stream(select(OrgUnit.name))).partitions(2):
                    pass
            return
        async with store.write() as session:
            session.add(OrgUnit(level="nation", name=str(number), path=f"/{number}/"))

    if does == "streams":
        async with store.write() as session:
            session.add_all(OrgUnit(level="nation", name=str(number), path=f"/{number}/") for number in range(20))
    for number in range(200):
        task = asyncio.create_task(unit(number))
        for _ in range(number % 40):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0004 * (number % 7))
        task.cancel()
        await asyncio.wait({task})
    async with store.write() as session:
        assert await session.scalar(select(func.count()).select_from(OrgUnit)) <= 200
    await store.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_silent_postgresql_is_left_and_called_again(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall forgets the connections: whoever waits for an answer would wait for ever, and all evidence behind it."""
    monkeypatch.setattr(stores, "CONNECT_SECONDS", 0.5)
    url = make_url(store_url)
    socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
    async with silent_wire(lambda: asyncio.open_unix_connection(socket)) as (wire, port):
        store = Store(url.set(host="127.0.0.1", port=port, query={}), patience=0.5)
        async with store.write() as session:
            session.add(OrgUnit(level="nation", name="中国", path="/1/"))
        wire.be_silent()
        for _ in range(2):
            async with asyncio.timeout(SOON):
                with pytest.raises(TimeoutError):
                    async with store.read() as session:
                        await session.scalar(select(OrgUnit.name))
        wire.be_well()
        async with store.read() as session:
            assert (await session.scalar(select(OrgUnit.name))) == "中国"
        await store.close()
