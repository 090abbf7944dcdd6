"""The page of many counties in a real browser: chosen, started, watched to the end, started anew and stopped."""

from __future__ import annotations

import pytest
import small_county as sc
from playwright.async_api import Browser, expect
from school_day import SchoolDay
from steps import signed_in


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_chosen_counties_are_planned_and_watched(school_day: SchoolDay, browser: Browser) -> None:
    planner = await signed_in(browser, school_day, "planner")
    page = planner.page
    await page.goto("/planner")
    line = page.locator(f"tr[data-county={sc.COUNTY}]")
    await expect(page.locator("#start")).to_be_disabled()
    await page.locator("#all").check()
    await page.locator("select[name=seconds]").select_option("15")
    await page.locator("#start").click()
    await expect(line.locator(".badge")).to_have_attribute("data-tone", "jade")
    await expect(line.locator("a[href$='/plans/1']")).to_be_visible()
    await expect(line.locator("[data-cell=by]")).to_have_text("planner")
    await expect(page.locator(".stat-value").first).to_have_text("1 / 1")
    await page.locator("input[name=deterministic]").check()
    await page.locator("#start").click()
    await expect(line.locator("a[href$='/plans/2']")).to_be_visible()
    assert planner.errors == []
