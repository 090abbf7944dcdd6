"""Two versions of a county on one page and as files, either way round, for one school or for all."""

from __future__ import annotations

from io import BytesIO

import python_calamine
from api_world import PAGE, SUMMARY, Site
from sqlalchemy import select

from rooms.tables import PlanMeeting, PlanPairing, PlanVersion

COMPARED = "/planner/alpha/plans/2/compare"


async def second_version(site: Site, *, weekday: int, number: int = 2) -> None:
    """The standing plan once more, its only meeting on this weekday."""
    store = site.server.services.store
    async with store.write() as session:
        first = await session.scalar(select(PlanVersion).where(PlanVersion.id == site.world.here.plan))
        meeting = await session.scalar(select(PlanMeeting).where(PlanMeeting.plan_id == site.world.here.plan))
        assert first is not None
        assert meeting is not None
        other = PlanVersion(
            county="alpha", number=number, state="draft", county_revision=1, previous_id=first.id, created_at=first.created_at,
            created_by="account:x", published_at=None, published_by=None, effective_from=None, summary=SUMMARY,
        )  # fmt: skip
        session.add(other)
        await session.flush()
        columns = {key: getattr(meeting, key) for key in PlanMeeting.__table__.columns.keys()}  # noqa: SIM118 # not a dict
        session.add(PlanMeeting(**{**columns, "plan_id": other.id, "weekday": weekday}))
        session.add(
            PlanPairing(
                plan_id=other.id, lead_school_code="alpha-s1", receive_school_code="alpha-s2", subjects=["music"]
            )
        )


async def test_a_moved_lesson_is_shown_from_either_side(site: Site) -> None:
    await second_version(site, weekday=4)
    async with site.client(site.as_("planner"), **PAGE) as client:
        for path, first, then in ((COMPARED, "周一", "周四"), ("/planner/alpha/plans/1/compare?to=2", "周四", "周一")):
            async with client.get(path) as answer:
                text = await answer.text()
            row = text[text.index('id="shifts"') :]
            assert 0 < row.index(first) < row.index(then), path
            assert f"compare?to={2 if 'plans/2' in path else 1}" in text, "the sides can be swapped"


async def test_one_school_that_nothing_touches_is_told_so(site: Site) -> None:
    await second_version(site, weekday=4)
    async with site.client(site.as_("planner"), **PAGE) as client:
        async with client.get(f"{COMPARED}?school=alpha-s2") as answer:
            assert 'id="shifts"' in await answer.text()
        async with client.get(f"{COMPARED}?to=1&school=nowhere") as answer:
            assert 'id="shifts"' in await answer.text(), "an unknown school narrows nothing"


async def test_equal_plans_are_called_equal(site: Site) -> None:
    await second_version(site, weekday=1)
    async with site.client(site.as_("planner"), **PAGE) as client, client.get(COMPARED) as answer:
        text = await answer.text()
    assert "两个方案的每周课、结对和服务完全相同。" in text
    assert 'id="shifts"' not in text


async def test_a_comparison_can_be_taken_away(site: Site) -> None:
    await second_version(site, weekday=4)
    async with site.client(site.as_("planner")) as client:
        async with client.get(f"{COMPARED}.csv?to=1") as answer:
            head, row = (await answer.read()).decode("utf-8-sig").splitlines()
            assert head.startswith("变化,")
            assert row.startswith("换时间,")
            assert "alpha李老师" in row
        async with client.get(f"{COMPARED}.xlsx") as answer:
            book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(await answer.read()))
    assert len(book.sheet_names) == 8
    assert len(book.get_sheet_by_index(0).to_python()) == 2
