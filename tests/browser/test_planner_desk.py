"""The planner's forms in a browser: a what-if of two suppositions, discarded; a plan rolled over, corrected and accepted."""

from __future__ import annotations

import pytest
import small_county as sc
from playwright.async_api import Browser, expect
from school_day import SchoolDay
from steps import signed_in

from rooms.planning.meeting_locks import load_problem
from rooms.planning.versions import save_plan
from rooms.store import SYSTEM
from scheduler.assemble import delivery_meetings, missing_of, numbered, plan_of
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import Unmet
from scheduler.windows import Grid

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def greedy_version(day: SchoolDay) -> None:
    """The county's first version, without waiting for a search."""
    async with day.store.write() as session:
        problem = await load_problem(session, sc.COUNTY)
        meetings = numbered(delivery_meetings(plain_greedy(Offers(problem, Grid(problem)))), None)
        reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
        most = sum(need.halves * need.priority for need in problem.needs)
        plan = plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=1, status="feasible")
        await save_plan(session, SYSTEM, problem, plan, revision=1, at=day.clock.now())


async def test_a_what_if_is_written_down_and_a_plan_rolled_over(school_day: SchoolDay, browser: Browser) -> None:
    await greedy_version(school_day)
    planner = await signed_in(browser, school_day, "planner")
    page, base = planner.page, f"/planner/{sc.COUNTY}"

    await page.goto(f"{base}/what-if?kind=teacher_away&code={sc.TEACHER}")
    first = page.locator(".supposition").first
    await expect(first.locator("[name=code]:not([disabled])")).to_have_value(sc.TEACHER)
    await first.locator("[name=weekday][value='3']").check()
    await page.locator("#add").click()
    second = page.locator(".supposition").nth(1)
    await second.locator("[name=kind]").select_option("policy")
    await expect(second.locator("[name=value]")).to_have_value("4")  # one more than now
    await page.locator("#what-if button.button-primary").click()
    await page.wait_for_url("**/plans/2/compare?to=1")
    await expect(page.locator(".notice li")).to_have_count(2)

    await page.goto(f"{base}/what-if")
    await page.locator("[data-opens=discard-2]").click()
    await page.locator("#discard-2 button.button-danger").click()
    await expect(page.locator("[data-opens=discard-2]")).to_have_count(0)

    await page.goto(f"{base}/plans/1/roll-over")
    choice = page.locator("select[data-class]").first
    lost = await choice.get_attribute("data-class")
    await choice.select_option("")
    await expect(page.locator("#accept")).to_be_disabled()
    await page.locator("#look-again").click()
    await page.wait_for_url("**corrections=**")
    await expect(page.locator(".misfits")).to_contain_text(lost or "")
    await page.locator("#accept").click()
    await page.wait_for_url("**/plans/3")
    assert planner.errors == []
    await planner.close()
