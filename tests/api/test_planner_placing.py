"""By hand on the planner's desk: the grid with what each place would break, placing anyway, and locks that show who made them."""

from __future__ import annotations

import html
import re
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, Site

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Client = aiohttp.ClientSession
PLAN = "/api/planner/alpha/plans/1"


async def sent(client: Client, path: str, body: dict[str, Any], status: int) -> Any:
    async with client.post(path, json=body) as answer:
        text = await answer.text()
        assert answer.status == status, (path, answer.status, text)
        return await answer.json() if text else None


async def page(client: Client, path: str) -> str:
    async with client.get(path, headers={**PAGE, "Accept-Language": "en"}) as answer:
        text = await answer.text()
        assert answer.status == 200, (path, answer.status, text[-500:])
        return html.unescape(text)


def cells(text: str) -> dict[str, str]:
    """Weekday, start → what a cell sends."""
    found = re.findall(r'name="cell" value="([^"]+)"', text)
    return {" ".join(each.split(" ")[:2]): each for each in found}


async def test_a_meeting_is_moved_in_the_grid(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        shown = await page(client, "/planner/alpha/plans/1/place?meeting=m1")
        places = cells(shown)
        assert len(places) == 30
        assert re.search(r'data-now>\s*<input[^>]*value="1 530 570[^>]*disabled', shown)
        body = {"meeting": "m1", "teacher": "alpha-t1"}
        assert (await sent(client, f"{PLAN}/place", body, 422))["code"] == "place_cell"
        made = await sent(client, f"{PLAN}/place", body | {"cell": places["3 580"]}, 201)
        assert made == {"plan": 2}
        moved = await page(client, "/planner/alpha/plans/2/meetings")
        assert "09:40–10:20" in moved
        assert 'data-tone="plum"' in moved  # locked by hand, where it was put


async def test_a_lacking_lesson_beside_another_needs_a_reason(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        shown = await page(client, "/planner/alpha/plans/1/place?school_class=alpha-c1&subject=music&weeks=3")
        body = {"school_class": "alpha-c1", "subject": "music", "teacher": "alpha-t1", "cell": cells(shown)["1 580"]}
        assert (await sent(client, f"{PLAN}/place", body, 409))["code"] == "place_breaks"  # two on one day
        assert (await sent(client, f"{PLAN}/place", body | {"anyway": True}, 422))["code"] == "place_reason"
        await sent(client, f"{PLAN}/place", body | {"anyway": True, "reason": "festival"}, 201)
        listed = await page(client, "/planner/alpha/plans/2/meetings")
        assert "H8" in listed
        assert "festival" in listed
        draft = (await sent(client, f"{PLAN}/place/mend", body | {"cell": cells(shown)["2 580"]}, 201))["draft"]
        assert f"/repairs/{draft}/accept" in await page(client, f"/planner/alpha/repairs/{draft}")


async def test_locks_by_hand_and_automatic_ones_look_different(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        lock = site.world.here.lock  # the world's own is automatic
        listed = await page(client, "/planner/alpha/plans/1/meetings")
        assert f"/locks/{lock}/unlock" in listed
        assert 'data-tone="plum"' not in listed
        assert await sent(client, f"{PLAN}/locks", {"meeting": "m1"}, 201) == {"meetings": 1}
        assert 'data-tone="plum"' in await page(client, "/planner/alpha/plans/1/meetings")
        assert await sent(client, "/api/planner/alpha/locks/published", {}, 200) == {"meetings": 0}
        mine = re.findall(r"/locks/(\d+)/unlock", await page(client, "/planner/alpha/plans/1/meetings"))
        await sent(client, f"/api/planner/alpha/locks/{mine[0]}/unlock", {}, 204)
        assert await sent(client, "/api/planner/alpha/locks/published", {}, 200) == {"meetings": 1}
        assert await sent(client, "/api/planner/alpha/locks/release", {}, 200) == {"meetings": 1}
        assert "/unlock" not in await page(client, "/planner/alpha/plans/1/meetings")
