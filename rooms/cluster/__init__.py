"""Which relay worker has which live room.

A worker announces itself and its rooms every second; one that was silent for `TTL_SECONDS` is gone, and its rooms are placed
anew when somebody next asks for them. A room has one origin, which takes what is published; where it has more classrooms than
one worker should carry, further workers are its edges and get each source from the origin once. Every placing of a room raises
its epoch, so that a worker which was away (paused, cut off) finds that its rooms are another's. Nothing here is the truth about
a class: after everything was forgotten, the workers' next announcements bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType, Protocol

from media.events import PeerId, RoomId
from rooms.bus import Message

WorkerId = NewType("WorkerId", str)
"""One run of a worker; a restarted one is another."""

BEAT_SECONDS = 1.0
TTL_SECONDS = 3.0
"""A worker is gone when three announcements in a row did not come."""
MOVED: Message = {"type": "moved"}
"""On ``live:<room>``, for the pages: your relay changes, ask for a new ticket."""


class Away(Exception):
    """The store of placements does not answer; nobody knows, and what runs goes on."""


class Nobody(Exception):
    """There is no worker for the room at the moment."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A relay as it announces itself."""

    id: WorkerId
    url: str
    """Where pages, encoders and other workers reach its doors, without a slash at the end; empty: this server itself."""
    capacity: int
    """Subscribers it takes."""
    subscribers: int = 0
    rooms: int = 0
    draining: bool = False
    """It takes no new rooms, and ends when the last has left."""
    fresh: int = 0
    """Rooms placed here in the last seconds, whose people are still coming; known to the placement alone."""


@dataclass(frozen=True, slots=True)
class Held:
    """A room as a worker announces it. `epoch` is None where the worker is an edge of the room."""

    epoch: int | None
    peers: frozenset[PeerId]
    """Who receives here."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer to an announcement."""

    epochs: Mapping[RoomId, int]
    """Rooms whose origin the worker is; what it announced as origin and misses here is another's now."""
    draining: bool
    """Somebody asked it to drain."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has a room now; only workers that are alive."""

    origin: WorkerId | None
    epoch: int
    workers: Mapping[WorkerId, Worker] = field(default_factory=dict)
    """Origin and edges."""

    @property
    def origin_worker(self) -> Worker | None:
        return self.workers.get(self.origin) if self.origin is not None else None


class Placement(Protocol):
    """`MemoryPlacement` and `RedisPlacement` behave alike. Everything raises `Away` where the store does not answer."""

    async def announce(self, worker: Worker, rooms: Mapping[RoomId, Held]) -> Heard:
        """A worker is alive and has these rooms. To be repeated every `BEAT_SECONDS`."""

    async def leave(self, worker: WorkerId) -> None:
        """A worker ends: at once it is no longer there."""

    async def drain(self, worker: WorkerId) -> bool:
        """Asks a worker to drain; False where there is none."""

    async def place(self, room: RoomId, receives: PeerId | None = None) -> Worker | None:
        """The worker to go to: the room's origin for who sends; for a peer that receives its seat, which is at the origin or,
        beyond the origin's share, at an edge, and stays the same for all its sources. A room without a living origin gets
        the least loaded worker. None where there is no worker."""

    async def find(self, room: RoomId) -> Standing:
        """Who has the room, without placing it."""

    async def workers(self) -> Sequence[Worker]:
        """All living workers, by address."""

    async def close(self) -> None:
        """Frees what the placement holds."""
