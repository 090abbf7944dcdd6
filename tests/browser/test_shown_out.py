"""A page that the server shows out of a lesson, or does not let in yet, shows what the lesson's page says now."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
import small_county as sc
from chromium import holds
from playwright.async_api import Browser, Page, WebSocketRoute, expect
from school_day import SchoolDay
from sqlalchemy import update
from steps import enrolled, signed_in
from test_both_ways import wrong
from waiting import until

from rooms.tables import Occurrence, Session

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def loads(page: Page) -> list[str]:
    """The pages that were loaded since."""
    loaded: list[str] = []
    page.on("framenavigated", lambda frame: loaded.append(frame.url))
    return loaded


async def entered(page: Page) -> None:
    """The page has its line."""
    await page.wait_for_load_state()
    await holds(page, "window.sanke?.room.side")


async def test_a_page_that_is_shown_out_says_why(school_day: SchoolDay, browser: Browser) -> None:
    """It lost its line, and meanwhile the lesson was cancelled."""
    teacher, room = await signed_in(browser, school_day, "suyun"), await enrolled(browser, school_day, sc.VILLAGE_ROOM)
    lesson = await school_day.due_lesson(seconds=600)
    await teacher.page.goto(f"/teach/{lesson}")
    await room.page.goto(f"/classroom/{lesson}")
    for each in (teacher, room):
        await entered(each.page)
    async with school_day.store.write() as session:
        await session.execute(
            update(Occurrence).where(Occurrence.id == lesson).values(state="cancelled", cancel_reason="power")
        )
    loaded = [loads(each.page) for each in (teacher, room)]
    for each in (teacher, room):
        await each.page.evaluate("sanke.room.drop()")
        await expect(each.page.locator("body")).to_have_attribute("data-state", "cancelled")
        await holds(each.page, "!window.sanke")  # the page enters no more
    assert [len(each) for each in loaded] == [1, 1]
    for each in (teacher, room):
        await each.close()


async def test_a_page_whose_session_ended_while_its_line_was_down_asks_for_a_sign_in(
    school_day: SchoolDay, browser: Browser
) -> None:
    """Its line is refused before it is one, and nobody says bye."""
    teacher = await signed_in(browser, school_day, "suyun")
    lesson = await school_day.due_lesson(seconds=600)
    await teacher.page.goto(f"/teach/{lesson}")
    await entered(teacher.page)
    async with school_day.store.write() as session:
        await session.execute(update(Session).values(ended_at=school_day.clock.now()))
    await teacher.page.evaluate("sanke.room.drop()")
    await teacher.page.wait_for_url("**/sign-in?**")
    await teacher.close()


async def test_a_page_and_a_line_that_disagree_come_together_slowly(school_day: SchoolDay, browser: Browser) -> None:
    """Of two servers one has opened the doors, by its clock, and the other one has not."""
    room = await enrolled(browser, school_day, sc.VILLAGE_ROOM)
    lesson = await school_day.due_lesson(seconds=600)
    lines = 0

    async def refuse(line: WebSocketRoute) -> None:
        nonlocal lines
        lines += 1
        if lines < 2:
            line.send(json.dumps({"type": "bye", "code": "too_early", "words": "", "facts": {}}))
            await line.close()
        else:
            line.connect_to_server()

    await room.page.route_web_socket("**/live/*", refuse)
    loaded = loads(room.page)
    await room.page.goto(f"/classroom/{lesson}")
    await asyncio.sleep(3)
    assert (lines, len(loaded)) == (1, 1)
    await until(lambda: len(loaded) == 2, "the page anew")
    await entered(room.page)
    assert (lines, len(loaded)) == (2, 2)
    await room.close()


async def test_a_teacher_who_is_early_enters_when_the_doors_open(school_day: SchoolDay, browser: Browser) -> None:
    teacher = await signed_in(browser, school_day, "suyun")
    lesson = await school_day.due_lesson(seconds=600)
    early = timedelta(minutes=school_day.settings.early_entry_minutes)
    async with school_day.store.write() as session:
        moved = school_day.clock.now() + early + timedelta(seconds=20)
        await session.execute(update(Occurrence).where(Occurrence.id == lesson).values(starts_at=moved))
    loaded = loads(teacher.page)
    await teacher.page.goto(f"/teach/{lesson}")
    await expect(teacher.page.get_by_role("button", name="开始上课")).to_be_disabled()
    await asyncio.sleep(2)
    assert len(loaded) == 1
    await expect(teacher.page.get_by_role("button", name="开始上课")).to_be_enabled()
    await entered(teacher.page)
    assert len(loaded) == 2
    assert wrong(teacher) == []
    await teacher.close()
