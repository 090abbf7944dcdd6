"""A lesson taught both ways between real browsers: small pictures, the floor, the shared screen, and the figures of every line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import small_county as sc
from chromium import Screen, holds
from playwright.async_api import Browser, Page, expect
from school_day import SchoolDay
from steps import enrolled, signed_in
from waiting import until

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

THIN = "localStorage.setItem('sanke.devices', JSON.stringify({quality: 'smooth'}))"
NO_CAMERA = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) =>
  wanted.video ? Promise.reject(new DOMException("none", "NotFoundError")) : open(wanted);
"""
SIZES = """async () => [...(await sanke.publisher.pc.getStats()).values()]
  .filter((report) => report.type === "outbound-rtp" && report.frameHeight).map((report) => report.frameHeight).sort((a, b) => a - b)"""
HAS_CAMERA = "localStorage.setItem('sanke.camera', 'on')"
BETWEEN = {"403 (Forbidden)": "/join", "409 (Conflict)": "/whep/"}
"""What a page may meet between an act and the news of it: the floor is gone, nobody sends yet."""


async def received(page: Page, link: str) -> dict[str, float]:
    """Frames and sound of a connection of the page; zeros while there is none."""
    found: dict[str, float] | None = await page.evaluate(f"sanke.received({link})")
    return found or {"framesDecoded": 0, "audioEnergy": 0, "height": 0}


async def grows(page: Page, link: str, figure: str) -> None:
    """A figure of a connection goes on growing."""
    first = 0.0

    async def more() -> bool:
        nonlocal first
        now = (await received(page, link))[figure]
        first, grew = first or now, first and now > first
        return bool(grew)

    await until(more, f"{figure} of {link}")


def wrong(*screens: Screen) -> list[str]:
    def between(error: str) -> bool:
        return any(code in error and door in error for code, door in BETWEEN.items())

    return [error for each in screens for error in each.errors if not between(error)]


