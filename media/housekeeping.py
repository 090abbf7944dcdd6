"""What the relay does beside forwarding, a little in each round: what publishers are asked for, reports, slots, timeouts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial

from media.events import RoomId, SessionId
from media.room import Room
from media.sessions.session import Session
from media.wire.strays import Strays

log = logging.getLogger(__name__)

TICK = 0.02
"""Seconds between two rounds while there are sessions …"""
IDLE_TICK = 0.2
"""… and while there are none."""
TURNS = 8
"""Each round keeps up with one session in eight: a burst of reports to all at once would delay packets."""
STOOD_STILL = 2.0
"""Seconds without a round after which the process was stopped or starved: nobody was taught meanwhile."""


class Housekeeping:
    """Owns one task from `start` to `close`. The rooms and sessions are the relay's own and change under it."""

    def __init__(
        self,
        rooms: Mapping[RoomId, Room],
        sessions: Mapping[SessionId, Session],
        strays: Strays,
        monotonic: Callable[[], float],
    ) -> None:
        self._rooms, self._sessions, self._strays, self._monotonic = rooms, sessions, strays, monotonic
        self._turn, self._ticked_at = 0, monotonic()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins with the rounds."""
        self._ticked_at = self._monotonic()
        self._task = asyncio.create_task(self._tick_on(), name="media-housekeeping")

    async def close(self) -> None:
        """Ends them. May be repeated."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK if self._sessions else IDLE_TICK)
            self.tick()

    def tick(self) -> None:
        """One round; the task does them, and whoever sets the relay's clock."""
        now = self.wake()
        self._ticked_at, self._turn = now, (self._turn + 1) % TURNS
        self._guarded(self._strays.tell, now)
        for room in list(self._rooms.values()):
            self._guarded(room.tick, now)
        for session in list(self._sessions.values())[self._turn :: TURNS]:
            self._guarded(session.upkeep, now)

    def wake(self) -> float:
        """Tells every session of a time in which the process did nothing; the present moment. Whatever comes first afterwards asks:
        a round, or what waited in the kernel meanwhile, which is read before a round that is due."""
        before, now = self._ticked_at, self._monotonic()
        if now - before > STOOD_STILL:
            self._ticked_at = now
            for session in list(self._sessions.values()):
                self._guarded(partial(session.stood_still, before), now)
        return now

    def _guarded(self, work: Callable[[float], None], now: float) -> None:
        """One class's trouble must not stop the housekeeping of the others."""
        try:
            work(now)
        except Exception:
            log.exception("media_upkeep_failed")
