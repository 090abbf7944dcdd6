"""The store: one engine, one unit of work, both databases alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
"""PostgreSQL takes a connection, and answers one statement, within these times; a firewall that forgot a connection tells nobody,
and evidence would wait behind it for ever."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: written into the audit log with every act."""

    name: str
    """``account:liwei``, ``device:12``, ``system``."""
    role: str
    address: str = ""


SYSTEM = Actor("system", "system")


class Store:
    """The database. Reads run in `read`, acts in `write`; each is one transaction.

    On SQLite, writers queue on one lock in the process and begin with ``BEGIN IMMEDIATE``; on PostgreSQL they meet at the audit
    log's head row, and those who plan a county at its own (`rooms.planning.turns`).
    """

    def __init__(self, url: str | URL, *, patience: float | None = ANSWER_SECONDS) -> None:
        """`patience`: seconds for a statement of PostgreSQL."""
        self.url = make_url(url)
        self.engine: AsyncEngine = create_async_engine(self.url, **self._options(patience))
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writer = asyncio.Lock() if self.sqlite else None
        self._steps: set[asyncio.Task[object]] = set()

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def _options(self, patience: float | None) -> dict[str, Any]:
        if self.sqlite:
            return {}
        waits = {"timeout": CONNECT_SECONDS, "command_timeout": patience}
        return {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True, "connect_args": waits}

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session to read with; nothing in it is kept."""
        async with self._session() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are committed together at the end, or not at all."""
        async with self._writer or nullcontext(), self._session(sanke_writes=True) as session:
            yield session
            await self._whole(session.commit())

    @asynccontextmanager
    async def _session(self, **options: Any) -> AsyncIterator[AsyncSession]:
        """A session that gives its connection back even where its task is cancelled meanwhile; what is not committed is undone."""
        session = self._sessions()
        try:
            if self.sqlite:  # a connection that is given up half way stays open
                await self._whole(session.connection(execution_options=options))
            yield session
        finally:
            await self._whole(session.close())

    async def _whole(self, step: Coroutine[Any, Any, object]) -> None:
        """Does it to its end; whoever is cancelled meanwhile is so after it."""
        task = asyncio.create_task(step, name="store-step")
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as cancel:
                cancelled = cancel
        failed = task.exception()
        if cancelled is not None:
            raise cancelled
        if failed is not None:
            raise failed

    async def close(self) -> None:
        """Gives every connection up, those of cancelled tasks too."""
        if self._steps:
            await asyncio.wait(self._steps)
        await self.engine.dispose()


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("sanke_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
