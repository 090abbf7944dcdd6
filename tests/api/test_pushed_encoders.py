"""Two web servers with an RTMP port each: an encoder that pushes leads its lesson whichever of them it finds."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from api_world import Site, make_world
from pydantic import SecretStr
from recording_room import children
from test_encoders import ask, form
from waiting import until

from api.relaying import relay_running
from api.server import running
from config.settings import Settings

PROGRAM = Path(__file__).parents[1] / "media" / "pushing_encoder.py"
SHOWN = "rtmp://push.example:1935/live"


@pytest.fixture
async def sites(store_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[list[Site]]:
    """Both servers; classes are on a relay worker."""
    shared: dict[str, Any] = {
        "data_dir": tmp_path, "database_url": store_url, "redis_url": SecretStr(redis_url), "port": 0, "log_level": "error",
        "plan_jobs": 0,
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(relay_running(Settings(**shared, relay_drain_seconds=0)))
        made: list[Site] = []
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            settings = Settings(**shared, media_rtmp_port=port, media_rtmp_url=SHOWN, relay_in_process=False)
            server = await stack.enter_async_context(running(settings))
            world = made[0].world if made else await make_world(server.services.store, server.services.clock)
            made.append(Site(server, world))
        yield made
    assert not children()


async def pushing(site: Site, key: str) -> asyncio.subprocess.Process:
    """An encoder that pushes to this server's door, again and again."""
    url = f"rtmp://127.0.0.1:{site.server.services.settings.media_rtmp_port}/live/{key}"
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), url, "{}", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": str(PROGRAM.parents[1])},
    )  # fmt: skip


@pytest.mark.parametrize("database", ["postgresql"])
async def test_it_is_tried_and_leads_at_whichever_door_it_finds(sites: list[Site]) -> None:
    one, two = sites
    here = one.world.here
    async with one.client(one.as_("operator")) as operator:
        status, slip = await ask(operator, "/api/operator/encoders", {**form(one, ""), "kind": "rtmp"})
        assert (status, slip["server"]) == (201, SHOWN)
        encoder = await pushing(two, slip["key"])
        try:
            status, tried = await ask(operator, f"/api/operator/encoders/{slip['encoder_id']}/try")
            assert tried["works"], tried
            async with one.client(one.as_("lead_teacher")) as teacher:
                door = f"/api/live/{here.occurrence}/encoder"
                await ask(teacher, door, {"encoder": slip["encoder_id"]})
                await until(lambda: is_live(two, here.occurrence))
                await until(lambda: is_silent(one, here.occurrence))
                encoder.kill()
                await encoder.wait()
                encoder = await pushing(one, slip["key"])
                await until(lambda: is_live(one, here.occurrence))
                await ask(teacher, door, method="DELETE")
        finally:
            encoder.kill()
            await encoder.wait()


async def is_silent(site: Site, occurrence: str) -> bool:
    """The server that has the encoder tells how it does, and nobody else."""
    return site.server.services.encoders.state(occurrence) is None


async def is_live(site: Site, occurrence: str) -> bool:
    state: dict[str, Any] | None = site.server.services.encoders.state(occurrence)
    return state is not None and state["state"] == "live"
