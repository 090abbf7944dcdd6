"""A plan version becomes dated lessons, and the next one changes only what it must."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from rooms.planning.changes import NewLesson, add_lesson, cancel
from rooms.planning.occurrences import Who, between
from rooms.planning.publish import preview_publication, publish_plan
from rooms.refusals import Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, EvidenceEvent, Occurrence, OccurrenceSide, PlanVersion, Room, SchoolClass, Teacher
from scheduler.problem import ALL_WEEKS, ODD

START = date(2026, 9, 1)
AddPlan = Callable[..., Awaitable[None]]
MUSIC = ("M1", "delivery", "music", "T1", 1, 570, 610, ALL_WEEKS, ("K2", "K3"), ())
ART = ("M2", "delivery", "art", "T2", 4, 570, 610, ODD, ("K2",), ())
MUSIC_LATER = ("M1", "delivery", "music", "T1", 1, 640, 680, ALL_WEEKS, ("K2", "K3"), ())


async def rows(store: Store) -> list[Occurrence]:
    async with store.read() as session:
        found = list(await session.scalars(select(Occurrence).order_by(Occurrence.starts_at)))
        session.expunge_all()
    return found


async def audited(store: Store, action: str) -> int:
    async with store.read() as session:
        return await session.scalar(select(func.count()).select_from(AuditLeaf).where(AuditLeaf.action == action)) or 0


async def test_a_term_of_dated_lessons(store: Store, county: str, clock: Any, planner: Actor) -> None:
    done = await publish_plan(store, planner, clock, county, 1, START)
    lessons = await rows(store)
    music = [row for row in lessons if row.subject == "music" and row.family == "delivery"]
    # Mondays 7 September to 26 October, without the holiday on 28 September, with the make-up Sunday 20 September
    assert [row.day for row in music] == [
        *(date(2026, 9, day) for day in (7, 14, 20, 21)),
        *(date(2026, 10, day) for day in (5, 12, 19, 26)),
    ]
    assert music[0].starts_at == datetime(2026, 9, 7, 1, 30, tzinfo=UTC)
    assert {row.week for row in lessons if row.subject == "art"} == {1, 3, 5, 7, 9}
    circle = next(row for row in lessons if row.family == "master")
    assert (circle.kind, circle.title) == ("seminar", "音乐共同体")
    assert (done.added, done.removed, done.kept) == (len(lessons), 0, 0)
    assert set(done.schools) == {"S1", "S2", "S3"}
    async with store.read() as session:
        version = await session.get(PlanVersion, 1)
        assert version is not None
        assert (version.state, version.effective_from, version.published_by) == ("published", START, planner.name)
        view = (await between(session, Who(county), date(2026, 9, 7), date(2026, 9, 7)))[0]
    assert [(side.side, side.school_name, side.class_code, side.expected) for side in view.sides] == [
        ("lead", "实验小学", None, 0),
        ("receiver", "东山中心小学", "K2", 30),
        ("receiver", "石桥教学点", "K3", 5),
    ]
    assert (view.start, view.end, view.lead.teacher_name) == (570, 610, "李音")


async def test_publishing_twice_changes_nothing(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    before = [(row.id, row.starts_at) for row in await rows(store)]
    again = await publish_plan(store, planner, clock, county, 1, START)
    assert (again.added, again.removed, again.kept) == (0, 0, len(before))
    assert [(row.id, row.starts_at) for row in await rows(store)] == before
    assert await audited(store, "plan.publish") == 1


async def test_a_preview_shows_the_same_and_writes_nothing(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    async with store.read() as session:
        seen = await preview_publication(session, clock, county, 1, START)
    assert await rows(store) == []
    assert await publish_plan(store, planner, clock, county, 1, START) == seen


async def test_a_new_version_keeps_what_is_the_same(
    store: Store, county: str, clock: Any, planner: Actor, add_plan: AddPlan
) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    art = {row.day: row.id for row in await rows(store) if row.subject == "art"}
    await add_plan(2, [MUSIC_LATER, ART])
    change = await publish_plan(store, planner, clock, county, 2, date(2026, 9, 14))
    after = await rows(store)
    assert {row.day: row.id for row in after if row.subject == "art"} == art
    assert {row.plan_id for row in after if row.subject == "art" and row.day >= date(2026, 9, 14)} == {2}
    music = [row for row in after if row.subject == "music" and row.family == "delivery"]
    assert [row.starts_at.minute for row in music] == [30, *[40] * 7]  # 7 September stands as it was
    moved = [each for each in change.schools["S3"] if each.change == "moved"]
    assert [(each.before, each.after) for each in moved] == [((1, 570, 610, ALL_WEEKS), (1, 640, 680, ALL_WEEKS))]
    assert {each.change for each in change.schools["S2"]} == {"moved", "removed"}  # the circle is no more
    assert not [row for row in after if row.state == "cancelled"]
    async with store.read() as session:
        assert dict((await session.execute(select(PlanVersion.id, PlanVersion.state))).all()) == {
            1: "superseded",
            2: "published",
        }


async def test_what_something_happened_to_is_cancelled_not_removed(
    store: Store, county: str, clock: Any, planner: Actor, add_plan: AddPlan
) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    touched = [row for row in await rows(store) if row.subject == "music"][-1]
    async with store.write() as session:
        session.add(
            EvidenceEvent(
                event_id="e1", occurrence_id=touched.id, kind="self_test", at=clock.now(), received_at=clock.now(),
                source="page", by="x", data={},
            )
        )  # fmt: skip
    await add_plan(2, [ART])
    change = await publish_plan(store, planner, clock, county, 2, START)
    assert change.superseded == 1
    row = next(row for row in await rows(store) if row.id == touched.id)
    assert (row.state, row.cancel_reason) == ("cancelled", "superseded")
    async with store.read() as session:
        shown = await between(session, Who(county), START, date(2026, 12, 1))
        sides = await session.scalar(select(func.count()).select_from(OccurrenceSide))
    assert touched.id not in {view.id for view in shown}
    assert sides == 2 * 5 + 2  # nothing is left of removed lessons


async def test_what_has_begun_is_never_touched_and_the_past_is_not_made_up(
    store: Store, county: str, clock: Any, planner: Actor, add_plan: AddPlan
) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    clock.time = datetime(2026, 9, 14, 1, 45, tzinfo=UTC)  # in the middle of the second music lesson
    await add_plan(2, [MUSIC_LATER])
    await publish_plan(store, planner, clock, county, 2, START)
    music = [row for row in await rows(store) if row.subject == "music" and row.family == "delivery"]
    assert [(row.plan_id, row.starts_at.minute) for row in music] == [
        (1, 30), (1, 30), (2, 40), *[(2, 40)] * 6,
    ]  # fmt: skip # 14 September: the old lesson stands, and the new one begins later that day


async def test_only_a_backdated_publication_fills_the_past(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    clock.time = datetime(2026, 10, 1, tzinfo=UTC)
    assert all(row.day >= date(2026, 10, 1) for row in await _published(store, planner, clock, county, False))
    assert len(await rows(store)) < len(await _published(store, planner, clock, county, True))
    assert (await rows(store))[0].day == date(2026, 9, 2)  # the circle in week 1


async def _published(store: Store, planner: Actor, clock: Any, county: str, backdate: bool) -> Sequence[Occurrence]:
    await publish_plan(store, planner, clock, county, 1, START, backdate=backdate)
    return await rows(store)


async def test_a_lesson_cancelled_by_a_person_stays_cancelled(
    store: Store, county: str, clock: Any, planner: Actor, add_plan: AddPlan
) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    first = next(row for row in await rows(store) if row.subject == "art")
    await cancel(store, planner, clock, first.id, reason="teacher_leave", county=county)
    await add_plan(2, [ART])
    await publish_plan(store, planner, clock, county, 2, START)
    same = next(row for row in await rows(store) if row.id == first.id)
    assert (same.state, same.cancel_reason, same.plan_id) == ("cancelled", "teacher_leave", 2)
    assert sum(row.day == first.day and row.subject == "art" for row in await rows(store)) == 1


async def test_refusals(store: Store, county: str, clock: Any, planner: Actor, add_plan: AddPlan) -> None:
    with pytest.raises(NotFound, match="plan_unknown"):
        await publish_plan(store, planner, clock, county, 9, START)
    with pytest.raises(Invalid, match="effective_outside_term"):
        await publish_plan(store, planner, clock, county, 1, START - timedelta(1))
    await add_plan(2, [("M1", "delivery", "music", "T1", 1, 570, 610, ALL_WEEKS, ("K9",), ())])
    with pytest.raises(Invalid, match="plan_outdated") as refusal:
        await publish_plan(store, planner, clock, county, 2, START)
    assert refusal.value.facts == {"kind": "class", "code": "K9"}
    assert await rows(store) == []
    assert await audited(store, "plan.publish") == 0


@pytest.mark.parametrize(("table", "code"), [(Teacher, "T1"), (Room, "R1"), (SchoolClass, "K3")])
async def test_a_plan_with_somebody_whom_the_files_no_longer_name_is_outdated(
    store: Store, county: str, clock: Any, planner: Actor, table: Any, code: str
) -> None:
    async with store.write() as session:
        (await session.get_one(table, (county, code))).retired = True
    with pytest.raises(Invalid, match="plan_outdated") as refusal:
        await publish_plan(store, planner, clock, county, 1, START)
    assert refusal.value.facts["code"] == code
    assert await rows(store) == []


async def test_lessons_added_by_hand_stand_and_their_clashes_are_shown(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    monday = date(2026, 9, 7)
    extra = NewLesson(
        county, monday, 600, 640, subject="art", lead_teacher_code="T2", lead_room_code="R1", class_codes=("K3",)
    )
    by_hand = await add_lesson(store, planner, clock, extra)
    done = await publish_plan(store, planner, clock, county, 1, START)
    assert {(clash.occurrence_id, clash.what, clash.code, clash.day) for clash in done.clashes} == {
        (by_hand, "room", "R1", monday),
        (by_hand, "room", "R3", monday),
        (by_hand, "class", "K3", monday),
    }
    again = await publish_plan(store, planner, clock, county, 1, START)
    assert (again.added, again.removed) == (0, 0)
    assert by_hand in {row.id for row in await rows(store)}


async def test_lessons_to_come_follow_a_class_into_its_new_room(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    clock.time = datetime(2026, 9, 8, tzinfo=UTC)  # after the first music lesson
    async with store.write() as session:
        group = await session.get_one(SchoolClass, (county, "K3"))
        group.receiving_room_code, group.size = "R2", 7
    async with store.read() as session:
        seen = await preview_publication(session, clock, county, 1, START)
    assert await publish_plan(store, planner, clock, county, 1, START) == seen
    assert (seen.added, seen.removed, seen.reseated) == (0, 0, ("K3",))
    async with store.read() as session:
        lessons = await between(session, Who(county), date(2026, 9, 7), date(2026, 9, 14))
    seats = [(side.room_code, side.expected) for each in lessons for side in each.receivers if side.class_code == "K3"]
    assert seats == [("R3", 5), ("R2", 7)]
    assert (await publish_plan(store, planner, clock, county, 1, START)).reseated == ()
    assert await audited(store, "plan.publish") == 2
