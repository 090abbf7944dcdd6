"""Mending the weekly plan on the planner's desk: nothing happens before it is accepted, then all of it does."""

from __future__ import annotations

from datetime import datetime
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


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=PAGE) as answer:
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text[-500:])
        return text


def gone() -> dict[str, Any]:
    today = datetime.now(ZONE).date().isoformat()
    return {"kind": "teacher_away", "code": "alpha-t1", "from_date": today, "reason": "retired"}


async def test_a_repair_is_shown_then_accepted_and_its_change_can_be_lifted(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        draft = (await sent(client, "/api/planner/alpha/repairs", gone(), 201))["draft"]
        shown = await page(client, f"/planner/alpha/repairs/{draft}")
        assert "alpha李老师" in shown
        assert f"/repairs/{draft}/accept" in shown
        assert "retired" not in await page(client, "/planner/alpha/repair")
        made = await sent(client, f"/api/planner/alpha/repairs/{draft}/accept", {}, 200)
        assert made == {"plan": 2}
        assert "alpha李老师" not in await page(client, "/planner/alpha/plans/2/meetings?family=delivery")
        told = await page(client, "/planner/alpha/repair")
        assert "retired" in told
        undo = told.split("/lift")[0].rsplit("/", 1)[1]
        await sent(client, f"/api/planner/alpha/circumstances/{undo}/lift", {}, 200)
        again = (await sent(client, "/api/planner/alpha/repairs/as-it-is", {"plan": 2}, 201))["draft"]
        assert "alpha李老师" in await page(client, f"/planner/alpha/repairs/{again}")  # the lesson is back
        await sent(client, f"/api/planner/alpha/repairs/{again}/discard", {}, 204)
        await page(client, f"/planner/alpha/repairs/{again}", 404)


async def test_what_happened_must_make_sense(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        for change, code in (
            ({"code": "nobody"}, "circumstance_unknown"),
            ({"kind": "need_added", "code": "alpha-c1", "subject": "art"}, "circumstance_subject"),
            ({"kind": "bell_changed", "code": "b1", "bell_code": "b9"}, "bell_unknown"),
        ):
            assert (await sent(client, "/api/planner/alpha/repairs", gone() | change, 422))["code"] == code
    async with site.client(site.as_("auditor")) as client:
        await sent(client, "/api/planner/alpha/repairs", gone(), 403)
