"""From a plan version to dated lessons, and what becomes of them: published, cancelled, made up for, added, subscribed to."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, ZONE, Site

from rooms.planning.occurrences import occurrence

Client = aiohttp.ClientSession


def next_monday() -> date:
    today = datetime.now(ZONE).date()
    return today + timedelta(days=7 - today.weekday())


async def sent(client: Client, path: str, body: dict[str, Any], status: int) -> Any:
    async with client.post(path, json=body) as answer:
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text)
        return await answer.json() if text else None


async def page(client: Client, path: str) -> str:
    async with client.get(path, headers=PAGE) as answer:
        text = await answer.text()
        assert answer.status == 200, (path, answer.status, text[-500:])
        return text


async def published(client: Client) -> str:
    """Publishes the plan from next Monday on; the id of that Monday's lesson."""
    body = {"effective_from": next_monday().isoformat()}
    done = await sent(client, "/api/planner/alpha/plans/1/publish", body, 200)
    assert done["added"] > 0
    text = await page(client, f"/planner/alpha/lessons?day={next_monday().isoformat()}")
    (found,) = set(re.findall(r"/planner/alpha/lessons/([0-9a-f]{32})", text))
    return str(found)


async def test_publishing_makes_dated_lessons_and_twice_changes_nothing(site: Site) -> None:
    monday = next_monday()
    async with site.client(site.as_("planner")) as client:
        shown = await page(client, f"/planner/alpha/plans/1/publish?effective_from={monday.isoformat()}")
        assert f'value="{monday.isoformat()}"' in shown
        before = await page(client, f"/planner/alpha/lessons?day={monday.isoformat()}")
        assert "08:50" not in before
        lesson = await published(client)
        again = {"effective_from": monday.isoformat()}
        twice = await sent(client, "/api/planner/alpha/plans/1/publish", again, 200)
        assert (twice["added"], twice["removed"], twice["superseded"]) == (0, 0, 0)
        assert twice["kept"] > 0
        for school in ("alpha-s1", "alpha-s2"):
            week = await page(client, f"/planner/alpha/schools/{school}/week?day={monday.isoformat()}")
            assert f"/planner/alpha/lessons/{lesson}" in week, school
            assert "s530 e570" in week
        for path in ("teachers/alpha-t1", "rooms/alpha-r1", "rooms/alpha-r2"):
            week = await page(client, f"/planner/alpha/{path}/week?day={monday.isoformat()}")
            assert f"/planner/alpha/lessons/{lesson}" in week, path


async def test_a_plan_of_another_county_cannot_be_published(site: Site) -> None:
    body = {"effective_from": next_monday().isoformat()}
    async with site.client(site.as_("planner")) as client:
        await sent(client, "/api/planner/beta/plans/1/publish", body, 404)
        await sent(client, "/api/planner/alpha/plans/2/publish", body, 404)
        await sent(client, "/api/planner/alpha/plans/1/publish", {"effective_from": "someday"}, 422)
    async with site.client(site.as_("auditor")) as client:
        await sent(client, "/api/planner/alpha/plans/1/publish", body, 403)


