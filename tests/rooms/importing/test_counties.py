"""Counties in the store: saved whole or not at all, loaded as they were read, re-imported with their differences shown."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from county_samples import FLAWLESS, folder_of, spoilt
from county_strategies import counties
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from rooms.clock import SystemClock
from rooms.counties import list_counties, list_imports, load_county, preview, save_county
from rooms.county import County, Need
from rooms.importing import read_county
from rooms.refusals import Conflict, NotFound
from rooms.store import SYSTEM, Store
from rooms.tables import AuditLeaf, Occurrence, OrgUnit, School, Teacher

CLOCK = SystemClock()


async def save(store: Store, county: County) -> None:
    await save_county(store, SYSTEM, CLOCK, county, file_name="county.zip", sha256="a" * 64)


async def load(store: Store, code: str) -> County:
    async with store.read() as session:
        return await load_county(session, code)


@pytest.fixture
def county(tmp_path: Path) -> County:
    found = read_county(folder_of(tmp_path / "county", FLAWLESS)).county
    assert found is not None
    return found


@given(data=st.data())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_what_is_saved_is_loaded(store: Store, data: st.DataObject) -> None:
    first, second = data.draw(counties()), data.draw(counties())
    await save(store, first)
    assert await load(store, first.code) == first
    await save(store, replace(second, code=first.code))
    assert await load(store, first.code) == replace(second, code=first.code)


async def test_the_tree_of_places_grows_with_the_county(store: Store, county: County) -> None:
    await save(store, replace(county, city="甲市", province="乙省"))
    async with store.read() as session:
        units = {unit.id: unit for unit in await session.scalars(select(OrgUnit))}
        schools = {school.code: units[school.org_id or 0] for school in await session.scalars(select(School))}
        (entry,) = await list_counties(session)
        session.expunge_all()
    assert {code: (unit.level, units[unit.parent_id or 0].name) for code, unit in schools.items()} == {
        "A": ("school", "虚构县"),
        "C": ("school", "虚构县"),
        "T": ("point", "中心小学"),
    }
    ids = [int(part) for part in schools["T"].path.strip("/").split("/")]
    assert [units[unit].level for unit in ids] == ["nation", "province", "city", "county", "school", "point"]
    assert (entry.code, entry.org_path, entry.schools) == ("X1", units[entry.org_id].path, 3)
    assert schools["A"].path.startswith(entry.org_path)


async def test_two_counties_share_the_tree_above_them(store: Store, county: County) -> None:
    await save(store, county)
    await save(store, replace(county, code="X2"))
    async with store.read() as session:
        levels = list(await session.scalars(select(OrgUnit.level).where(OrgUnit.school_code.is_(None))))
        assert [entry.code for entry in await list_counties(session)] == ["X1", "X2"]
    assert sorted(levels) == ["city", "county", "county", "nation", "province"]


async def test_the_preview_shows_what_changes_and_writes_nothing(store: Store, county: County, tmp_path: Path) -> None:
    assert (await preview(store, county)).first
    await save(store, county)
    assert not (await preview(store, county)).any
    changed = spoilt(
        teachers=FLAWLESS["teachers"].replace("甲", "甲某").replace("T2,C,乙,music\n", ""),
        lessons=FLAWLESS["lessons"].replace("C,C1,music,2,1,T2,,odd\n", "") + "C,C1,art,2,2,,,all\n",
        communities=None,
        calendar=FLAWLESS["calendar"].replace("国庆", "放假"),
    )
    after = read_county(folder_of(tmp_path / "changed", changed)).county
    assert after is not None
    diff = await preview(store, after)
    assert not diff.first
    assert diff.counts() == {
        "teachers.csv": {"added": 0, "changed": 1, "removed": 1},
        "lessons.csv": {"added": 1, "changed": 0, "removed": 1},
        "communities.csv": {"added": 0, "changed": 0, "removed": 1},
        "calendar.csv": {"added": 0, "changed": 1, "removed": 0},
    }
    samples = {
        change.key: change.cells for file in diff.files for change in file.samples if file.file == "teachers.csv"
    }
    assert samples == {"T1": (("name", "甲", "甲某"),), "T2": ()}
    assert await load(store, "X1") == county


async def test_an_import_leaves_a_record_and_an_audit_entry(store: Store, county: County) -> None:
    await save(store, county)
    await save(store, replace(county, name="新县"))
    async with store.read() as session:
        newest, first = await list_imports(session, "X1")
        actions = list(await session.scalars(select(AuditLeaf.action)))
    assert (first.revision, newest.revision) == (1, 2)
    assert newest.changes == {"county.csv": {"added": 0, "changed": 1, "removed": 0}}
    assert first.rows["teachers"] == 3
    assert actions == ["county.import", "county.import"]


async def test_what_is_gone_is_retired_and_may_come_back(store: Store, county: County) -> None:
    """A past lesson still finds the school and the teacher that the files no longer name."""
    await save(store, county)
    async with store.write() as session:
        session.add(
            Occurrence(
                id="1" * 32, county="X1", family="delivery", kind="lesson", ref="", title="", subject="music",
                day=date(2026, 9, 8), week=1, starts_at=datetime(2026, 9, 8, tzinfo=UTC), ends_at=datetime(2026, 9, 8, tzinfo=UTC),
                lead_school_code="C", lead_teacher_code="T2", lead_room_code="C-R", state="judged",
            )
        )  # fmt: skip
    smaller = replace(
        county,
        schools=tuple(school for school in county.schools if school.code != "C"),
        rooms=tuple(room for room in county.rooms if room.school_code != "C"),
        teachers=tuple(teacher for teacher in county.teachers if teacher.school_code != "C"),
        classes=tuple(group for group in county.classes if group.school_code != "C"),
        lessons=(), unavailabilities=(), communities=(), courses=(),
    )  # fmt: skip
    await save(store, smaller)
    assert await load(store, "X1") == smaller
    async with store.read() as session:
        lesson = await session.get_one(Occurrence, "1" * 32)
        teacher = await session.get_one(Teacher, ("X1", lesson.lead_teacher_code))
        assert (teacher.name, teacher.retired) == ("乙", True)
        assert (await list_counties(session))[0].schools == 2
    await save(store, county)
    assert await load(store, "X1") == county


async def test_a_failing_save_changes_nothing(store: Store, county: County) -> None:
    """The second of two equal needs breaks the table's key at the very end: nothing of the import remains."""
    await save(store, county)
    broken = replace(county, name="新县", needs=(Need("T1", "music", 2), Need("T1", "music", 4)))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await save(store, broken)
    assert await load(store, "X1") == county
    async with store.read() as session:
        assert (await session.scalar(select(func.count()).select_from(AuditLeaf))) == 1


async def test_another_countys_files_are_refused(store: Store, county: County) -> None:
    with pytest.raises(Conflict, match="other_county"):
        await save_county(store, SYSTEM, CLOCK, county, file_name="x", sha256="a" * 64, into="X9")
    async with store.read() as session:
        with pytest.raises(NotFound, match="county_not_found"):
            await load_county(session, "X1")
