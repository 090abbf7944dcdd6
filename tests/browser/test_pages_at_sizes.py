"""Every page of the five desks, at three sizes and in both languages: no error on the console, nothing missing, nothing too wide."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
import small_county as sc
from chromium import SIZES, Screen
from playwright.async_api import Browser
from recorded import recorded
from school_day import SchoolDay
from steps import enrolled, planned, signed_in

from api.access import LANGUAGE_COOKIE
from api.app import every_route
from config.words import LANGUAGES
from rooms.planning.repairs import Wish, preview_repair
from rooms.store import SYSTEM

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """() => {
  const nav = document.querySelector(".bar-nav");
  return nav && innerWidth > 1000 ? Math.max(0, nav.scrollWidth - nav.clientWidth) : 0;
}"""
"""Pixels of the desk's own places that are out of sight; a phone scrolls them."""
ON_TOP = """() => {
  const [clock, level] = [".stage-clock", ".stage-level"].map((each) => document.querySelector(each)?.getBoundingClientRect());
  return Boolean(clock && level && clock.right > level.left && clock.bottom > level.top);
}"""
"""On a narrow stage the countdown and the microphone's level share one line."""
WHOSE = {
    "planner": "planner",
    "teach": "suyun",
    "classroom": "device",
    "bureau": "auditor",
    "operator": "operator",
    "recordings": "planner",
}
"""First word of an address → who opens it."""
ELSEWHERE = {"/", "/sign-in", "/link/{token}", "/password", "/enrol"}
"""Pages outside the desks, which tests/api opens, and a part that a page fetches into itself."""


def addresses(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Who opens what: every page of the route table, its places filled. A place nobody filled is an error of this test."""
    for route in every_route():
        if not route.page or route.method != "GET" or route.path in ELSEWHERE:
            continue
        path = re.sub(r"\{(\w+)\}", lambda place: values[place[1]], route.path)
        yield WHOSE[route.path.split("/")[1]], path + QUERIES.get(route.path, "")


QUERIES = {
    "/planner/{county}/plans/{number}/compare": "?to=1",
    "/planner/{county}/plans/{number}/place": "?meeting=D0001",
    "/planner/{county}/repair": "?kind=need_added",
    "/planner/{county}/substitutions": f"?kind=teacher_away&code={sc.TEACHER}",
}


async def look(screen: Screen, address: str) -> list[str]:
    """What is wrong with a page."""
    page, wrong = screen.page, []
    answer = await page.goto(address)
    if answer is None or answer.status != 200:
        screen.errors.clear()
        return [f"{address}: {answer.status if answer else 'no answer'}"]
    if "/sign-in" in page.url:
        return [f"{address}: leads to {page.url}"]
    await page.wait_for_timeout(250)
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        if (excess := await page.evaluate(WIDER)) > 0:
            wrong.append(f"{address}: {excess} px too wide at {size}")
        if (hidden := await page.evaluate(CUT)) > 0:
            wrong.append(f"{address}: {hidden} px of the places are cut off at {size}")
        if await page.evaluate(ON_TOP):
            wrong.append(f"{address}: the clock lies on the level at {size}")
    if not await page.locator("h1").count():
        wrong.append(f"{address}: no heading")
    wrong += [f"{address}: {error}" for error in screen.errors]
    screen.errors.clear()
    return wrong


async def walk(browser: Browser, day: SchoolDay, who: str, addresses: list[str]) -> list[str]:
    """What is wrong with somebody's pages, in every language."""
    device = who == "device"
    screen = await enrolled(browser, day, sc.VILLAGE_ROOM) if device else await signed_in(browser, day, who)
    wrong: list[str] = []
    for language in LANGUAGES:
        await screen.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": day.url}])
        screen.errors.clear()
        for address in addresses:
            wrong += [f"{language} {each}" for each in await look(screen, address)]
    await screen.close()
    return wrong


async def test_every_page_stands_at_every_size(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    await planned(browser, day)
    lesson = await day.due_lesson(seconds=2400)
    draft = await preview_repair(day.store, SYSTEM, day.clock, sc.COUNTY, Wish())
    values = {
        "draft": draft, "county": sc.COUNTY, "number": "1", "lesson": lesson, "occurrence": lesson, "school": sc.VILLAGE,
        "teacher": sc.TEACHER, "room": sc.VILLAGE_ROOM, "run": "1", "figure": "due_receive",
        "class_code": sc.VILLAGE_CLASS, "subject": "music", "wish": "W3", "recording": await recorded(day, lesson, camera_off=range(3, 9)),
    }  # fmt: skip
    whose: dict[str, list[str]] = {}
    for who, address in addresses(values):
        whose.setdefault(who, []).append(address)
    found = await asyncio.gather(*(walk(browser, day, who, each) for who, each in whose.items()))
    wrong = [line for lines in found for line in lines]
    assert not wrong, "\n".join(wrong)
    assert sum(map(len, whose.values())) > 20
