"""A live class of the small county: the first music lesson, on Monday 7 September 2026, 9:30–10:10."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from media.events import Connected, Disconnected, MediaEvent, MediaSlot, PeerId, RoomId, SessionId, SourceName
from media.orders import Order
from rooms.bus.memory import MemoryBus
from rooms.live.board import LiveBoard
from rooms.people.passwords import hashed
from rooms.planning.occurrences import Who, between
from rooms.planning.publish import publish_plan
from rooms.rulesets import load_rules
from rooms.store import Actor, Store
from rooms.tables import Assistant

START = datetime(2026, 9, 7, 1, 30, tzinfo=UTC)
END = START + timedelta(minutes=40)
TEACHER = Actor("account:liyin", "lead_teacher")
CLASSROOM = Actor("device:2", "device")
PIN = "2580"


@dataclass
class Lesson:
    """A published lesson and its sides."""

    id: str
    lead: str
    near: str
    """The class of the central primary, K2."""
    far: str
    """The class of the teaching point, K3."""


def slots(lesson: str, side: str, first: float, last: float, *, session: str = "", **fields: Any) -> list[MediaEvent]:
    """Media from minute to minute of the lesson in slots of 10 s, as the relay tells it."""
    role = "publisher" if fields.pop("publishes", False) else "subscriber"
    source = SourceName(fields.pop("source", "lead"))
    names: Any = {"room": RoomId(lesson), "peer": PeerId(side), "source": source, "role": role}
    names["session"] = SessionId(session or f"{side}-{first}")
    begin, end = START + timedelta(minutes=first), START + timedelta(minutes=last)
    found: list[MediaEvent] = [Connected(at=begin, **names)]
    while begin < end:
        until = min(begin + timedelta(seconds=10), end)
        slot = MediaSlot(
            started_at=begin,
            ended_at=until,
            packets=500,
            octets=500_000,
            acknowledged=None if role == "publisher" else 495,
            source_packets=500,
            lost=5,
            jitter_ms=3.5,
            round_trip_ms=40.0,
            **names,
        )
        found.append(replace(slot, **fields))
        begin = until
    return [*found, Disconnected(at=end, reason="closed", **names)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
async def lesson(store: Store, county: str, clock: Any, planner: Actor) -> Lesson:
    await publish_plan(store, planner, clock, county, 1, date(2026, 9, 1))
    async with store.write() as session:
        pin = await hashed(PIN)
        session.add_all(
            [
                Assistant(id=1, county=county, school_code="S2", name="孙助", pin_hash=pin),
                Assistant(id=2, county=county, school_code="S3", name="吴助", pin_hash=pin),
            ]
        )
    async with store.read() as session:
        view = (await between(session, Who(county), START.date(), START.date()))[0]
    clock.time = START - timedelta(minutes=10)
    return Lesson(view.id, *(side.id for side in view.sides))


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


class Ordered:
    """Takes the orders to the relay, and remembers them."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def order(self, order: Order) -> None:
        self.orders.append(order)


@pytest.fixture
def media() -> Ordered:
    return Ordered()


@pytest.fixture
async def board(
    store: Store, clock: Any, bus: MemoryBus, settings: Settings, media: Ordered
) -> AsyncIterator[LiveBoard]:
    """A board whose writer runs; the sweep is called by hand."""
    board = LiveBoard(store, clock, bus, load_rules("attendance-2026.1"), settings, media)
    board._writer.start()
    yield board
    await board.close()


@pytest.fixture
def hold(board: LiveBoard, lesson: Lesson, clock: Any) -> Callable[..., Any]:
    """Holds the whole lesson: the lead and the near class throughout, the far class for `far` minutes; leaves it live at its end."""

    async def held(*, far: float = 0, near: float = 40) -> None:
        await board.open_class(TEACHER, lesson.id)
        await board.sign_in(CLASSROOM, lesson.near, 1, PIN)
        await board.head_count(CLASSROOM, lesson.near, 28)
        for event in [
            *slots(lesson.id, lesson.lead, 0, 40, publishes=True),
            *slots(lesson.id, lesson.near, 0, near),
            *slots(lesson.id, lesson.far, 0, far),
        ]:
            board.on_media_event(event)
        await board.flush()
        clock.time = END

    return held
