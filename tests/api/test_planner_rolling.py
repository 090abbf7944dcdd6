"""Rolling a plan over on its page: what stays, what does not and why, corrected and accepted."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
import python_calamine
from api_world import PAGE, Site

from rooms.tables import LocalLesson

ROLL = "/planner/alpha/plans/1/roll-over"
pytestmark = pytest.mark.parametrize("database", ["sqlite"])


async def busy_class(site: Site) -> None:
    """The class has a lesson of its own now where the plan's only meeting stands."""
    async with site.server.services.store.write() as session:
        session.add(
            LocalLesson(
                county="alpha", row=1, school_code="alpha-s2", class_codes=["alpha-c1"], subject="chinese", weekday=1, period="p1",
                teacher_code=None, room_code=None, weeks=3,
            )
        )  # fmt: skip


async def test_what_still_fits_is_accepted_as_a_draft(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.get(ROLL, headers=PAGE) as answer:
            assert "全部每周课都还适用。" in await answer.text()
        async with client.post(f"/api{ROLL}", json={"up": False}) as answer:
            assert (answer.status, await answer.json()) == (200, {"plan": 2})
        async with client.get("/planner/alpha/plans/2/compare?to=1", headers=PAGE) as answer:
            assert 'id="shifts"' not in await answer.text(), "every lesson stays"


async def test_what_does_not_fit_is_shown_with_its_rule_and_in_the_workbook(site: Site) -> None:
    await busy_class(site)
    async with site.client(site.as_("planner")) as client:
        async with client.get(ROLL, headers=PAGE) as answer:
            text = await answer.text()
        assert "与本地课、停课或其他课冲突" in text
        assert 'id="accept"' not in text, "there is nothing to accept"
        async with client.get(f"{ROLL}.xlsx") as answer:
            book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(await answer.read()))
        lost, kept = (book.get_sheet_by_index(number).to_python() for number in (0, 1))
        assert (len(lost), len(kept)) == (2, 1)
        assert "alpha-c1" in lost[1]
        async with client.post(f"/api{ROLL}", json={"up": False}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (409, "roll_over_empty")


async def test_corrections_come_with_the_address(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        query = {"up": "0", "corrections": json.dumps({"alpha-c1": ""})}
        async with client.get(ROLL, params=query, headers=PAGE) as answer:
            text = await answer.text()
        assert "班级没有对应" in text
        assert "1 个班没有对应" in text
        async with client.get(ROLL, params={"corrections": "{"}, headers=PAGE) as answer:
            assert answer.status == 422
