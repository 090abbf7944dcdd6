"""What the domain asks of live media: each order is a value, so that it can travel to the process that has the room.

A new order is one more dataclass in `Order` and one more case in `media.relay.Relay.carry_out`. Its fields are text, numbers,
truth values or None. An order that names a room or peer which is not there changes nothing and is no error: it may come late,
or twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from media.events import PeerId, RecordingId, RoomId, SourceName
from media.ladder import Rung

RECORDED = (SourceName("lead"), SourceName("screen"))
"""Never the classrooms' own pictures and voices: pupils are minors."""


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """End every session of the room: the class is over."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class EndPeer:
    """End every session of this peer: whoever it was may be in the room no longer."""

    room: RoomId
    peer: PeerId


@dataclass(frozen=True, slots=True)
class GiveFloor:
    """`peer`, and nobody else, is heard and seen by the whole room; None: only the lead speaks (`media.floor`)."""

    room: RoomId
    peer: PeerId | None


@dataclass(frozen=True, slots=True)
class Record:
    """Record the room's `RECORDED` sources under this name, and under no other one any more (`media.recording.recorder`); None:
    end its recording."""

    room: RoomId
    recording: RecordingId | None


@dataclass(frozen=True, slots=True)
class ServeSegments:
    """Somebody watches the room over HTTP: keep segments of the last minute on disk for a while."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class ChooseRung:
    """The peer wants to be sent no more than this rung (`media.ladder`); None: as much as its line carries. Its line may
    still allow less. The choice holds until the room is empty."""

    room: RoomId
    peer: PeerId
    rung: Rung | None


Order = CloseRoom | EndPeer | GiveFloor | Record | ServeSegments | ChooseRung
"""The union of all orders; each has a `room`."""


class MediaPort(Protocol):
    """Where orders are given, whichever process has the room."""

    async def order(self, order: Order) -> None:
        """Returns when the order is carried out."""


class InProcess:
    """Live media in this process: `carry_out` is the relay's."""

    def __init__(self, carry_out: Callable[[Order], Awaitable[None]]) -> None:
        self._carry_out = carry_out

    async def order(self, order: Order) -> None:
        await self._carry_out(order)
