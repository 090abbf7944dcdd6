"""Single days on the planner's desk: what is hit, a decision for each lesson, undo, swaps; the pages say what the server would do."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, ZONE, Site

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Client = aiohttp.ClientSession


async def sent(client: Client, path: str, body: dict[str, Any], status: int) -> Any:
    async with client.post(path, json=body) as answer:
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text)
        return await answer.json() if text else None


async def page(client: Client, path: str) -> str:
    async with client.get(path, headers=PAGE) as answer:
        text = await answer.text()
        assert answer.status == 200, (path, answer.status, text[-500:])
        return html.unescape(text)


def mondays() -> tuple[str, str]:
    today = datetime.now(ZONE).date()
    first = today + timedelta(days=7 - today.weekday())
    return first.isoformat(), (first + timedelta(days=7)).isoformat()


async def published(client: Client) -> str:
    """Publishes the plan from next Monday on; the id of that Monday's lesson."""
    monday, _ = mondays()
    await sent(client, "/api/planner/alpha/plans/1/publish", {"effective_from": monday}, 200)
    (found,) = set(
        re.findall(r"/planner/alpha/lessons/([0-9a-f]{32})", await page(client, f"/planner/alpha/lessons?day={monday}"))
    )
    return str(found)


async def test_an_ill_teachers_lessons_are_settled_and_given_back(site: Site) -> None:
    monday, _ = mondays()
    query = f"kind=teacher_away&code=alpha-t1&from_date={monday}&until_date={monday}&reason=flu"
    async with site.client(site.as_("planner")) as client:
        lesson = await published(client)
        shown = await page(client, f"/planner/alpha/substitutions?{query}")
        keys = re.findall(rf'name="{lesson}" value="([^"]+)"', shown)
        assert [key.split()[0] for key in keys[-2:]] == ["cancel", "keep"]
        body = {
            "kind": "teacher_away", "code": "alpha-t1", "from_date": monday, "until_date": monday, "reason": "flu",
            "choices": {lesson: next(key for key in keys if key.startswith("cancel"))},
        }  # fmt: skip
        refused = await sent(client, "/api/planner/alpha/substitutions", body | {"choices": {}}, 409)
        assert refused["code"] == "substitution_undecided"
        told = (await sent(client, "/api/planner/alpha/substitutions", body, 201))["circumstance"]
        assert "flu" in await page(client, f"/planner/alpha/lessons/{lesson}")
        undone = f"/api/planner/alpha/circumstances/{told}/lift"
        assert undone in await page(client, "/planner/alpha/substitutions")
        assert await sent(client, undone, {}, 200) == {"restored": 1, "left": 0}
        assert "flu" not in await page(client, f"/planner/alpha/lessons/{lesson}")
        assert undone not in await page(client, "/planner/alpha/substitutions")


async def test_a_refusal_is_said_on_the_page_and_the_form_stays(site: Site) -> None:
    monday, _ = mondays()
    async with site.client(site.as_("planner")) as client:
        query = f"kind=teacher_away&code=nobody&from_date={monday}&until_date={monday}"
        shown = await page(client, f"/planner/alpha/substitutions?{query}")
        assert 'role="alert"' in shown
        assert 'value="nobody"' in shown


async def test_two_lessons_swap_and_come_back(site: Site) -> None:
    monday, next_monday = mondays()
    async with site.client(site.as_("planner")) as client:
        one = await published(client)
        extra = {
            "day": next_monday, "start": "09:40", "end": "10:20", "subject": "music", "lead_teacher_code": "alpha-t1",
            "lead_room_code": "alpha-r1", "class_codes": ["alpha-c1"],
        }  # fmt: skip
        other = (await sent(client, "/api/planner/alpha/lessons", extra, 201))["id"]
        assert f'value="{other}"' in await page(client, f"/planner/alpha/lessons/{one}/swap")
        made = await sent(client, f"/api/planner/alpha/lessons/{one}/swap", {"other": other}, 200)
        assert "09:40" in await page(client, f"/planner/alpha/lessons/{made['one']}")
        assert f"/planner/alpha/lessons/{made['other']}" in await page(client, f"/planner/alpha/lessons?day={monday}")
        await sent(client, f"/api/planner/alpha/lessons/{one}/restore", {}, 204)
        for made_id in made.values():
            async with client.get(f"/planner/alpha/lessons/{made_id}", headers=PAGE) as answer:
                assert answer.status == 404
