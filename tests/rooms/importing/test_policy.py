"""Values of the policy that planners set: over the file, kept by imports, taken back, in the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from county_samples import FLAWLESS, folder_of
from sqlalchemy import select

from rooms.clock import SystemClock
from rooms.counties import load_county, save_county
from rooms.county import County
from rooms.exporting import records
from rooms.importing import read_county
from rooms.policy import policy_lines, reset_policy, set_policy
from rooms.refusals import Invalid, NotFound
from rooms.store import SYSTEM, Store
from rooms.tables import AuditLeaf
from rooms.tables import County as Header

CLOCK = SystemClock()


@pytest.fixture
async def county(store: Store, tmp_path: Path) -> County:
    found = read_county(folder_of(tmp_path / "county", FLAWLESS)).county
    assert found is not None
    await save(store, found)
    return found


async def save(store: Store, county: County) -> None:
    await save_county(store, SYSTEM, CLOCK, county, file_name="county.zip", sha256="a" * 64)


async def seen(store: Store, code: str) -> tuple[County, int, dict[str, tuple[int, int | None, int | None]]]:
    async with store.read() as session:
        header = await session.get(Header, code)
        assert header is not None
        lines = {line.key: (line.value, line.file, line.here) for line in await policy_lines(session, code)}
        return await load_county(session, code), header.revision, lines


async def test_what_is_set_here_holds_over_the_file_until_it_is_taken_back(store: Store, county: County) -> None:
    changes = {"max_receivers": 7, "wish_few_moves": 9, "require_assistant": 1}
    assert await set_policy(store, SYSTEM, CLOCK, county.code, changes) == 2  # an assistant is required already
    loaded, revision, lines = await seen(store, county.code)
    assert (loaded.policy.max_receivers, loaded.policy.wish_few_moves) == (7, 9)
    assert lines["max_receivers"] == (7, 2, 7)
    assert lines["wish_few_moves"] == (9, None, 9)
    assert lines["require_assistant"] == (1, 1, None)
    assert revision == 2
    assert ["max_receivers", "7"] in records(loaded)["policy"]

    await save(store, replace(county, policy_values={"max_receivers": 4}))
    loaded, revision, lines = await seen(store, county.code)
    assert (revision, lines["max_receivers"]) == (3, (7, 4, 7))

    assert await reset_policy(store, SYSTEM, CLOCK, county.code) == 2
    loaded, revision, lines = await seen(store, county.code)
    assert (revision, lines["max_receivers"], loaded.policy.wish_few_moves) == (4, (4, 4, None), 4)
    assert await reset_policy(store, SYSTEM, CLOCK, county.code) == 0
    async with store.read() as session:
        leaves = await session.scalars(select(AuditLeaf).where(AuditLeaf.action == "policy.set"))
        assert len(list(leaves)) == 2


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"max_fun": 1}, "policy_unknown"),
        ({"wish_few_moves": 101}, "policy_range"),
        ({"min_common_minutes": 0}, "policy_range"),
    ],
)
async def test_a_value_out_of_range_is_refused(store: Store, county: County, wanted: dict[str, int], code: str) -> None:
    with pytest.raises(Invalid, match=code):
        await set_policy(store, SYSTEM, CLOCK, county.code, wanted)
    with pytest.raises(NotFound):
        await set_policy(store, SYSTEM, CLOCK, "nowhere", {"max_receivers": 1})
