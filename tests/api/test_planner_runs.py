"""A planning run over the wire: started, watched, stopped with its best plan kept, and closed to others."""

from __future__ import annotations

import asyncio
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, Site
from test_planner_import import county_zip, form
from waiting import PATIENCE

Client = aiohttp.ClientSession


async def stands(client: Client, run: int) -> dict[str, Any]:
    async with client.get(f"/api/planner/alpha/runs/{run}") as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def begun(client: Client, seconds: int, previous: int | None = None) -> int:
    body = {"seconds": seconds, "seed": 7, "previous": previous}
    async with client.post("/api/planner/alpha/runs", json=body) as answer:
        assert answer.status == 202, await answer.text()
        return int((await answer.json())["run"])


async def ended(client: Client, run: int, patience: float) -> dict[str, Any]:
    async with asyncio.timeout(patience):
        while (found := await stands(client, run))["state"] not in ("done", "failed"):
            await asyncio.sleep(0.2)
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_run_is_watched_stopped_and_its_best_plan_kept(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports", data=form(county_zip())) as answer:
            assert answer.status == 201
        run = await begun(client, 300)
        async with client.post("/api/planner/alpha/runs", json={"seconds": 5}) as answer:
            assert answer.status == 409
            assert (await answer.json())["code"] == "plan_run_active"
        async with client.get(f"/planner/alpha/runs/{run}", headers=PAGE) as answer:
            assert answer.status == 200
            assert 'id="run-stop"' in await answer.text()
        async with asyncio.timeout(PATIENCE):
            while (seen := await stands(client, run))["served_weighted"] is None:
                assert seen["state"] == "running", seen
                await asyncio.sleep(0.3)
        assert seen["plan"] is None
        async with client.post(f"/api/planner/alpha/runs/{run}/stop") as answer:
            assert answer.status == 200
            assert (await answer.json())["state"] in ("stopping", "done")
        done = await ended(client, run, 60)
        assert done["state"] == "done", done
        assert done["plan"] == 2
        assert done["bound"] >= done["served_weighted"] >= seen["served_weighted"] > 0
        assert done["elapsed"] < 200
        for path in ("plans", "plans/2", "plans/2/unmet", "plans/2/compare"):
            async with client.get(f"/planner/alpha/{path}", headers=PAGE) as answer:
                assert answer.status == 200, path


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_run_ends_by_itself_and_may_build_on_a_version(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        done = await ended(client, await begun(client, 5, previous=1), 60)
        assert done["state"] == "done", done
        assert done["plan"] == 2
        async with client.post("/api/planner/alpha/runs", json={"seconds": 5, "previous": 99}) as answer:
            assert answer.status == 404
        async with client.post("/api/planner/alpha/runs", json={"seconds": 99_999}) as answer:
            assert answer.status == 422


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_run_is_closed_to_others(site: Site) -> None:
    there = site.world.there.run
    async with site.client(site.as_("planner")) as client:
        for path in (
            f"/api/planner/alpha/runs/{there}",
            f"/api/planner/beta/runs/{there}",
            "/api/planner/alpha/runs/999",
        ):
            async with client.get(path) as answer:
                assert answer.status == 404, path
        async with client.post(f"/api/planner/alpha/runs/{there}/stop") as answer:
            assert answer.status == 404
    start = {"seconds": 5}
    async with (
        site.client(site.as_("auditor")) as client,
        client.post("/api/planner/alpha/runs", json=start) as answer,
    ):
        assert answer.status == 403


async def test_page_and_command_line_give_the_same_bytes(site: Site, tmp_path: Path) -> None:
    """On both databases: steps are counted, so neither clock nor storage has a say."""
    with zipfile.ZipFile(io.BytesIO(county_zip())) as packed:
        packed.extractall(tmp_path / "county")
    command = ["plan", str(tmp_path / "county"), "--out", str(tmp_path / "out"), "--deterministic", "--seed", "5", "-q"]
    at_the_command_line = asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", *command
    )
    assert await (await at_the_command_line).wait() == 0
    expected = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(expected) == {"advice.csv", "meetings.csv", "pairings.csv", "summary.json", "unmet.csv"}
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports", data=form(county_zip())) as answer:
            assert answer.status == 201
        body = {"seconds": 2, "seed": 5, "deterministic": True}
        async with client.post("/api/planner/alpha/runs", json=body) as answer:
            run = (await answer.json())["run"]
        assert (await ended(client, run, 120))["plan"] == 2
        async with client.get("/planner/alpha/plans/2/plan.zip") as answer:
            found = zipfile.ZipFile(io.BytesIO(await answer.read()))
        assert {name: found.read(name) for name in found.namelist()} == expected


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_before_a_run_the_county_is_checked_in_words(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports", data=form(county_zip())) as answer:
            assert answer.status == 201
        async with client.get("/api/planner/alpha/before-run") as answer:
            assert answer.status == 200, await answer.text()
            known = await answer.json()
        assert [each["code"] for each in known["findings"]] == ["lock_cannot_stand", "class_too_few"]
        assert "T03-01" in known["findings"][1]["text"]
        assert "2" in known["summary"]
