"""A classroom's page whose relay worker stops or is killed: it finds the class on the next worker, at another origin, by itself."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from chromium import holds, open_screen
from cluster_world import Crew, clustered
from playwright.async_api import Browser, Page
from waiting import until

from api.access import session_cookie

KEEP_FIGURES = "sanke.room.addEventListener('media', (event) => (window.figures = event.detail.sessions))"
RUNG = """(window.figures ?? []).some((each) => each.side === sanke.room.side && each.source === "lead" && each.rung === "audio")"""


async def choose(page: Page, rung: str) -> None:
    """Chooses by hand what the classroom wants to receive."""
    await page.locator("#rung").click()
    await page.locator(f"[data-rung='{rung}']").click()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_page_follows_its_class_and_says_its_choice_again(
    browser: Browser, store_url: str, redis_url: str, tmp_path: Path
) -> None:
    crew = Crew(store_url, redis_url, tmp_path)
    try:
        async with (
            clustered(crew, workers=3) as cluster,
            cluster.class_in_session(0) as (lead, _),
            cluster.moving(lead),
        ):
            await until(lambda: lead.sessions == 1)
            server, people = cluster.site.server, cluster.site.world.here.tokens
            async with cluster.site.client(people["lead_teacher"]) as teacher:
                await teacher.post(f"/api/live/{cluster.room}/open", json={})
            screen = await open_screen(browser, server.local_url)
            name, token = session_cookie(server.services.settings), people["device"]
            await screen.context.add_cookies([{"name": name, "value": token, "url": server.local_url}])
            await screen.page.goto(f"/classroom/{cluster.room}")

            page = screen.page

            async def seen(sessions: int) -> None:
                await holds(page, f"sanke.subscriber.sessions >= {sessions}")
                await holds(page, "sanke.readReceived().then((them) => them?.framesDecoded > 0)")

            await seen(1)
            await page.evaluate(KEEP_FIGURES)
            await choose(page, "audio")
            await holds(page, RUNG)
            for sessions, how in ((2, signal.SIGTERM), (3, signal.SIGKILL)):
                ended = time.monotonic()
                await crew.end(await cluster.origin(), how)
                await holds(page, f"sanke.subscriber.sessions >= {sessions}")
                assert time.monotonic() - ended < 20
                assert await cluster.origin() in crew.workers
                await page.evaluate("window.figures = []")
                await holds(page, RUNG)
            await choose(page, "")
            await seen(3)
            refused = [error for error in screen.errors if "Content Security Policy" in error or "CORS" in error]
            assert refused == []
    finally:
        crew.close()
