"""Who looks into live classes without sitting in them: the bureau's pages ask anew every few seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from api.hall import Hall, LiveRoom
from rooms.bus import Message
from rooms.clock import Clock

log = structlog.get_logger("live")

LOOK_SECONDS = 45.0
"""A class that somebody looked into is watched this long."""
MOST_CLASSES = 200


@dataclass(slots=True)
class Look:
    """A class that is watched: until when, by which task, and its room once it is open."""

    until: float
    task: asyncio.Task[None] | None = None
    room: LiveRoom | None = None


class Onlookers:
    """Keeps the rooms open that somebody looked into lately, so that the next look finds fresh figures."""

    def __init__(self, hall: Hall, clock: Clock) -> None:
        self._hall, self._clock = hall, clock
        self._looks: dict[str, Look] = {}

    def look(self, occurrence_id: str) -> Message | None:
        """How the media of the class does; None until the first figures have come, or where there is none."""
        until = self._clock.monotonic() + LOOK_SECONDS
        look = self._looks.get(occurrence_id)
        if look is None:
            if len(self._looks) < MOST_CLASSES:
                look = self._looks[occurrence_id] = Look(until)
                look.task = asyncio.create_task(self._watch(occurrence_id, look), name=f"look at {occurrence_id}")
            return None
        look.until = until
        figures = look.room.figures() if look.room is not None else None
        return figures if figures and figures["sessions"] else None

    async def _watch(self, occurrence_id: str, look: Look) -> None:
        try:
            async with self._hall.seat(occurrence_id, "") as (room, _):
                look.room = room
                assert room.task is not None
                while (left := look.until - self._clock.monotonic()) > 0 and not room.task.done():
                    await asyncio.wait({room.task}, timeout=left)
        except Exception:  # nobody waits for it, and the next look opens the room again
            log.exception("look_failed", room=occurrence_id)
        finally:
            self._looks.pop(occurrence_id, None)

    async def close(self) -> None:
        """Ends every look."""
        tasks = [look.task for look in self._looks.values() if look.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
