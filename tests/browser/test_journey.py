"""The whole way, for real: a county's files, a class held between browsers over the relay, and what it counts for."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import small_county as sc
from chromium import Screen
from lines import Line
from playwright.async_api import Browser, Page, expect
from school_day import PIN, SchoolDay, environment_of
from sqlalchemy import select
from steps import enrolled, planned, signed_in
from waiting import until

from rooms.planning.occurrences import occurrence
from rooms.tables import EvidenceEvent, Verdict

pytestmark = pytest.mark.journey

SMOOTH = "localStorage.setItem('sanke.devices', JSON.stringify({quality: 'smooth'}))"
"""The teacher's kept choice: 360p, so that two cores carry an encoder and two decoders."""


NOBODY_SENDS = "409 (Conflict)"
"""What the relay answers between the end of the teacher's session and the news that the class is over."""
GRACE = timedelta(seconds=2)
"""How long after the lesson late evidence is taken."""
ENOUGH_SLOTS = 9
"""Slots of two seconds in which a side was surely there before the class ends; the rule asks for twelve seconds."""


async def seen(page: Page) -> dict[str, float]:
    """What a classroom's page decoded, over all its sessions so far."""
    got = await page.evaluate("sanke.readReceived()")
    return got or {"framesDecoded": 0, "audioEnergy": 0}


async def watches(page: Page) -> None:
    """Frames are decoded and sound is heard, and both go on."""

    async def playing() -> bool:
        got = await seen(page)
        return got["framesDecoded"] > 5 and got["audioEnergy"] > 0

    await until(playing, "picture and sound in the classroom")
    before = await seen(page)

    async def grew() -> bool:
        now = await seen(page)
        return now["framesDecoded"] > before["framesDecoded"] + 10 and now["audioEnergy"] > before["audioEnergy"]

    await until(grew, "picture and sound that go on")


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


async def test_a_class_is_held_and_counted(school_day: SchoolDay, browser: Browser, tmp_path: Path) -> None:
    day = school_day
    await planned(browser, day)
    line = Line(day.relay)
    await line.start()
    try:
        lesson = await hold(browser, day, line)
    finally:
        line.close()
    await counted(browser, day, lesson)
    await proven(day, tmp_path)


async def hold(browser: Browser, day: SchoolDay, line: Line) -> str:
    """The class, from the enrolment of the devices to its end; the lesson's id."""
    teacher = await signed_in(browser, day, "suyun")
    await teacher.context.add_init_script(SMOOTH)
    village, point = await enrolled(browser, day, sc.VILLAGE_ROOM), await enrolled(browser, day, sc.POINT_ROOM)
    await line.take(village.page)
    lesson = await day.due_lesson(seconds=90)
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
    tiles = teacher.page.locator(".class-tile")
    await expect(teacher.page.locator(".class-tile[data-presence=watching]")).to_have_count(2)
    await expect(tiles.filter(has_text="柳林村小学")).to_contain_text("25 / 26")
    await expect(tiles.filter(has_text="柳林村小学")).to_contain_text(day.assistants[sc.VILLAGE])
    await raises_its_hand(point.page, teacher.page)
    await is_cut_off_and_comes_back(village, line)

    for school in (sc.LEAD, sc.VILLAGE, sc.POINT):
        await until(partial(was_there, day, lesson, school), f"presence of {school} for as long as the rule asks")
    await teacher.page.get_by_role("button", name="下课").click()
    await teacher.page.locator("#end-confirm").click()
    await expect(teacher.page.get_by_role("heading", name="这节课的判定")).to_be_visible()
    for room in (village, point):
        await expect(room.page.get_by_role("heading", name="下课了")).to_be_visible()
    assert teacher.errors == []
    assert [error for error in point.errors if NOBODY_SENDS not in error] == []
    for screen in (teacher, village, point):
        await screen.close()
    return lesson


async def raises_its_hand(classroom: Page, teacher: Page) -> None:
    """The hand goes up on the lead's page, and the lead lowers it; a line of the lead shows on the big screen."""
    await classroom.keyboard.press("h")
    tile = teacher.locator(".class-tile[data-hand=up]")
    await expect(tile).to_contain_text("石门教学点")
    await tile.get_by_role("button", name="放下").click()
    await expect(classroom.locator("#hand")).to_have_attribute("aria-pressed", "false")
    await teacher.locator("#notice-text").fill("请看课本第 12 页")
    await teacher.keyboard.press("Enter")
    await expect(classroom.locator("#notice")).to_have_text("请看课本第 12 页")


async def is_cut_off_and_comes_back(room: Screen, line: Line) -> None:
    """A village's line is dead for some seconds, media and all; nobody touches anything."""
    body = room.page.locator("body")
    begun = time.monotonic()
    line.cut()
    await room.context.set_offline(True)
    await expect(body).to_have_attribute("data-link", "reconnecting")
    noticed = time.monotonic() - begun
    assert noticed < 10, f"the page noticed after {noticed:.1f} s"
    await expect(room.page.locator("#link-note", has_text="正在自动重连")).to_be_visible()
    await asyncio.sleep(2)
    frames = (await seen(room.page))["framesDecoded"]
    line.mend()
    await room.context.set_offline(False)
    await expect(body).to_have_attribute("data-link", "connected")
    await expect(room.page.locator("#link-note", has_text="正在自动重连")).to_be_hidden()

    async def goes_on() -> bool:
        now, sessions = await seen(room.page), await room.page.evaluate("sanke.subscriber.sessions")
        return now["framesDecoded"] > (frames if sessions == 1 else 0) + 10

    await until(goes_on, "frames after the line came back")


