"""What people do before a test begins in earnest: come in, enrol a device, plan the county."""

from __future__ import annotations

from datetime import timedelta

import small_county as sc
from chromium import Screen, open_screen
from playwright.async_api import Browser, expect
from school_day import SchoolDay

from api.pages import ZONE
from rooms.planning.occurrences import Who, between


async def signed_in(browser: Browser, day: SchoolDay, login: str, size: str = "1366x768") -> Screen:
    """Somebody who opened their sign-in link."""
    screen = await open_screen(browser, day.url, size)
    await screen.page.goto(f"/link/{await day.link(login)}")
    await screen.page.get_by_role("button", name="进入").click()
    await screen.page.wait_for_url(lambda url: "/link/" not in url)
    return screen


async def enrolled(browser: Browser, day: SchoolDay, room: str) -> Screen:
    """A classroom's device that was enrolled with its printed code and shows its waiting screen."""
    screen = await open_screen(browser, day.url, "1920x1080")
    await screen.page.goto("/enrol")
    await screen.page.locator("input[name=code]").fill(day.codes[room])
    await screen.page.locator("form button").last.click()
    await screen.page.wait_for_url("**/classroom")
    return screen


async def planned(browser: Browser, day: SchoolDay) -> None:
    """The planner has the county planned in the browser and publishes the plan; both classes get their music."""
    planner = await signed_in(browser, day, "planner")
    page = planner.page
    await page.goto(f"/planner/{sc.COUNTY}/plans")
    await page.locator("select[name=seconds]").select_option("60")
    await page.locator("form[data-api$='/runs'] button.button-primary").click()
    await expect(page.locator("#run-open")).to_be_visible(
        timeout=90_000
    )  # it ends when the plan is proven to be the best
    await page.locator("#run-open").click()
    await page.wait_for_url("**/plans/1")
    await page.locator("a[href$='/publish']").first.click()
    await page.locator("[data-opens=publish-now]").click()
    await page.locator("#publish-now button.button-primary").click()
    await page.wait_for_url("**published=1*")
    assert planner.errors == []
    await planner.close()
    today = day.clock.now().astimezone(ZONE).date()
    async with day.store.read() as session:
        coming = await between(session, Who(sc.COUNTY), today + timedelta(days=1), today + timedelta(days=28))
    served = {side.school_code for lesson in coming for side in lesson.receivers}
    assert served == {sc.VILLAGE, sc.POINT}
