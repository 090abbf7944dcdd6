"""The server as a process: it starts by itself, says where it is, and stops when asked."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from api_world import Site, make_world
from pydantic import SecretStr
from waiting import PATIENCE

from api.server import running
from api.starting import CannotStart
from config.settings import Settings


@asynccontextmanager
async def serving(folder: Path, port: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = os.environ | {"SANKE_DATA_DIR": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", str(port),
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: asyncio.subprocess.Process, pattern: str) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            if found := re.search(pattern, line):
                return found[0]
    raise AssertionError(f"ended without {pattern}")


async def test_the_first_start_gives_the_first_operator_a_link(tmp_path: Path) -> None:
    async with serving(tmp_path) as process:
        link = await line_with(process, r"http://127\.0\.0\.1:\d+/link/\S+")
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, headers={"Accept": "text/html"}) as browser:
            answer = await browser.post(link)
            assert str(answer.url).endswith("/password")
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, errors.decode()
        assert link.rsplit("/", 1)[1] not in errors.decode()
    async with serving(tmp_path) as process:
        await line_with(process, r"http://127\.0\.0\.1:\d+")
        process.send_signal(signal.SIGINT)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert b"/link/" not in out


async def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with serving(tmp_path, taken.getsockname()[1]) as process:
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1
    assert "--port" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_start_that_fails_half_way_leaves_nothing_running(settings: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        clash = settings.model_copy(update={"media_port": taken.getsockname()[1]})
        with pytest.raises(CannotStart, match=r"media_port_closed: .* in use"):
            async with running(clash):
                pass


@pytest.mark.parametrize("database", ["postgresql"])
async def test_postgresql_and_redis_come_by_settings_alone(settings: Settings, redis_url: str) -> None:
    city = settings.model_copy(update={"redis_url": SecretStr(redis_url)})
    async with running(city) as server, running(city) as other:
        async with aiohttp.ClientSession(server.local_url) as client, client.get("/healthz") as answer:
            assert (await answer.json())["database"] == "postgresql"
        async with other.services.bus.subscribe("topic") as messages:
            await server.services.bus.publish("topic", {"n": 1})
            async with asyncio.timeout(PATIENCE):
                assert await anext(messages) == {"n": 1}


@pytest.mark.parametrize("database", ["sqlite"])
async def test_an_open_page_does_not_hold_up_the_stop(settings: Settings) -> None:
    async with AsyncExitStack() as server_ends:
        server = await server_ends.enter_async_context(running(settings))
        world = await make_world(server.services.store, server.services.clock)
        site = Site(server, world)
        async with site.client(site.as_("device")) as classroom:
            socket = await classroom.ws_connect(f"/live/{world.here.occurrence}")
            assert (await socket.receive_json())["type"] == "welcome"
            listening = asyncio.create_task(socket.receive())  # as a browser does: it answers the close at once
            began = server.services.clock.monotonic()
            await server_ends.aclose()
            assert server.services.clock.monotonic() - began < 10
            assert (await listening).type is aiohttp.WSMsgType.CLOSE
