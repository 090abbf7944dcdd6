"""A master teacher's session with an online research community: its members attend at their own desks, and it is counted."""

from __future__ import annotations

import pytest
import small_county as sc
from chromium import SIZES
from playwright.async_api import Browser, Page, expect
from school_day import SchoolDay
from steps import signed_in
from test_both_ways import HAS_CAMERA, THIN, grows, wrong
from waiting import until

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def watches(page: Page) -> bool:
    seen = await page.evaluate("sanke.readReceived()")
    return bool(seen and seen["framesDecoded"] > 10 and seen["audioEnergy"] > 0)


async def test_a_member_attends_at_a_desk(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    host, member = await signed_in(browser, day, "suyun"), await signed_in(browser, day, "tianye")
    for screen in (host, member):
        await screen.context.add_init_script(THIN)
    await member.context.add_init_script(HAS_CAMERA)
    session = await day.due_lesson(seconds=600, members=[sc.VILLAGE_TEACHER, sc.POINT_TEACHER])

    page = member.page
    await page.goto("/teach")
    await expect(page.locator(".due-card")).to_contain_text("苏韵")
    await page.get_by_role("link", name="进入").click()
    await page.wait_for_url(f"**/teach/{session}")
    await expect(page.locator("body")).to_have_attribute("data-state", "planned")
    await expect(page.locator("#step-camera")).to_have_attribute("data-state", "done")
    for roll in ("#step-signed", "#step-counted", "#nag", "#pin-pad", "#bar-count"):
        await expect(page.locator(roll)).to_have_count(0)
    for width, height in SIZES.values():
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(WIDER) <= 0

    await host.page.goto(f"/teach/{session}")
    await host.page.get_by_role("button", name="开始上课").click()
    tile = host.page.locator(".class-tile").filter(has_text="田野")
    await expect(tile).to_have_attribute("data-presence", "watching")
    await expect(tile.locator("dl")).to_be_hidden()
    await expect(page.locator("body")).to_have_attribute("data-link", "connected")
    await until(lambda: watches(page), "the host's picture and sound")

    await page.keyboard.press("h")
    await expect(tile).to_have_attribute("data-hand", "up")
    await tile.get_by_role("button", name="请发言").click()
    await expect(page.locator("#floor-words")).to_have_text("正在发言，全体都能听到您")
    side = await tile.get_attribute("data-side")
    await grows(host.page, f"sanke.gallery.followers.get('{side}')", "audioEnergy")
    await page.locator("#floor-back").click()
    await expect(tile).not_to_have_attribute("data-speaks", "")

    await host.page.get_by_role("button", name="下课").click()
    await host.page.locator("#end-confirm").click()
    await expect(page.get_by_role("heading", name="本次研修已结束")).to_be_visible()
    await page.get_by_role("link", name="查看到课情况").click()
    await expect(page.get_by_role("heading", name="这节课的判定")).to_be_visible()
    await expect(page.locator(".verdict-card")).to_have_count(3)
    await page.goto("/teach")
    await expect(page.locator(".due-card")).to_have_count(0)
    assert wrong(host, member) == []
    for screen in (host, member):
        await screen.close()
