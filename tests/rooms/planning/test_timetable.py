"""The week as a school meets it: its own periods, the exact minutes, what a special day changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rooms.planning.changes import NewLesson, add_lesson
from rooms.planning.circumstance_rows import load_county_in_force, record
from rooms.planning.circumstances import Circumstance
from rooms.planning.names import periods_of
from rooms.planning.publish import publish_plan
from rooms.planning.timetable import DayView, Period, parts, room_week, school_week, teacher_week
from rooms.store import Actor, Store
from rooms.tables import Bell

START = date(2026, 9, 1)
MONDAY = date(2026, 9, 7)
BELL = (Period("1", 510, 550), Period("2", 560, 600), Period("3", 630, 675))


def test_a_window_over_two_periods_takes_a_part_of_each() -> None:
    first, second = parts(570, 640, BELL)
    assert (first.period.name, first.start, first.end, first.whole) == ("2", 570, 600, False)
    assert (second.period.name, second.start, second.end) == ("3", 630, 640)
    assert [part.whole for part in parts(510, 550, BELL)] == [True]
    assert parts(550, 560, BELL) == ()


@given(st.integers(480, 700), st.integers(480, 700))
def test_parts_are_the_minutes_taught(start: int, end: int) -> None:
    found = {minute for part in parts(start, end, BELL) for minute in range(part.start, part.end)}
    taught = {minute for period in BELL for minute in range(period.start, period.end)}
    assert found == taught & set(range(start, end))


async def school_days(store: Store, school: str, day: date) -> dict[date, DayView]:
    async with store.read() as session:
        week = await school_week(session, "C", school, day)
    assert week is not None
    return {each.day: each for each in week.days}


async def test_the_week_of_a_receiving_school(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    days = await school_days(store, "S2", MONDAY + timedelta(2))
    assert list(days) == [MONDAY + timedelta(n) for n in range(5)]
    monday = days[MONDAY]
    assert [(entry.period, entry.subject, entry.teacher_name) for entry in monday.local] == [("1", "chinese", "周村")]
    remote = monday.remote[0]
    assert (remote.role, remote.class_codes, remote.occurrence.start, remote.occurrence.end) == (
        "receiver",
        ("K2",),
        570,
        610,
    )
    assert [(part.period.name, part.start, part.end, part.whole) for part in remote.parts] == [("2", 570, 600, False)]


async def test_the_lead_school_sees_its_own_period(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    remote = (await school_days(store, "S1", MONDAY))[MONDAY].remote[0]
    assert (remote.role, remote.class_codes) == ("lead", ())
    assert [(part.period.name, part.whole) for part in remote.parts] == [("2", True)]


async def test_odd_weeks_holidays_and_makeup_days(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    odd = await school_days(store, "S2", date(2026, 9, 15))
    even = await school_days(store, "S2", date(2026, 9, 8))
    assert [entry.subject for entry in odd[date(2026, 9, 15)].local] == ["art"]
    assert even[date(2026, 9, 8)].local == ()
    sunday = odd[date(2026, 9, 20)]
    assert (sunday.kind, sunday.taught_as) == ("makeup", 1)
    assert [entry.subject for entry in sunday.local] == ["chinese"]
    assert len(sunday.remote) == 1
    assert sunday.periods == odd[date(2026, 9, 14)].periods
    holiday = (await school_days(store, "S2", date(2026, 9, 28)))[date(2026, 9, 28)]
    assert (holiday.kind, holiday.taught_as, holiday.note) == ("holiday", None, "国庆")
    assert not holiday.local
    assert not holiday.remote
    assert (await school_days(store, "S2", date(2026, 8, 31)))[date(2026, 8, 31)].kind == "outside"


async def test_teacher_and_room(store: Store, county: str, clock: Any, planner: Actor) -> None:
    await publish_plan(store, planner, clock, county, 1, START)
    async with store.read() as session:
        member = await teacher_week(session, county, "T3", date(2026, 9, 16))
        lead = await teacher_week(session, county, "T1", date(2026, 9, 16))
        room = await room_week(session, county, "R3", date(2026, 9, 16))
        assert await teacher_week(session, county, "T9", MONDAY) is None
        assert await room_week(session, county, "R9", MONDAY) is None
        assert await school_week(session, county, "S9", MONDAY) is None
    assert member is not None
    assert lead is not None
    assert room is not None
    assert [entry.role for day in member.days for entry in day.remote] == ["member"]
    assert [entry.subject for day in member.days for entry in day.local] == ["chinese", "art", "chinese"]
    assert [entry.role for day in lead.days for entry in day.remote] == ["lead"] * 3
    assert [entry.class_codes for day in room.days for entry in day.remote] == [("K3",), ("K3",)]
    assert (lead.title, lead.week, lead.monday) == ("李音", 3, date(2026, 9, 14))


async def test_a_lesson_added_on_a_weekend_is_shown(store: Store, county: str, clock: Any, planner: Actor) -> None:
    saturday = date(2026, 9, 12)
    assert saturday not in await school_days(store, "S3", saturday)
    lesson = NewLesson(
        county, saturday, 540, 580, subject="music", lead_teacher_code="T1", lead_room_code="R1", class_codes=("K3",)
    )
    await add_lesson(store, planner, clock, lesson)
    day = (await school_days(store, "S3", saturday))[saturday]
    assert (day.kind, len(day.remote), day.remote[0].parts) == ("weekend", 1, ())


async def test_winter_bells_are_followed_from_their_day_on(
    store: Store, county: str, clock: Any, planner: Actor
) -> None:
    async with store.write() as session:
        session.add_all(
            Bell(
                county=county,
                bell_code="W2",
                weekday=day,
                period=each.name,
                start=each.start + 30,
                end=each.end + 30,
                label="",
            )
            for day in range(1, 6)
            for each in BELL
        )
        await session.flush()
        winter = Circumstance("bell_changed", "B2", MONDAY + timedelta(7), bell_code="W2")
        await record(session, planner, await load_county_in_force(session, county), winter, at=clock.now())
    before = (await school_days(store, "S2", MONDAY))[MONDAY]
    after = (await school_days(store, "S2", MONDAY + timedelta(7)))[MONDAY + timedelta(7)]
    assert [day.periods[0].start for day in (before, after)] == [510, 540]
    assert [day.local[0].start for day in (before, after)] == [510, 540]
    async with store.read() as session:
        assert (await periods_of(session, county, "S2"))[1][0].start == 540
        assert (await periods_of(session, county, "S1"))[1][0].start == 520