async def was_there(day: SchoolDay, lesson: str, school: str) -> bool:
    """Whether enough slots of the school's side say that most of what was sent arrived."""
    async with day.store.read() as session:
        held = await occurrence(session, lesson)
        assert held is not None
        side = next(side for side in held.sides if side.school_code == school)
        slots = await session.scalars(
            select(EvidenceEvent).where(EvidenceEvent.side_id == side.id, EvidenceEvent.kind == "slot")
        )
        return sum((slot.data["acknowledged"] or 0) * 2 > slot.data["packets"] for slot in slots) >= ENOUGH_SLOTS


async def verdicts(day: SchoolDay, lesson: str) -> dict[str, str | None]:
    """School → verdict, as the store has it."""
    async with day.store.read() as session:
        view = await occurrence(session, lesson)
    assert view is not None
    return {side.school_code: side.verdict for side in view.sides}


async def evidence(day: SchoolDay, lesson: str) -> str:
    """What a verdict rests on, for whoever reads a failure."""
    async with day.store.read() as session:
        judged = await session.scalars(select(Verdict).where(Verdict.occurrence_id == lesson))
        lines = [f"{row.reason} {row.presence_seconds}/{row.common_seconds}/{row.required_seconds} s" for row in judged]
        events = await session.scalars(
            select(EvidenceEvent).where(EvidenceEvent.occurrence_id == lesson).order_by(EvidenceEvent.at)
        )
        for event in events:
            numbers = [event.data.get(name) for name in ("packets", "acknowledged", "source_packets", "reason")]
            lines.append(f"{event.at:%H:%M:%S.%f} {event.side_id} {event.kind} {numbers}")
    return "\n".join(lines)


async def counted(browser: Browser, day: SchoolDay, lesson: str) -> None:
    """Who signed in and counted is valid; who had no assistant is not, when the time for late evidence is over.

    The bureau sees both, and each figure opens the rows and the evidence that make it.
    """

    async def judged() -> bool:
        return (await verdicts(day, lesson))[sc.POINT] not in (None, "UNJUDGED")

    async with day.store.read() as session:
        held = await occurrence(session, lesson)
    assert held is not None
    await day.forward_to(held.ends_at + GRACE)
    await until(judged, "the verdict of the side without an assistant")
    wanted = {sc.LEAD: "VALID", sc.VILLAGE: "VALID", sc.POINT: "INVALID"}
    assert await verdicts(day, lesson) == wanted, await evidence(day, lesson)
    auditor = await signed_in(browser, day, "auditor")
    page = auditor.page
    await page.goto(f"/bureau/{sc.COUNTY}")
    done = page.locator("a.figure[href*='done_receive']")
    await expect(done.locator(".figure-value")).to_have_text("1")
    await done.click()
    row = page.locator("#rows tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("柳林村小学")
    await expect(row).to_contain_text("25/26")
    await page.goto(f"/bureau/{sc.COUNTY}")
    await page.locator("a.chip[href*='invalid_receive']").click()
    await expect(row).to_contain_text("石门教学点")
    await expect(row).to_contain_text("辅助教师没有签到")
    await row.locator("a").first.click()
    cards = page.locator(".side-card")
    await expect(cards).to_have_count(3)
    await expect(page.locator(".side-card[data-verdict=VALID]")).to_have_count(2)
    rows = page.locator("details.evidence").filter(has_text="柳林村小学")
    await rows.locator("summary").click()
    await expect(rows.locator("tbody tr").first).to_be_visible()
    assert auditor.errors == []
    await auditor.close()


async def proven(day: SchoolDay, folder: Path) -> None:
    """The log leaves the house in one file and is checked offline; one changed byte is found."""
    bundle = folder / "audit.bundle"
    assert await command(day, "audit", "export", "--out", str(bundle)) == 0
    key = await printed(day, "audit", "key")
    assert await command(day, "audit", "verify", str(bundle), "--key", key) == 0
    whole = bytearray(bundle.read_bytes())
    at = whole.index(b"class.open")
    whole[at] ^= 1
    bundle.write_bytes(whole)
    assert await command(day, "audit", "verify", str(bundle), "--key", key) == 1


async def run(day: SchoolDay, *words: str) -> tuple[int, str]:
    """A command of the product on the server's data."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", *words,
        env=environment_of(day.settings), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def command(day: SchoolDay, *words: str) -> int:
    return (await run(day, *words))[0]


async def printed(day: SchoolDay, *words: str) -> str:
    code, out = await run(day, *words)
    assert code == 0, out
    return out.strip()
