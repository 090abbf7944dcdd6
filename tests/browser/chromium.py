"""Chromium as the tests start it, and a page that tells what went wrong on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)
from waiting import PATIENCE, until

PROGRAM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect.set_options(timeout=1000 * PATIENCE)
SIZES = {"1366x768": (1366, 768), "1920x1080": (1920, 1080), "390x844": (390, 844)}
"""A school's notebook, a classroom's screen, a phone."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A fresh browser with a fake camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            with suppress(TimeoutError):  # the end of the driver ends it anyhow
                async with asyncio.timeout(20):
                    await browser.close()


async def holds(page: Page, truth: str) -> None:
    """Returns when an expression is true on the page. The pages' policy allows no waiting inside them: `wait_for_function` evaluates."""

    async def now() -> bool:
        try:
            return bool(await page.evaluate(truth))
        except Error as error:
            if "Execution context was destroyed" in error.message:  # by the next page
                return False
            raise

    await until(now, truth)


@dataclass
class Screen:
    """Somebody's browser: a profile of its own with one page, and everything that went wrong on it."""

    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)

    async def close(self) -> None:
        """Closes the profile. On a busy machine Chromium may never answer that; then it goes with the browser."""
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self.context.close()


async def open_screen(browser: Browser, base_url: str, size: str = "1366x768", language: str = "zh-CN") -> Screen:
    """A fresh profile with an empty page; console errors, exceptions and failed requests are noted."""
    width, height = SIZES[size]
    context = await browser.new_context(
        base_url=base_url, viewport=ViewportSize(width=width, height=height), locale=language
    )
    page = await context.new_page()
    screen = Screen(context, page)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            screen.errors.append(f"{message.text} {message.location.get('url', '')}".strip())

    page.on("console", said)
    page.on("pageerror", lambda error: screen.errors.append(f"exception: {error}"))
    page.on(
        "response",
        lambda answer: screen.errors.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None,
    )
    return screen
