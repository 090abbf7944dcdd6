"""The import page in a real browser: a bad file is shown mistake by mistake, a good one with what it changes, then it is taken."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import small_county as sc
from playwright.async_api import Browser, FilePayload, expect
from school_day import SchoolDay
from steps import signed_in

from api.pages import ZONE
from rooms.tables import County


def packed(folder: Path, day: SchoolDay, **changes: tuple[str, str]) -> FilePayload:
    """The small county as a zip file, some text of its files replaced."""
    files = sc.write_small_county(folder, day.clock.now().astimezone(ZONE).date())
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files.iterdir()):
            text = path.read_text(encoding="utf-8")
            if path.stem in changes:
                assert changes[path.stem][0] in text
                text = text.replace(*changes[path.stem], 1)
            archive.writestr(path.name, text)
    return FilePayload(name="xishan.zip", mimeType="application/zip", buffer=target.getvalue())


async def revision(day: SchoolDay) -> int:
    async with day.store.read() as session:
        return (await session.get_one(County, sc.COUNTY)).revision


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_file_is_read_mended_and_taken(school_day: SchoolDay, browser: Browser, tmp_path: Path) -> None:
    day = school_day
    planner = await signed_in(browser, day, "planner")
    page = planner.page
    await page.goto(f"/planner/{sc.COUNTY}/import")
    bad = packed(tmp_path / "bad", day, schools=("village_primary", "palace"), teachers=("T02,A1", "T02,nowhere"))
    await page.locator("#file").set_input_files(files=[bad])
    await expect(page.locator("#report tbody tr")).to_have_count(2)
    await expect(page.locator("#report")).to_contain_text("palace")
    await expect(page.locator("#report")).to_contain_text("nowhere")
    await expect(page.locator("#report [data-part=accept]")).to_be_hidden()
    assert await revision(day) == 1
    good = packed(tmp_path / "good", day, teachers=("苏韵", "苏小韵"))
    await page.locator("#file").set_input_files(files=[good])
    await expect(page.locator("#report .diff-file")).to_have_count(1)
    await expect(page.locator("#report .diff-file")).to_contain_text("苏小韵")
    await page.locator("#report [data-part=accept]").click()
    await page.wait_for_url(f"**/planner/{sc.COUNTY}")
    assert await revision(day) == 2
    assert planner.errors == []
