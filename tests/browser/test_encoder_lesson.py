"""A recording room in the pages: its encoder is registered, tried, chosen by the teacher, and seen by the classroom."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import small_county as sc
from chromium import holds
from playwright.async_api import Browser, Page, expect
from recording_room import Film, RtspEncoder
from school_day import SchoolDay
from steps import enrolled, signed_in

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RtspEncoder]:
    """A recording room that the server of this day may reach."""
    async with RtspEncoder(Film()) as room:
        monkeypatch.setenv("SANKE_MEDIA_ENCODER_NETWORKS", '["127.0.0.1/32"]')
        monkeypatch.setenv("SANKE_MEDIA_ENCODER_PORTS", f"[{room.port}]")
        yield room


async def test_a_lesson_is_led_from_the_recording_room(
    room: RtspEncoder, school_day: SchoolDay, browser: Browser
) -> None:
    await _register(browser, school_day, room)
    await _teach(browser, school_day)
    assert room.viewers == 0


async def _register(browser: Browser, day: SchoolDay, room: RtspEncoder) -> None:
    operator = await signed_in(browser, day, "operator")
    page = operator.page
    await page.goto("/operator/encoders")
    await page.locator("[data-opens=new-encoder]").click()
    await page.locator("#field-place").select_option(f"{sc.COUNTY}/{sc.LEAD}")
    await page.locator("#new-encoder #field-room").select_option(sc.LEAD_ROOM)
    await page.locator("#field-url").fill(room.url("cam:secret"))
    await page.get_by_role("button", name="登记", exact=True).click()
    row = page.locator("#encoders tbody tr")
    await expect(row).to_contain_text(sc.LEAD_ROOM)
    await expect(row).not_to_contain_text("secret")
    await row.locator("summary").click()
    await page.locator("[data-try]").click()
    await expect(page.locator("[data-tried=works]")).to_contain_text("H264 320×240")
    assert operator.errors == []
    await operator.close()


async def _sees(page: Page) -> None:
    """Pictures go on being decoded."""
    decoded = "sanke.readReceived().then((found) => found?.framesDecoded ?? 0)"
    before = await page.evaluate(decoded)
    await holds(page, f"{decoded}.then((now) => now > {before + 15})")


async def _teach(browser: Browser, day: SchoolDay) -> None:
    teacher, village = await signed_in(browser, day, "suyun"), await enrolled(browser, day, sc.VILLAGE_ROOM)
    lesson = await day.due_lesson(seconds=600)
    await teacher.page.goto(f"/teach/{lesson}")
    await teacher.page.get_by_role("button", name="用录播教室设备直播").click()
    await expect(teacher.page.locator("#encoder-state")).to_have_attribute("data-state", "live")
    await teacher.page.get_by_role("button", name="开始上课").click()
    await village.page.goto(f"/classroom/{lesson}")
    await _sees(village.page)
    await holds(teacher.page, "document.getElementById('preview').videoWidth === 320")
    assert await teacher.page.evaluate("sanke.publisher.pc === null")
    await teacher.page.get_by_role("button", name="改回本机摄像头").click()
    await holds(teacher.page, "sanke.publisher.state === 'connected'")
    await _sees(village.page)
    for screen in (teacher, village):
        await screen.close()
