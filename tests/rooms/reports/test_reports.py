"""The bureau's figures: by their definitions, and always the number of the rows behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.planning.changes import cancel, excuse_side
from rooms.planning.publish import publish_plan
from rooms.reports import (
    FIGURE_KEYS,
    Period,
    Scope,
    coverage_table,
    exceptions,
    figure_rows,
    figures,
    figures_by_school,
    participation,
    quota_rows,
    quota_table,
    reach,
    side_rows,
)
from rooms.store import Actor, Store
from rooms.tables import County, Occurrence, OccurrenceSide, School, Verdict

TERM = Period(date(2026, 9, 1), date(2026, 10, 30))
ALL = Scope("C")


def verdict(side: OccurrenceSide, value: str, **fields: Any) -> Verdict:
    values: dict[str, Any] = {
        "reason": "valid" if value == "VALID" else "below_required",
        "presence_seconds": 2400,
        "common_seconds": 2400,
        "required_seconds": 1800,
        "intervals": [],
        "gaps": [],
        "late": False,
        "early_leave": False,
        "head_count": None,
        "rules": "r",
        "rules_sha256": "0" * 64,
        "judged_at": datetime(2026, 9, 8, tzinfo=UTC),
    }
    return Verdict(side_id=side.id, occurrence_id=side.occurrence_id, verdict=value, **values | fields)


@pytest.fixture
async def held(store: Store, county: str, clock: Any, planner: Actor) -> list[str]:
    """Five of the eight music lessons are over: four valid at the centre, of these three at the point; one was cancelled before."""
    await publish_plan(store, planner, clock, county, 1, TERM.first)
    async with store.read() as session:
        wanted = select(Occurrence.id).where(Occurrence.subject == "music", Occurrence.family == "delivery")
        ids = list(await session.scalars(wanted.order_by(Occurrence.starts_at)))
    await cancel(store, planner, clock, ids[4], reason="teacher_leave", county=county)
    clock.time = datetime(2026, 10, 6, tzinfo=UTC)
    async with store.write() as session:
        for number, occurrence_id in enumerate(ids[:4]):
            lesson = await session.get(Occurrence, occurrence_id)
            assert lesson is not None
            lesson.state = "judged"
            for side in await _sides(session, occurrence_id):
                bad = number == 3 and side.class_code == "K3"
                session.add(verdict(side, "UNEXCUSED" if bad else "VALID", late=number == 0))
        for side in await _sides(session, ids[4]):
            session.add(verdict(side, "EXCUSED"))
    return ids


async def _sides(session: AsyncSession, occurrence_id: str) -> list[OccurrenceSide]:
    return list(await session.scalars(select(OccurrenceSide).where(OccurrenceSide.occurrence_id == occurrence_id)))


async def values(store: Store, clock: Any, scope: Scope = ALL, period: Period = TERM) -> dict[str, int]:
    async with store.read() as session:
        return {key: figure.value for key, figure in (await figures(session, scope, period, clock.now())).items()}


async def test_planned_due_and_done_on_both_sides(store: Store, clock: Any, held: list[str]) -> None:
    music = await values(store, clock, Scope("C", school="S3"))
    # the point: 8 planned, one excused before the start, three to come, one missed
    assert {key: music[f"{key}_receive"] for key in ("planned", "due", "done", "unexcused", "excused", "unjudged")} == {
        "planned": 8, "due": 4, "done": 3, "unexcused": 1, "excused": 1, "unjudged": 0,
    }  # fmt: skip
    assert (music["planned_points"], music["due_points"], music["done_points"]) == (8, 4, 3)
    lead = await values(store, clock, Scope("C", school="S1"), Period(date(2026, 9, 7), date(2026, 9, 7)))
    assert (lead["planned_lead"], lead["due_lead"], lead["done_lead"], lead["on_time_lead"]) == (1, 1, 1, 0)
    assert lead["planned_receive"] == 0


async def test_every_figure_is_the_number_of_its_rows(store: Store, clock: Any, held: list[str]) -> None:
    scopes = [ALL, Scope("C", township="东山镇"), Scope("C", school="S2"), Scope("C", school="S9")]
    periods = [TERM, Period(date(2026, 9, 14), date(2026, 9, 20)), Period(date(2027, 1, 1), date(2027, 1, 2))]
    async with store.read() as session:
        for scope in scopes:
            for period in periods:
                found = await figures(session, scope, period, clock.now())
                assert tuple(found) == FIGURE_KEYS
                for key, figure in found.items():
                    rows = await figure_rows(session, key, scope, period, clock.now())
                    assert len(rows) == len({row.side_id for row in rows}) == figure.value, key
                    if figure.of:
                        assert figure.whole == found[figure.of].value
        with pytest.raises(KeyError):
            await figure_rows(session, "made_up", ALL, TERM, clock.now())


async def test_a_part_of_a_county_is_the_same_rows_read_alone(store: Store, clock: Any, held: list[str]) -> None:
    for scope in (Scope("C", township="东山镇"), Scope("C", school="S3"), Scope("C", "东山镇", "S9")):
        async with store.read() as alone, store.read() as after:
            whole = await side_rows(after, ALL, TERM, clock.now())
            rows = await side_rows(alone, scope, TERM, clock.now())
            assert rows == await side_rows(after, scope, TERM, clock.now())
            assert len(rows) < len(whole)
    assert rows == []


async def test_the_schools_add_up_to_the_county(store: Store, clock: Any, held: list[str]) -> None:
    async with store.read() as session:
        whole = await figures(session, ALL, TERM, clock.now())
        schools = await figures_by_school(session, ALL, TERM, clock.now())
        rows = await side_rows(session, ALL, TERM, clock.now())
    assert set(schools) == {"S1", "S2", "S3"}
    for key in FIGURE_KEYS:
        assert sum(each[key].value for each in schools.values()) == whole[key].value
    due = whole["due_lead"].value + whole["due_receive"].value
    assert due == sum(row.due for row in rows)
    closed = ("done", "invalid", "unexcused", "unjudged")
    assert due == sum(whole[f"{name}_{side}"].value for name in closed for side in ("lead", "receive"))


async def test_a_late_excuse_leaves_a_lesson_due_and_an_early_one_does_not(
    store: Store, clock: Any, held: list[str], planner: Actor
) -> None:
    before = await values(store, clock, Scope("C", school="S3"))
    async with store.read() as session:
        past, coming = [
            {side.class_code: side.id for side in await _sides(session, held[number])}["K3"] for number in (3, 6)
        ]
    await excuse_side(store, planner, clock, past, reason="power", county="C")
    await excuse_side(store, planner, clock, coming, reason="power", county="C")
    after = await values(store, clock, Scope("C", school="S3"))
    assert after["due_receive"] == before["due_receive"]
    clock.time = datetime(2026, 12, 1, tzinfo=UTC)
    assert (await values(store, clock, Scope("C", school="S3")))["due_receive"] == 8 - 2


async def test_who_was_excused_and_came_all_the_same_was_due(
    store: Store, clock: Any, held: list[str], planner: Actor
) -> None:
    async with store.read() as session:
        sides = await _sides(session, held[5])
        coming = next(side.id for side in sides if side.class_code == "K3")
        before = {line.school_code: line for line in await quota_table(session, ALL, clock.now())}
    await excuse_side(store, planner, clock, coming, reason="power", county="C")
    async with store.read() as session:
        after = {line.school_code: line for line in await quota_table(session, ALL, clock.now())}
    assert before["S3"].planned_left - after["S3"].planned_left == 1, "nobody waits for who is excused"
    clock.time = datetime(2026, 12, 1, tzinfo=UTC)
    absent = await values(store, clock, Scope("C", school="S3"))
    async with store.write() as session:
        session.add_all(verdict(side, "VALID") for side in sides)
    found = await values(store, clock, Scope("C", school="S3"))
    assert (found["done_receive"], found["due_receive"]) == (absent["done_receive"] + 1, absent["due_receive"] + 1)
    closed = ("done", "invalid", "unexcused", "unjudged")
    assert found["due_receive"] == sum(found[f"{name}_receive"] for name in closed)


async def test_rehearsals_and_superseded_lessons_count_nowhere(store: Store, clock: Any, held: list[str]) -> None:
    before = await values(store, clock)
    async with store.write() as session:
        first, second = [await session.get(Occurrence, each) for each in held[5:7]]
        assert first is not None
        assert second is not None
        first.kind = "rehearsal"
        second.state, second.cancel_reason = "cancelled", "superseded"
    after = await values(store, clock)
    assert before["planned_lead"] - after["planned_lead"] == 2


async def test_the_quota_and_the_lessons_behind_it(store: Store, clock: Any, held: list[str]) -> None:
    async with store.read() as session:
        lines = {line.school_code: line for line in await quota_table(session, ALL, clock.now())}
        for code, line in lines.items():
            assert len(line.occurrence_ids) == line.count
            rows = await quota_rows(session, "C", code, clock.now())
            assert [row.occurrence_id for row in rows] == list(line.occurrence_ids)
            assert all(row.done for row in rows)
    assert (lines["S1"].count, lines["S1"].points, lines["S1"].outlook) == (4, 100, "met")
    assert (lines["S2"].count, lines["S2"].points) == (4, 100)
    point = lines["S3"]
    assert (point.count, point.points, point.needed, point.ranked, point.outlook) == (3, 0, 1, False, "on_course")
    assert (point.by_week, point.planned_left) == (9, 3)


async def test_a_point_is_credited_to_its_centre(store: Store, clock: Any, held: list[str]) -> None:
    async with store.write() as session:
        for occurrence_id in held[:4]:
            near = next(side for side in await _sides(session, occurrence_id) if side.class_code == "K2")
            row = await session.get(Verdict, near.id)
            assert row is not None
            row.verdict = "INVALID"
    async with store.read() as session:
        lines = {line.school_code: line for line in await quota_table(session, ALL, clock.now())}
        rows = await quota_rows(session, "C", "S2", clock.now())
    assert lines["S2"].count == lines["S3"].count == 3
    assert {row.school_code for row in rows} == {"S3"}


async def test_coverage_counts_local_and_valid_received_lessons(store: Store, clock: Any, held: list[str]) -> None:
    period = Period(date(2026, 9, 7), date(2026, 9, 26))  # three weeks and a make-up Sunday: 16 school days
    async with store.read() as session:
        lines = {
            (line.class_code, line.subject): line for line in await coverage_table(session, ALL, period, clock.now())
        }
    music = lines["K2", "music"]
    assert (music.required, music.local, music.received) == (1, 0, Fraction(4 * 5, 16))
    assert music.complete
    assert len(music.occurrence_ids) == 4
    chinese, art = lines["K2", "chinese"], lines["K2", "art"]
    assert (chinese.local, chinese.missing, chinese.complete) == (1, 0, True)
    assert (art.local, art.missing, art.offered, art.complete) == (Fraction(1, 2), Fraction(1, 2), True, False)
    assert (lines["K3", "art"].offered, lines["K3", "art"].missing) == (False, 1)


async def test_the_only_curriculum_plan_counts_without_being_named(store: Store, clock: Any, held: list[str]) -> None:
    async with store.read() as session:
        named = await coverage_table(session, ALL, TERM, clock.now())
    async with store.write() as session:
        (await session.get_one(County, "C")).curriculum_plan = ""
    async with store.read() as session:
        assert await coverage_table(session, ALL, TERM, clock.now()) == named
    assert any(not line.complete for line in named)


async def test_the_exception_lists(store: Store, clock: Any, held: list[str]) -> None:
    async with store.read() as session:
        found = await exceptions(session, ALL, TERM, clock.now())
    listed = {(each.kind, each.school_code, each.detail) for each in found}
    assert ("not_received", "S3", "K3") in listed
    assert ("no_custodian", "S3", "R3") in listed
    assert all(each.contact_phone == "0000" for each in found)
    assert "not_opened" not in {each.kind for each in found}
    clock.time = datetime(2026, 11, 2, tzinfo=UTC)
    async with store.write() as session:
        session.add(_extra_school())
    async with store.read() as session:
        later = await exceptions(session, ALL, TERM, clock.now())
    assert ("never_scheduled", "S4", "") in {(each.kind, each.school_code, each.detail) for each in later}
    assert ("quota_at_risk", "S4", "4") in {(each.kind, each.school_code, each.detail) for each in later}


def _extra_school() -> Any:
    return School(
        county="C", code="S4", name="西沟小学", kind="village_primary", role="receive", bell_code="B2", township="西沟乡",
        stages=["primary"], contact_name="", contact_phone="",
    )  # fmt: skip


async def test_participation_and_reach(store: Store, clock: Any, held: list[str]) -> None:
    async with store.read() as session:
        lines = {
            (each.school_code, each.subject): each for each in await participation(session, ALL, TERM, clock.now())
        }
        found = await reach(session, ALL, TERM, clock.now())
    assert len(lines) == 3 * 2
    assert lines["S1", "music"].done_lead == 4
    blank = lines["S3", "art"]
    assert (blank.planned_lead, blank.planned_receive) == (0, 0)
    assert (found.points, found.points_served, found.classes, found.classes_served) == (1, 1, 2, 2)
    assert (found.pupils, found.pupils_served) == (35, 35)


async def test_another_county_is_not_seen(store: Store, clock: Any, held: list[str]) -> None:
    assert set((await values(store, clock, Scope("D"))).values()) == {0}
