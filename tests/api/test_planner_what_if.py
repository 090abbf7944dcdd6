"""A what-if from the form to the comparison: worked out beside the county's plan, marked, adopted or discarded."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, Site
from waiting import PATIENCE

from rooms.counties import load_county
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.tables import County

AWAY: dict[str, Any] = {"kind": "teacher_away", "code": "alpha-t1", "weekdays": [1, 2]}


async def worked_out(client: aiohttp.ClientSession, *changes: dict[str, Any]) -> int:
    """The number of the version that supposes these changes."""
    body = {"changes": list(changes), "seconds": 2}
    async with client.post("/api/planner/alpha/what-ifs", json=body) as answer:
        assert answer.status == 202, await answer.text()
        run = (await answer.json())["run"]
    async with asyncio.timeout(PATIENCE):
        while True:
            async with client.get(f"/api/planner/alpha/runs/{run}") as answer:
                state = await answer.json()
            if state["state"] in ("done", "failed"):
                assert state["problem"] is None
                return int(state["plan"])
            await asyncio.sleep(0.2)


async def text_of(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(f"/planner/alpha/{path}", headers=PAGE) as answer:
        assert answer.status == 200, path
        return await answer.text()


async def test_a_what_if_is_worked_out_compared_and_adopted(site: Site) -> None:
    store = site.server.services.store
    async with site.client(site.as_("planner")) as client:
        number = await worked_out(client, AWAY, {"kind": "policy", "code": "max_receivers", "value": 2})
        async with store.read() as session:
            assert await load_county_in_force(session, "alpha") == await load_county(session, "alpha")
        compared = await text_of(client, f"plans/{number}/compare")
        assert "从方案 1 到方案 2" in compared, "it is set against the plan it started from"
        for path in (f"plans/{number}", "what-if"):
            text = await text_of(client, path)
            assert "alpha李老师 不在（周一、周二 全天）" in text
            assert "一节课最多接收班级 改为 2" in text
        assert f"/plans/{number}/publish" not in await text_of(client, f"plans/{number}")
        async with client.post(f"/api/planner/alpha/plans/{number}/adopt") as answer:
            assert (answer.status, await answer.json()) == (200, {"plan": number})
        assert f"/plans/{number}/publish" in await text_of(client, f"plans/{number}")
    async with store.read() as session:
        county = await load_county_in_force(session, "alpha")
    assert (len(county.unavailabilities), county.policy.max_receivers) == (1, 2)


async def test_a_what_if_by_repair_answers_at_once(site: Site) -> None:
    body = {"changes": [{**AWAY, "weekdays": [1]}], "base": 1}
    async with site.server.services.store.write() as session:
        (await session.get_one(County, "alpha")).revision = 2  # what the stored plan says of its bound is made up
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/what-ifs/repair", json=body) as answer:
            assert (answer.status, await answer.json()) == (200, {"plan": 2, "base": 1})
        compared = await text_of(client, "plans/2/compare?to=1")
        row = compared[compared.index('id="shifts"') :]
        assert "换时间" in row, "the only meeting stood on the Monday that is closed now"
        assert "alpha李老师 不在（周一 全天）" in compared


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_discarded_what_if_cannot_be_opened_any_more(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        number = await worked_out(client, AWAY)
        async with client.delete("/api/planner/alpha/plans/1") as answer:
            assert (answer.status, (await answer.json())["code"]) == (409, "what_if_not")
        async with client.delete(f"/api/planner/alpha/plans/{number}") as answer:
            assert answer.status == 204
        async with client.get(f"/planner/alpha/plans/{number}") as answer:
            assert answer.status == 404
        assert "还没有推演" in await text_of(client, "what-if")


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "teacher_away", "code": "nobody"}, "circumstance_unknown"),
        ({"kind": "teacher_away", "code": "alpha-t1", "start": "10:00", "end": "09:00"}, "circumstance_window"),
        ({"kind": "policy", "code": "max_receivers", "value": 3}, "what_if_same"),
        ({"kind": "policy", "code": "max_receivers", "value": -1}, "what_if_policy"),
        ({"kind": "lead_room", "code": "alpha-s2"}, "circumstance_unknown"),
        ({"kind": "bells_shifted", "code": "b1", "minutes": 0}, "what_if_bells"),
        ({"kind": "bell_changed", "code": "b1", "bell_code": "b9"}, "bell_unknown"),
        ({"kind": "need_added", "code": "alpha-c1"}, "circumstance_subject"),
    ],
)
async def test_what_cannot_be_supposed_is_refused_in_words(site: Site, change: dict[str, Any], code: str) -> None:
    wanted = {"json": {"changes": [change]}}
    async with (
        site.client(site.as_("planner")) as client,
        client.post("/api/planner/alpha/what-ifs", **wanted) as answer,
    ):
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, code)
    assert problem["detail"]
