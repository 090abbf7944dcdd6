"""A classroom's page whose relay worker is killed: it finds the class on the next worker, at another origin, by itself."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
from chromium import open_screen
from class_of_clients import until
from cluster_world import Crew, clustered
from playwright.async_api import Browser

from api.access import session_cookie


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_page_follows_its_class_to_another_worker(
    browser: Browser, store_url: str, redis_url: str, tmp_path: Path
) -> None:
    crew = Crew(store_url, redis_url, tmp_path)
    try:
        async with clustered(crew) as cluster, cluster.class_in_session(0) as (lead, _), cluster.moving(lead):
            await until(lambda: lead.sessions == 1)
            server, people = cluster.site.server, cluster.site.world.here.tokens
            async with cluster.site.client(people["lead_teacher"]) as teacher:
                await teacher.post(f"/api/live/{cluster.room}/open", json={})
            screen = await open_screen(browser, server.local_url)
            name, token = session_cookie(server.services.settings), people["device"]
            await screen.context.add_cookies([{"name": name, "value": token, "url": server.local_url}])
            await screen.page.goto(f"/classroom/{cluster.room}")

            async def frames() -> int:
                return int(await screen.page.evaluate("sanke.readReceived().then((them) => them?.framesDecoded ?? 0)"))

            async def seen(sessions: int) -> None:
                async with asyncio.timeout(20):
                    while await screen.page.evaluate("sanke.subscriber.sessions") < sessions or not await frames():
                        await asyncio.sleep(0.1)

            await seen(1)
            first = await cluster.origin()
            killed = time.monotonic()
            await crew.end(first, signal.SIGKILL)
            await seen(2)
            assert time.monotonic() - killed < 10
            assert await cluster.origin() in crew.workers
            refused = [error for error in screen.errors if "Content Security Policy" in error or "CORS" in error]
            assert refused == []
    finally:
        crew.close()
