"""Calendars that a phone can subscribe to: stable, readable, behind an address nobody can guess."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event
from sqlalchemy import select

from rooms.planning import feeds
from rooms.planning.changes import NewLesson, add_lesson, cancel, declare_shift
from rooms.planning.feeds import make_feed, read_feed, revoke_feeds
from rooms.planning.publish import publish_plan
from rooms.refusals import Invalid
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, FeedToken

START = date(2026, 9, 1)


@pytest.fixture
async def published(store: Store, county: str, clock: Any, planner: Actor) -> str:
    await publish_plan(store, planner, clock, county, 1, START)
    return county


async def events(store: Store, clock: Any, token: str, **options: Any) -> dict[str, Event]:
    text = await read_feed(store, clock, token, **options)
    assert text is not None
    return {str(event["uid"]): event for event in Calendar.from_ical(text).walk("VEVENT")}


async def test_a_teachers_lessons_in_the_countys_time(store: Store, clock: Any, planner: Actor, published: str) -> None:
    token = await make_feed(store, planner, clock, published, "teacher", "T1")
    text = await read_feed(store, clock, token)
    assert text is not None
    calendar = Calendar.from_ical(text)
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]
    assert "李音" in str(calendar["x-wr-calname"])
    found = await events(store, clock, token)
    assert len(found) == 8 + 5  # music on eight days, the circle in five odd weeks
    first = min(found.values(), key=lambda event: event.start)
    assert first.start == datetime(2026, 9, 2, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert first.end - first.start == timedelta(minutes=60)
    assert "音乐共同体" in str(first["summary"])
    music = next(event for event in found.values() if str(event["summary"]).startswith("音乐（"))
    assert str(music["summary"]) == "音乐（专递课堂）"
    assert "石桥教学点 K3" in str(music["description"])
    assert b"DTSTART;TZID=Asia/Shanghai:2026" in text


async def test_each_kind_has_its_own_lessons(store: Store, clock: Any, planner: Actor, published: str) -> None:
    counts = {}
    for kind, code in [("teacher", "T2"), ("teacher", "T3"), ("school", "S2"), ("room", "R3"), ("room", "R1")]:
        counts[kind, code] = len(
            await events(store, clock, await make_feed(store, planner, clock, published, kind, code))
        )
    assert counts == {
        ("teacher", "T2"): 5,
        ("teacher", "T3"): 5,
        ("school", "S2"): 8 + 5 + 5,
        ("room", "R3"): 8,
        ("room", "R1"): 18,
    }


async def test_uids_stay_and_cancelled_lessons_say_so(store: Store, clock: Any, planner: Actor, published: str) -> None:
    token = await make_feed(store, planner, clock, published, "room", "R3")
    before = await events(store, clock, token)
    uids = sorted(before, key=lambda uid: before[uid].start)
    first, second = (uid.partition("@")[0] for uid in uids[:2])
    await cancel(store, planner, clock, first, reason="power", county=published)
    await declare_shift(store, planner, clock, second, seconds=600, county=published)
    makeup = await add_lesson(store, planner, clock, NewLesson(published, date(2026, 9, 8), 635, 680, replaces=first))
    after = await events(store, clock, token, languages=("zh_CN", "en"))
    assert set(after) == {*before, f"{makeup}@sanke"}
    assert (str(after[uids[0]]["status"]), after[uids[0]]["sequence"]) == ("CANCELLED", 1)
    assert "停电" in str(after[uids[0]]["description"])
    assert str(after[uids[0]]["summary"]) == "已取消：音乐（专递课堂） / Cancelled: Music (Delivery)"
    assert after[uids[1]].start - before[uids[1]].start == timedelta(minutes=10)
    assert str(after[f"{makeup}@sanke"]["summary"]).startswith("补课")


async def test_an_address_is_secret_and_can_be_ended(store: Store, clock: Any, planner: Actor, published: str) -> None:
    token, other = [await make_feed(store, planner, clock, published, "school", "S2") for _ in range(2)]
    assert token != other
    assert len(token) >= 43
    async with store.read() as session:
        assert not {token, other} & set(await session.scalars(select(FeedToken.token_hash)))
    assert await read_feed(store, clock, "x" * 43) is None
    assert await revoke_feeds(store, planner, clock, published, "school", "S2") == 2
    assert await revoke_feeds(store, planner, clock, published, "school", "S2") == 0
    assert await read_feed(store, clock, token) is None
    async with store.read() as session:
        acts = await session.scalars(select(AuditLeaf.action).where(AuditLeaf.action.like("feed.%")))
        assert sorted(acts) == ["feed.make", "feed.make", "feed.revoke"]
    for kind, code in [("school", "S9"), ("class", "K1")]:
        with pytest.raises(Invalid, match="code_unknown"):
            await make_feed(store, planner, clock, published, kind, code)


async def test_a_calendar_is_written_beside_the_event_loop(
    store: Store, clock: Any, planner: Actor, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def calendar(*_: object) -> bytes:
        written.append(threading.get_ident())
        return b"written"

    monkeypatch.setattr(feeds, "_calendar", calendar)
    token = await make_feed(store, planner, clock, published, "school", "S2")
    assert await read_feed(store, clock, token) == b"written"
    assert written != [threading.get_ident()]
