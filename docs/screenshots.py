"""Makes the pictures of the README: the demonstration county on a Tuesday morning, each desk at three sizes.

``.venv/bin/python docs/screenshots.py [desk …]`` writes ``docs/screenshots/*.png``; it needs Chromium and takes about two minutes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from api.cli.plan_now import plan_now
from api.cli.synthetic_class import SyntheticClass
from api.pages import ZONE
from api.server import running
from config.logs import configure_logs
from config.settings import Settings
from rooms.demo import load_demo

OUT = Path(__file__).parent / "screenshots"
SIZES = ((1366, 768), (1920, 1080), (390, 844))
DESKS = ("planner", "teacher", "classroom", "bureau")
PLAN_SECONDS = 25
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


class MorningClock:
    """The machine's clock, moved to a Tuesday, 10:12, in the county."""

    def __init__(self) -> None:
        now = datetime.now(UTC).astimezone(ZONE)
        tuesday = now - timedelta(days=now.weekday() - 1)
        self.shift = tuesday.replace(hour=10, minute=12) - now

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        return time.monotonic()


@asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[tuple[dict[str, str], str]]:
    """The demonstration with a class that is being held: desk → link, and the assistants' PIN."""
    settings = Settings(demo=True, data_dir=folder, database_url="", redis_url="", port=0, log_level="error")
    configure_logs(settings.log_format, settings.log_level)
    async with running(settings, clock=MorningClock()) as server:
        services = server.services

        async def plan(county: str) -> int:
            return await plan_now(services, county, PLAN_SECONDS, lambda text: None)

        made = await load_demo(services.store, services.clock, settings, plan, lambda step: print(f"  {step}"))
        held = SyntheticClass(server, made.county)
        try:
            await held.start()
            tokens = {
                "planner": made.planner,
                "teacher": made.teacher,
                "classroom": made.watching[0],
                "bureau": made.auditor,
            }
            yield {desk: f"{server.url}/link/{token}" for desk, token in tokens.items()}, made.pin
        finally:
            await held.close()


async def shoot(browser: Browser, desk: str, link: str, pin: str) -> None:
    """The desk's first view, at every size."""
    for width, height in SIZES:
        context = await browser.new_context(viewport=ViewportSize(width=width, height=height), locale="zh-CN")
        page = await context.new_page()
        await page.goto(link)
        await settle(page, desk, pin)
        await page.screenshot(path=OUT / f"{desk}-{width}x{height}.png")
        print(f"  {desk} {width}x{height}")
        await context.close()


async def settle(page: Page, desk: str, pin: str) -> None:
    """Waits until the desk shows what it is for: a classroom its picture, its assistant and its head-count."""
    await page.wait_for_load_state("load")
    if desk == "classroom":
        await page.locator("body[data-link=connected]").wait_for(timeout=30_000)
        if await page.locator("#nag").is_visible():
            await arrive(page, pin)
        await page.wait_for_timeout(2500)  # until the first key frame was decoded and painted
    await page.wait_for_timeout(1500)


async def arrive(page: Page, pin: str) -> None:
    """The first assistant signs in, and everybody is there."""
    await page.locator(".screen-nag [data-open=sign-in]").click()
    await page.locator("#assistants button").first.click()
    await page.keyboard.type(pin)
    await page.keyboard.press("Enter")
    await page.locator("#bar-assistant[data-done=true]").wait_for()
    await page.locator(".screen-nag [data-open=head-count]").click()
    await page.locator("#count-all").click()
    await page.locator("#bar-count[data-done=true]").wait_for()


async def main(wanted: tuple[str, ...]) -> None:
    """All the pictures, or those of the desks that are named."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with demonstration(Path(folder)) as (links, pin), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            for desk in wanted:
                await shoot(browser, desk, links[desk], pin)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(tuple(sys.argv[1:]) or DESKS))
