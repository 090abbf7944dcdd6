"""The planner's pages: every one in both languages, with what it must show, and nothing of another county."""

from __future__ import annotations

import re

import pytest
from api_world import PAGE, Site

PAGES = {
    "/planner": "alpha县",
    "/planner/alpha": "alpha-s2小学",
    "/planner/alpha/import": 'id="drop"',
    "/planner/alpha/plans": "/planner/alpha/plans/1",
    "/planner/alpha/plans/1": "/planner/alpha/plans/1/unmet",
    "/planner/alpha/plans/1/meetings": "alpha李老师",
    "/planner/alpha/plans/1/meetings?family=master": 'href="?"',
    "/planner/alpha/plans/1/week": "s530 e570",
    "/planner/alpha/plans/1/week?by=receive": "alpha-s2小学",
    "/planner/alpha/plans/1/unmet": "/planner/alpha/plans/1/unmet",
    "/planner/alpha/plans/1/pairings": "alpha-s1小学",
    "/planner/alpha/plans/1/activities": "tabs",
    "/planner/alpha/plans/1/compare": "tabs",
    "/planner/alpha/plans/1/compare?school=alpha-s1": "tabs",
    "/planner/alpha/plans/1/roll-over": 'id="roll-over"',
    "/planner/alpha/plans/1/publish": "publish-now",
    "/planner/alpha/what-if": 'id="what-if"',
    "/planner/alpha/schools": "alpha-s1小学",
    "/planner/alpha/schools?list=teachers": "alpha李老师",
    "/planner/alpha/schools?list=rooms": "alpha-r2",
    "/planner/alpha/lessons": "days",
    "/planner/alpha/lessons/new": "alpha-c1",
}


@pytest.mark.parametrize(("language", "word"), [("zh_CN", "排课"), ("en", "Plans")])
async def test_every_page_stands_in_both_languages(site: Site, language: str, word: str) -> None:
    async with site.client(site.as_("planner"), **PAGE) as client:
        client.cookie_jar.update_cookies({"sanke_language": language})
        for path, shown in PAGES.items():
            async with client.get(path) as answer:
                text = await answer.text()
                assert answer.status == 200, (path, text[:300])
                assert shown in text, path
                assert word in text or path == "/planner", path
                assert f'lang="{language.replace("_", "-")}"' in text
                assert "beta" not in text, path


async def test_pages_carry_nothing_that_the_policy_refuses(site: Site) -> None:
    async with site.client(site.as_("planner"), **PAGE) as client:
        for path in PAGES:
            async with client.get(path) as answer:
                text = await answer.text()
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text), path
            for script in re.findall(r"<script[^>]*>", text):
                assert "src=" in script or 'type="application/json"' in script, (path, script)
            assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), path


async def test_a_lesson_shows_its_sides(site: Site) -> None:
    here = site.world.here
    async with site.client(site.as_("planner"), **PAGE) as client:
        async with client.get(f"/planner/alpha/lessons/{here.occurrence}") as answer:
            text = await answer.text()
            assert answer.status == 200
            assert "alpha-s1小学" in text
            assert "alpha-s2小学" in text
        async with client.get(f"/planner/alpha/lessons/{site.world.there.occurrence}") as answer:
            assert answer.status == 404


async def test_a_number_that_is_no_plan_is_not_found(site: Site) -> None:
    async with site.client(site.as_("planner"), **PAGE) as client:
        for path in ("plans/99", "plans/99/meetings", "plans/99/publish", "plans/0", "teachers/nobody/week"):
            async with client.get(f"/planner/alpha/{path}") as answer:
                assert answer.status == 404, path


async def test_plan_files_can_be_taken_away(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        for name, start in (
            ("plans/1/plan.zip", b"PK"),
            ("plans/1/plan.xlsx", b"PK"),
            ("county.zip", b"PK"),
            ("county.xlsx", b"PK"),
            ("template.xlsx", b"PK"),
        ):
            async with client.get(f"/planner/alpha/{name}") as answer:
                assert answer.status == 200, name
                assert (await answer.read()).startswith(start)
                assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_an_auditor_sees_timetables_and_changes_nothing(site: Site) -> None:
    async with site.client(site.as_("auditor"), **PAGE) as client:
        async with client.get("/planner/alpha/schools") as answer:
            assert answer.status == 200
            assert "/planner/alpha/import" not in await answer.text()
        for path in ("/planner/alpha/import", "/planner/alpha/plans", "/planner/alpha/lessons/new"):
            async with client.get(path) as answer:
                assert answer.status == 403, path