async def test_a_lesson_is_cancelled_once_and_made_up_for(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        lesson = await published(client)
        path = f"/api/planner/alpha/lessons/{lesson}"
        await sent(client, f"{path}/cancel", {"reason": "boredom"}, 422)
        await sent(client, f"{path}/cancel", {"reason": "power", "note": "线路检修"}, 204)
        shown = await page(client, f"/planner/alpha/lessons/{lesson}")
        assert "线路检修" in shown
        assert "make-up" in shown
        other_day = next_monday() + timedelta(days=1)
        new = {"day": other_day.isoformat(), "start": "15:00", "end": "15:40"}
        made = await sent(client, f"{path}/make-up", new, 201)
        after = await page(client, f"/planner/alpha/lessons/{made['id']}")
        assert f"/planner/alpha/lessons/{lesson}" in after
        await sent(client, f"/api/planner/beta/lessons/{site.world.there.occurrence}/cancel", {"reason": "power"}, 404)
        await sent(client, f"/api/planner/alpha/lessons/{site.world.there.occurrence}/cancel", {"reason": "power"}, 404)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_side_is_excused_and_a_lesson_held_later(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        lesson = await published(client)
        path = f"/api/planner/alpha/lessons/{lesson}"
        async with site.server.services.store.read() as session:
            found = await occurrence(session, lesson)
        assert found is not None
        side = found.receivers[0].id
        await sent(client, f"{path}/excuse", {"side": side, "reason": "boredom"}, 422)
        await sent(client, f"{path}/excuse", {"side": "0" * 32, "reason": "network"}, 404)
        await sent(client, f"{path}/excuse", {"side": side, "reason": "network", "note": "光缆中断"}, 204)
        await sent(client, f"{path}/shift", {"minutes": 16}, 422)
        await sent(client, f"{path}/shift", {"minutes": "10"}, 204)
        shown = await page(client, f"/planner/alpha/lessons/{lesson}")
        assert "已认可：网络故障" in shown
        await sent(client, f"{path}/welcome", {"side": side}, 204)
        assert "已认可" not in await page(client, f"/planner/alpha/lessons/{lesson}")
        assert "已声明顺延 10 分钟" in shown
        await sent(client, f"{path}/shift", {"minutes": 0}, 204)
        assert "已声明" not in await page(client, f"/planner/alpha/lessons/{lesson}")
        there = site.world.there.occurrence
        await sent(client, f"/api/planner/alpha/lessons/{there}/shift", {"minutes": 5}, 404)
        await sent(
            client,
            f"/api/planner/alpha/lessons/{there}/excuse",
            {"side": site.world.there.receiver_side, "reason": "power"},
            404,
        )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_extra_lesson_is_added_and_a_clash_is_refused(site: Site) -> None:
    day = next_monday() + timedelta(days=2)
    body = {
        "day": day.isoformat(), "start": "16:00", "end": "16:40", "kind": "observation", "subject": "music",
        "title": "公开观摩", "lead_teacher_code": "alpha-t1", "lead_room_code": "alpha-r1", "class_codes": ["alpha-c1"],
    }  # fmt: skip
    async with site.client(site.as_("planner")) as client:
        made = await sent(client, "/api/planner/alpha/lessons", body, 201)
        assert "公开观摩" in await page(client, f"/planner/alpha/lessons/{made['id']}")
        refused = await sent(client, "/api/planner/alpha/lessons", body | {"start": "16:20", "end": "17:00"}, 409)
        assert refused["code"] == "lesson_clash"
        await sent(client, "/api/planner/alpha/lessons", body | {"lead_teacher_code": "nobody"}, 422)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_calendar_address_is_given_to_those_who_see_the_school(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        for kind, code in (("school", "alpha-s2"), ("teacher", "alpha-t1"), ("room", "alpha-r1")):
            made = await sent(client, "/api/planner/alpha/feeds", {"kind": kind, "code": code}, 201)
            async with client.get("/calendar/" + made["url"].rsplit("/", 1)[1]) as answer:
                assert answer.status == 200
                assert (await answer.text()).startswith("BEGIN:VCALENDAR")
        await sent(client, "/api/planner/alpha/feeds", {"kind": "school", "code": "beta-s1"}, 404)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_addresses_of_a_calendar_can_be_ended(site: Site) -> None:
    whose = {"kind": "teacher", "code": "alpha-t1"}
    async with site.client(site.as_("auditor")) as client:
        made = await sent(client, "/api/planner/alpha/feeds", whose, 201)
        await sent(client, "/api/planner/alpha/feeds/end", whose, 403)
    async with site.client(site.as_("planner")) as client:
        assert "/api/planner/alpha/feeds/end" in await page(client, "/planner/alpha/teachers/alpha-t1/week")
        assert await sent(client, "/api/planner/alpha/feeds/end", whose, 200) == {"addresses": 1}
        async with client.get("/calendar/" + made["url"].rsplit("/", 1)[1]) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_ends_of_the_calendar_are_no_days_of_a_county(site: Site, day: str) -> None:
    async with site.client(site.as_("planner")) as client:
        for path in ("lessons", "schools/alpha-s1/week", "teachers/alpha-t1/week", "rooms/alpha-r1/week"):
            async with client.get(f"/planner/alpha/{path}?day={day}", headers=PAGE) as answer:
                assert answer.status == 422, path
        made = {"day": day, "start": "08:00", "end": "08:40"}
        await sent(client, f"/api/planner/alpha/lessons/{site.world.here.occurrence}/make-up", made, 422)