async def test_a_lesson_goes_both_ways(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    teacher = await signed_in(browser, day, "suyun")
    await teacher.context.add_init_script(THIN)
    village, point = await enrolled(browser, day, sc.VILLAGE_ROOM), await enrolled(browser, day, sc.POINT_ROOM)
    lesson = await day.due_lesson(seconds=600)
    await village.context.add_init_script(HAS_CAMERA)
    await point.context.add_init_script(NO_CAMERA)
    for room in (village, point):
        await room.page.goto(f"/classroom/{lesson}")
    await teacher.page.goto(f"/teach/{lesson}")
    await teacher.page.get_by_role("button", name="开始上课").click()
    tile = teacher.page.locator(".class-tile").filter(has_text="柳林村小学")
    await expect(tile).to_have_attribute("data-picture", "")
    side = await tile.get_attribute("data-side")
    picture = f"sanke.gallery.followers.get('{side}')"
    await grows(teacher.page, picture, "framesDecoded")
    assert (await received(teacher.page, picture))["height"] <= 180
    await expect(point.page.locator("#step-camera")).to_have_attribute("data-state", "open")
    assert await teacher.page.evaluate(SIZES) == [180, 360], "one for good lines and one for thin ones"
    await is_figured(tile, point.page)

    for shown in (True, False):
        await teacher.page.locator("#mute-sound").click()
        await expect(teacher.page.locator(".when-muted")).to_be_visible(visible=shown)
    await village.page.keyboard.press("h")
    await expect(tile).to_have_attribute("data-hand", "up")
    await speaks_and_is_heard(teacher.page, village.page, point.page, tile, picture)
    await is_asked_without_a_camera(teacher.page, point.page)
    await shows_its_screen(teacher.page, village.page, point.page)
    await ends_with_the_class(teacher.page, village.page)
    assert wrong(teacher, village, point) == []
    for screen in (teacher, village, point):
        await screen.close()


async def is_figured(tile: Any, point: Page) -> None:
    """The relay's figures of a class stand on its tile, in words; so does what another class chose to receive."""
    await expect(tile.locator("[data-f=vitals]")).to_contain_text("线路好")
    await expect(tile.locator("[data-f=vitals]")).to_contain_text("丢包")
    await point.get_by_role("button", name="接收画面").click()
    await point.get_by_role("button", name="只收声音").click()
    vitals = tile.page.locator(".class-tile").filter(has_text="石门教学点").locator("[data-f=vitals]")
    await expect(vitals).to_contain_text("只收声音")
    await expect(point.locator("#rung-words")).to_have_text("只收声音")
    frames = (await point.evaluate("sanke.readReceived()"))["framesDecoded"]
    await point.get_by_role("button", name="接收画面").click()
    assert (await point.evaluate("sanke.readReceived()"))["framesDecoded"] == frames, "its picture stands"
    await point.get_by_role("button", name="自动").click()
    await expect(vitals).not_to_contain_text("只收声音")
    await expect(point.locator("#rung-now")).to_be_hidden()


async def speaks_and_is_heard(teacher: Page, village: Page, point: Page, tile: Any, picture: str) -> None:
    """With the floor the village is heard by the teacher and the other class; without it by nobody."""
    assert (await received(teacher, picture))["audioEnergy"] == 0
    await teacher.keyboard.press(await tile.locator("kbd").inner_text())
    await expect(tile).to_have_attribute("data-speaks", "")
    await expect(village.locator("#floor-words")).to_have_text("正在发言，全体都能听到本班")
    await expect(village.locator("#hand")).to_have_attribute("aria-pressed", "false")
    await asyncio.gather(grows(teacher, picture, "audioEnergy"), grows(point, "sanke.views.speaker", "audioEnergy"))
    await expect(point.locator("#speaker-name")).to_contain_text("柳林村小学")

    async def larger() -> bool:
        return (await received(point, "sanke.views.speaker"))["height"] > 180

    await until(larger, "a larger picture of who speaks")
    await village.locator("#mute").click()
    await expect(tile.locator("[data-f=voice]")).to_have_text("教室已静音")
    await village.locator("#mute").click()
    await tile.get_by_role("button", name="结束发言").click()
    await expect(village.locator("#floor")).to_be_hidden()
    await expect(point.locator("[data-view=speaker]")).to_be_hidden()
    assert await point.evaluate("sanke.views.speaker.subscriber") is None

    async def quiet() -> bool:
        before = (await received(teacher, picture))["audioEnergy"]
        await grows(teacher, picture, "framesDecoded")
        await asyncio.sleep(0.5)
        return (await received(teacher, picture))["audioEnergy"] - before < 1e-6

    await until(quiet, "silence, once the browser has stopped to fill the gap")


async def is_asked_without_a_camera(teacher: Page, point: Page) -> None:
    """A class that has only a microphone, and has not opened it yet, is asked to, and heard when it did."""
    tile = teacher.locator(".class-tile").filter(has_text="石门教学点")
    await tile.get_by_role("button", name="请发言").click()
    await expect(tile.locator("[data-f=voice]")).to_have_text("教室没有打开麦克风")
    await point.locator("#floor-open").click()
    await expect(point.locator("#floor")).to_have_attribute("data-floor", "live")
    side = await tile.get_attribute("data-side")
    await grows(teacher, f"sanke.gallery.followers.get('{side}')", "audioEnergy")
    await point.locator("#floor-back").click()
    await expect(tile).not_to_have_attribute("data-speaks", "")


async def shows_its_screen(teacher: Page, *classrooms: Page) -> None:
    """The shared screen becomes large in every classroom and the teacher small beside it; a key swaps them; its end is followed."""
    await teacher.get_by_role("button", name="共享课件").click()
    for page in classrooms:
        await expect(page.locator("#views")).to_have_attribute("data-large", "screen")
        await expect(page.locator("[data-view=lead]")).to_have_attribute("data-place", "rail")
        await grows(page, "sanke.views.screen", "framesDecoded")
    await expect(teacher.locator("#sharing-seen")).to_have_text("收看 2 / 2")
    await classrooms[0].keyboard.press("s")
    await expect(classrooms[0].locator("#views")).to_have_attribute("data-large", "lead")
    await teacher.evaluate("sanke.share.stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    for page in classrooms:
        await expect(page.locator("[data-view=screen]")).to_be_hidden(timeout=3_000)
        await expect(page.locator("#views")).to_have_attribute("data-large", "lead")
    await expect(teacher.locator("#share")).to_have_attribute("aria-pressed", "false")


async def ends_with_the_class(teacher: Page, village: Page) -> None:
    """After the class no camera is on; the next class opens it again without being asked."""
    await teacher.get_by_role("button", name="下课").click()
    await teacher.locator("#end-confirm").click()
    await expect(village.get_by_role("heading", name="下课了")).to_be_visible()
    await expect(village.locator("#link-words")).to_have_text("下课了")
    await holds(village, "!sanke.voice.open")
    assert await village.evaluate("localStorage.getItem('sanke.camera')") == "on"
