"""How the media of live classes does, told while somebody looks: from the process with the relay over the bus to the pages.

Whoever looks at a class says so on `LOOKING`, every `SAY_AGAIN_SECONDS`; of such rooms ``live:<occurrence>`` gets, every two
seconds, ``{"type": "media", "origin": …, "sessions": […]}``. The rates are over the last ten seconds. Nothing of it is stored:
evidence is what the relay's slots say.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog

from media.events import RoomId, is_edge
from media.values import RoomStats, SessionView
from rooms.bus import GAP, Bus
from rooms.clock import Clock
from rooms.live.sources import LEADS

log = structlog.get_logger("live")

LOOKING = "live.looking"
SAY_AGAIN_SECONDS = 15.0
"""Who looks says so this often …"""
FORGET_SECONDS = 50.0
"""… and is forgotten after this silence: two messages may be lost."""
EVERY_SECONDS = 2.0
KEPT = 6
"""Snapshots of a room: rates are over the time between the first and the last."""
MOST_ROOMS, MOST_SESSIONS = 500, 300
"""Rooms that are told of at once, and sessions of one room: more than a relay carries."""


Grade = Literal["good", "fair", "poor"]
GRADES: tuple[Grade, ...] = ("good", "fair", "poor")
FAIR = (2.0, 400.0)
"""Lost percent and round trip in ms above which pictures stumble and talk overlaps …"""
POOR = (8.0, 800.0)
"""… and above which they break."""


def grade_of(lost_percent: float | None, round_trip_ms: float | None) -> Grade:
    """What people notice of a line."""
    figures = (lost_percent or 0.0, round_trip_ms or 0.0)
    if any(figure > limit for figure, limit in zip(figures, POOR, strict=True)):
        return "poor"
    return "fair" if any(figure > limit for figure, limit in zip(figures, FAIR, strict=True)) else "good"


def grade_of_side(sessions: Iterable[Mapping[str, Any]], side: str, *, leads: bool) -> Grade | None:
    """The worst grade of what the lead sends, or of what another side receives of it; None where there is none."""
    role = "publisher" if leads else "subscriber"
    grades = [
        each["grade"] for each in sessions if (each["side"], each["role"]) == (side, role) and each["source"] in LEADS
    ]
    return max(grades, key=GRADES.index, default=None)


def sessions_of(before: RoomStats, now: RoomStats, seconds: float) -> list[dict[str, Any]]:
    """Each connected session with its rates between two snapshots that lie `seconds` apart.

    `lost_percent` is None where nothing was sent; of a publisher it is what did not reach the relay.
    """
    earlier = {view.session: view for view in before.sessions}
    return [
        _session(earlier.get(view.session), view, seconds)
        for view in sorted(now.sessions, key=lambda each: (each.peer, each.source))[:MOST_SESSIONS]
        if view.connected and not is_edge(view.peer)
    ]


def _session(before: SessionView | None, now: SessionView, seconds: float) -> dict[str, Any]:
    span = min(seconds, now.seconds) if before is None else seconds
    packets = now.packets - (before.packets if before else 0)
    octets = now.octets - (before.octets if before else 0)
    lost = max(0, now.lost - (before.lost if before else 0))
    expected = packets + lost if now.role == "publisher" else packets
    lost_percent = round(min(100.0, 100 * lost / expected), 1) if expected > 0 else None
    return {
        "side": now.peer,
        "source": now.source,
        "role": now.role,
        "seconds": round(now.seconds),
        "kbit_s": round(8 * octets / span / 1000) if span > 0 else 0,
        "lost_percent": lost_percent,
        "jitter_ms": _rounded(now.jitter_ms),
        "round_trip_ms": _rounded(now.round_trip_ms),
        "rung": now.rung,
        "rid": now.rid,
        "grade": grade_of(lost_percent, now.round_trip_ms),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


@dataclass(slots=True)
class Looked:
    """A room somebody looks at: until when, and what was seen of it lately."""

    until: float
    seen: deque[tuple[float, RoomStats]] = field(default_factory=lambda: deque(maxlen=KEPT))


class Vitals:
    """Tells how the rooms of one relay do. Call `start` in a running loop and `close` at the end."""

    def __init__(self, snapshot: Callable[[RoomId], RoomStats], bus: Bus, clock: Clock) -> None:
        self._snapshot, self._bus, self._clock = snapshot, bus, clock
        self._origin = uuid.uuid4().hex
        self._rooms: dict[str, Looked] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen and tell."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="vitals looked at"),
            asyncio.create_task(self._tell(), name="vitals"),
        ]

    async def close(self) -> None:
        """End both tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _listen(self) -> None:
        async with self._bus.subscribe(LOOKING) as messages:
            async for message in messages:
                room = str(message.get("room", ""))
                if message == GAP or not room or (room not in self._rooms and len(self._rooms) >= MOST_ROOMS):
                    continue
                until = self._clock.monotonic() + FORGET_SECONDS
                self._rooms.setdefault(room, Looked(until)).until = until

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.tell()
            except Exception:  # figures on a page are never worth a relay's process
                log.exception("vitals_failed")

    async def tell(self) -> None:
        """One message for each room that has media and is looked at; the loop calls it, and tests do."""
        now = self._clock.monotonic()
        self._rooms = {room: looked for room, looked in self._rooms.items() if looked.until > now}
        for room, looked in list(self._rooms.items()):
            await asyncio.sleep(0)  # packets go between two rooms
            stats = self._snapshot(RoomId(room))
            if not stats.sessions:
                looked.seen.clear()
                continue
            looked.seen.append((now, stats))
            since, before = looked.seen[0]
            sessions = sessions_of(before, stats, now - since)
            await self._bus.publish(f"live:{room}", {"type": "media", "origin": self._origin, "sessions": sessions})
