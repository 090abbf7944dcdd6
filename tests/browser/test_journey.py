"""The whole way, for real: a county's files, a class held between browsers over the relay, and what it counts for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import small_county as sc
from chromium import Screen, open_screen
from lines import Line
from playwright.async_api import Browser, Page, expect
from school_day import PIN, SchoolDay

pytestmark = pytest.mark.journey

SMOOTH = "localStorage.setItem('sanke.devices', JSON.stringify({quality: 'smooth'}))"
"""The teacher's kept choice: 360p, so that two cores carry an encoder and two decoders."""


async def signed_in(browser: Browser, day: SchoolDay, login: str, size: str = "1366x768") -> Screen:
    """Somebody who opened their sign-in link."""
    screen = await open_screen(browser, day.url, size)
    await screen.page.goto(f"/link/{day.links[login]}")
    await screen.page.get_by_role("button", name="进入").click()
    return screen


async def enrolled(browser: Browser, day: SchoolDay, room: str) -> Screen:
    """A classroom's device that was enrolled with its printed code and shows its waiting screen."""
    screen = await open_screen(browser, day.url, "1920x1080")
    await screen.page.goto("/enrol")
    await screen.page.locator("input[name=code]").fill(day.codes[room])
    await screen.page.locator("form button").last.click()
    await screen.page.wait_for_url("**/classroom")
    return screen


async def until(ask: Callable[[], Awaitable[Any]], seconds: float, what: str) -> Any:
    """The first true answer."""
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await ask()):
                await asyncio.sleep(0.2)
            return answer
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


async def seen(page: Page) -> dict[str, float]:
    """What a classroom's page decoded, over all its sessions so far."""
    got = await page.evaluate("sanke.readReceived()")
    return got or {"framesDecoded": 0, "audioEnergy": 0}


async def watches(page: Page) -> None:
    """Frames are decoded and sound is heard, and both go on."""

    async def playing() -> bool:
        got = await seen(page)
        return got["framesDecoded"] > 5 and got["audioEnergy"] > 0

    await until(playing, 20, "picture and sound in the classroom")
    before = await seen(page)

    async def grew() -> bool:
        now = await seen(page)
        return now["framesDecoded"] > before["framesDecoded"] + 10 and now["audioEnergy"] > before["audioEnergy"]

    await until(grew, 8, "picture and sound that go on")


async def sign_in(page: Page, name: str) -> None:
    """The assistant chooses the name and types the PIN on the pad."""
    await page.locator("#step-signed button").click()
    await page.get_by_role("button", name=name).click()
    for digit in PIN:
        await page.locator(f"#pin-pad [data-digit='{digit}']").click()
    await page.locator("#pin-pad [data-pad=confirm]").click()
    await expect(page.locator("#step-signed")).to_have_attribute("data-state", "done")


async def count(page: Page, heads: int) -> None:
    """The head-count, typed on the keyboard."""
    await page.locator("#step-counted button").click()
    await page.keyboard.type(str(heads))
    await page.keyboard.press("Enter")
    await expect(page.locator("#step-counted")).to_have_attribute("data-state", "done")


async def test_a_class_is_held_and_counted(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    lesson = await day.due_lesson(minutes=2)
    line = Line(day.relay)
    await line.start()
    try:
        await hold(browser, day, lesson, line)
    finally:
        line.close()


async def hold(browser: Browser, day: SchoolDay, lesson: str, line: Line) -> None:
    teacher = await signed_in(browser, day, "suyun")
    await teacher.context.add_init_script(SMOOTH)
    village, point = await enrolled(browser, day, sc.VILLAGE_ROOM), await enrolled(browser, day, sc.POINT_ROOM)
    await line.take(village.page)
    for room in (village, point):
        await room.page.goto(f"/classroom/{lesson}")
        await expect(room.page.locator("body")).to_have_attribute("data-state", "planned")
    await sign_in(village.page, day.assistants[sc.VILLAGE])
    await count(village.page, sc.HEADS[sc.VILLAGE_CLASS] - 1)
    await count(point.page, sc.HEADS[sc.POINT_CLASS])

    await teacher.page.goto("/teach")
    await teacher.page.get_by_role("link", name="课前准备").click()
    await expect(teacher.page.locator("#who")).to_have_text("已到 2 / 2")
    await teacher.page.get_by_role("button", name="开始上课").click()
    await asyncio.gather(watches(village.page), watches(point.page))
    await expect(teacher.page.locator(".class-tile[data-presence=watching]")).to_have_count(2)
    print(await seen(village.page), teacher.errors, village.errors, point.errors)
