"""How a class's lines do: rates between two moments of the relay, told only of rooms that somebody looks at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from media.events import PeerId, RoomId, SessionId, SourceName
from media.values import RoomStats, SessionView
from rooms.bus.memory import MemoryBus
from rooms.live.vitals import FORGET_SECONDS, LOOKING, Vitals, grade_of, grade_of_side, sessions_of

ROOM = RoomId("r")
VIEW = SessionView(
    session=SessionId("s"), room=ROOM, source=SourceName("lead"), peer=PeerId("near"), role="subscriber", etag="e",
    connected=True, seconds=60, packets=1000, octets=1_000_000, lost=10, jitter_ms=4.04, round_trip_ms=300.0,
)  # fmt: skip


def stats(*views: SessionView) -> RoomStats:
    return RoomStats(ROOM, views, ())


def test_rates_are_of_the_time_between() -> None:
    later = replace(VIEW, seconds=70, packets=2000, octets=2_250_000, lost=60)
    (session,) = sessions_of(stats(VIEW), stats(later), 10)
    assert (session["kbit_s"], session["lost_percent"], session["grade"]) == (1000, 5.0, "fair")
    (quiet,) = sessions_of(stats(later), stats(later), 10)
    assert (quiet["kbit_s"], quiet["lost_percent"], quiet["grade"]) == (0, None, "good")


def test_a_new_session_counts_from_its_own_beginning() -> None:
    new = replace(VIEW, session=SessionId("new"), seconds=2, packets=100, octets=50_000, lost=0)
    (session,) = sessions_of(stats(VIEW), stats(new), 10)
    assert (session["kbit_s"], session["lost_percent"]) == (200, 0.0)
    assert sessions_of(stats(), stats(replace(VIEW, connected=False)), 10) == []


def test_what_a_publisher_lost_never_arrived() -> None:
    sent = replace(VIEW, role="publisher", packets=1900, lost=110)
    (session,) = sessions_of(stats(replace(VIEW, role="publisher")), stats(sent), 10)
    assert session["lost_percent"] == 10.0


@pytest.mark.parametrize(
    ("lost", "round_trip", "grade"),
    [
        (None, None, "good"),
        (2.0, 400.0, "good"),
        (2.1, 0, "fair"),
        (0, 401, "fair"),
        (8.1, 0, "poor"),
        (0, 801, "poor"),
    ],
)
def test_a_line_is_graded_by_its_worst_figure(lost: float | None, round_trip: float | None, grade: str) -> None:
    assert grade_of(lost, round_trip) == grade


def test_a_side_is_graded_by_what_counts_for_it() -> None:
    sessions: list[dict[str, Any]] = [
        {"side": "near", "source": "lead", "role": "subscriber", "grade": "good"},
        {"side": "near", "source": "screen", "role": "subscriber", "grade": "fair"},
        {"side": "near", "source": "class:near", "role": "publisher", "grade": "poor"},
        {"side": "lead", "source": "class:near", "role": "subscriber", "grade": "poor"},
    ]
    assert grade_of_side(sessions, "near", leads=False) == "fair"
    assert grade_of_side(sessions, "lead", leads=True) is None


async def test_only_rooms_that_are_looked_at_are_told_of(clock: Any) -> None:
    bus, asked = MemoryBus(), list[RoomId]()

    def snapshot(room: RoomId) -> RoomStats:
        asked.append(room)
        return stats(VIEW) if room == ROOM else stats()

    vitals = Vitals(snapshot, bus, clock)
    vitals.start()
    async with bus.subscribe("live:r") as messages:
        await asyncio.sleep(0)
        await vitals.tell()
        assert asked == []
        for room in ("r", "elsewhere"):
            await bus.publish(LOOKING, {"room": room})
        await asyncio.sleep(0.01)
        await vitals.tell()
        assert set(asked) == {"r", "elsewhere"}
        message = await anext(messages)
        assert [each["side"] for each in message["sessions"]] == ["near"]
        asked.clear()
        clock.advance(seconds=FORGET_SECONDS + 1)
        await vitals.tell()
        assert asked == []
    await vitals.close()
    await bus.close()
