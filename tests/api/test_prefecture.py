"""Several counties planned together: in scope, one at a time, watched in one view, stopped together."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, Site, open_door
from sqlalchemy import select
from waiting import PATIENCE

from rooms.tables import Account, AccountRole, OrgUnit

Counties = dict[str, dict[str, Any]]


@pytest.fixture
async def above(site: Site) -> str:
    """The session of a planner of the whole province."""
    services = site.server.services
    async with services.store.write() as session:
        province = await session.scalar(select(OrgUnit.id).where(OrgUnit.level == "province"))
        assert province is not None
        now = services.clock.now()
        account = Account(login="above", name="above", password_hash=None, created_at=now)
        session.add(account)
        await session.flush()
        session.add(AccountRole(account_id=account.id, role="planner", org_id=province))
        return open_door(session, now, account_id=account.id)


async def stands(client: aiohttp.ClientSession) -> Counties:
    async with client.get("/api/planner") as answer:
        assert answer.status == 200, await answer.text()
        return {each["county"]: each for each in (await answer.json())["counties"]}


async def post(client: aiohttp.ClientSession, path: str, **body: object) -> tuple[int, Any]:
    async with client.post(path, json=body) as answer:
        return answer.status, await answer.json()


async def test_counties_are_planned_one_after_another_and_stopped_together(site: Site, above: str) -> None:
    async with site.client(above) as client:
        status, started = await post(client, "/api/planner/runs", counties=["alpha", "beta"], deterministic=True)
        assert (status, set(started["runs"])) == (202, {"alpha", "beta"})
        async with asyncio.timeout(PATIENCE):
            while (found := await stands(client))["beta"]["run"]["state"] != "done":
                states = [each["run"]["state"] for each in found.values()]
                assert states.count("running") <= 1, "one county at a time"
                await asyncio.sleep(0.05)
        assert [each["run"]["plan"] for each in found.values()] == [2, 2]
        assert [each["run"]["by"] for each in found.values()] == ["above", "above"]
        assert [each["published"] for each in found.values()] == [1, 1]
        status, started = await post(client, "/api/planner/runs", counties=["beta", "alpha"], seconds=600)
        status, again = await post(client, "/api/planner/runs", counties=["alpha"])
        assert (status, again["runs"]) == (202, {}), "planned already"
        status, _ = await post(client, "/api/planner/runs/stop", counties=["alpha", "beta"])
        assert status == 200
        async with asyncio.timeout(PATIENCE):
            while {each["run"]["state"] for each in (await stands(client)).values()} - {"done", "failed"}:
                await asyncio.sleep(0.1)
        async with client.get("/planner", headers=PAGE) as answer:
            page = await answer.text()
        assert 'data-county="alpha"' in page
        assert 'data-county="beta"' in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_county_outside_the_scope_does_not_exist(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        assert set(await stands(client)) == {"alpha"}
        for path in ("/api/planner/runs", "/api/planner/runs/stop"):
            status, _ = await post(client, path, counties=["alpha", "beta"])
            assert status == 404
        assert (await stands(client))["alpha"]["run"]["run"] == site.world.here.run, "nothing was started"
    async with site.client(site.as_("auditor")) as client:
        status, _ = await post(client, "/api/planner/runs", counties=["alpha"])
        assert status == 403
