"""The live rooms of this process: who has the page open, whose hand is up, and the newest state for every seat.

One subscription to the bus serves all seats of a class. A seat holds at most one snapshot, the newest, and a few notices:
a slow page skips what it missed and never holds another up. Hands and open pages are not evidence; they live in memory, each
process tells the others its own, and what a process no longer repeats is forgotten.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog

from api.figures import Figures, stamp
from media.events import RoomId
from rooms.bus import GAP, Bus, Message
from rooms.clock import Clock
from rooms.cluster import MOVED, Standing
from rooms.live.state import LiveState
from rooms.live.vitals import LOOKING, SAY_AGAIN_SECONDS

log = structlog.get_logger("live")

REPEAT_SECONDS = SAY_AGAIN_SECONDS
"""A process repeats its seats this often, and that it looks at the class …"""
FORGET_SECONDS = 50.0
"""… and is forgotten after this silence."""
GATHER_SECONDS = 0.1
"""Changes within this time go out as one snapshot."""
NOTICES = 20
"""Notices that wait for a slow page; older ones fall out."""

Read = Callable[[str], Awaitable[LiveState | None]]
Placed = Callable[[RoomId], Awaitable[Standing]]
"""Who has a live room: `rooms.cluster.Placement.find`."""


@dataclass(eq=False, slots=True)
class Seat:
    """One open page. `changed` is set while something waits to be sent."""

    side: str
    """Empty of somebody who only looks on."""
    leads: bool = False
    hand: str | None = None
    devices: Message | None = None
    """The classroom's camera and microphone, as its page said."""
    state: Message | None = None
    media: Message | None = None
    notices: deque[Message] = field(default_factory=lambda: deque(maxlen=NOTICES))
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[Message]:
        """What waits: notices in their order, then the newest state and the newest figures."""
        waiting = [*self.notices, *(each for each in (self.state, self.media) if each)]
        self.notices.clear()
        self.state = self.media = None
        self.changed.clear()
        return waiting


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The seats of another process, as it told them."""

    heard_at: float
    here: frozenset[str]
    hands: dict[str, str]
    devices: dict[str, Message]


class LiveRoom:
    """A class that at least one page of this process looks at."""

    def __init__(self, occurrence_id: str, bus: Bus, read: Read, clock: Clock) -> None:
        self.id = occurrence_id
        self.topic = f"live:{occurrence_id}"
        self.seats: set[Seat] = set()
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._bus, self._read, self._clock = bus, read, clock
        self._origin = uuid.uuid4().hex
        self._elsewhere: dict[str, Elsewhere] = {}
        self._figures = Figures()
        self._state: Message = {}
        self._encoder: Message | None = None
        """How the recording room's encoder does, where one sends."""
        self._dirty = asyncio.Event()

    async def run(self) -> None:
        """Listens and tells until it is cancelled."""
        async with self._bus.subscribe(self.topic) as messages, asyncio.TaskGroup() as group:
            await self._reread()
            self.ready.set()
            group.create_task(self._tell())
            await self._bus.publish(self.topic, {"type": "who", "origin": self._origin})
            await self._bus.publish(LOOKING, {"room": self.id})
            async for message in messages:
                await self._hear(message)

    async def _reread(self) -> None:
        state = await self._read(self.id)
        if state is not None:
            self._state = state.message()
        self._dirty.set()

    async def _hear(self, message: Message) -> None:
        """One message of the bus; unknown ones are of a newer server and passed over."""
        kind = message.get("type")
        foreign = message.get("origin") != self._origin
        if message == GAP:
            await self._reread()
        elif kind == "state":
            self._state = message
        elif kind == "slot":
            self._note_quality(message)
        elif kind == "who" and foreign:
            await self.announce()
        elif kind == "seats" and foreign:
            told = Elsewhere(
                self._clock.monotonic(),
                frozenset(message["here"]),
                dict(message["hands"]),
                dict(message.get("devices", {})),  # a server of an older version says nothing of them
            )
            self._elsewhere[message["origin"]] = told
        elif kind == "encoder":
            self._encoder = message["encoder"]
        elif kind == "lower":
            self._lower(str(message["side"]))
        elif kind in ("notice", "moved"):
            self.spread(message)
        elif kind == "seen":
            self._figures.saw(message)
        elif kind == "media":
            self._figures.take(message, self._clock.monotonic())
            self._show_figures()
        if kind not in ("notice", "moved", "seen", "media"):
            self._dirty.set()

    def _note_quality(self, message: Message) -> None:
        for side in self._state.get("sides", ()):
            if side["id"] == message["side"]:
                side["quality"] = message["quality"]

    def _lower(self, side: str) -> None:
        for seat in self.seats:
            if seat.side == side:
                seat.hand = None

    def spread(self, message: Message) -> None:
        """Gives every seat of this process a notice."""
        for seat in self.seats:
            seat.notices.append(message)
            seat.changed.set()

    def _show_figures(self) -> None:
        """The lead sees all sessions, the others their own."""
        for seat in self.seats:
            if seat.side:
                seat.media = self._figures.message(self._clock, None if seat.leads else seat.side)
                seat.changed.set()

    def figures(self) -> Message:
        """How the media of the class does: the `media` message of the protocol."""
        return self._figures.message(self._clock, None)

    async def farewell(self) -> None:
        """Tells the other processes that nobody sits here any more."""
        await self._say_seats([], {}, {})

    async def announce(self) -> None:
        """Tells the other processes who sits here."""
        here = sorted({seat.side for seat in self.seats if seat.side})
        hands = {seat.side: seat.hand for seat in self.seats if seat.hand}
        devices = {seat.side: seat.devices for seat in self.seats if seat.devices}
        self._dirty.set()
        await self._say_seats(here, hands, devices)

    async def _say_seats(self, here: list[str], hands: dict[str, str], devices: dict[str, Message]) -> None:
        told = {"type": "seats", "origin": self._origin, "here": here, "hands": hands, "devices": devices}
        await self._bus.publish(self.topic, told)

    async def _tell(self) -> None:
        """Sends the newest snapshot to every seat whenever something changed, and says again who sits here and looks."""
        said = self._clock.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_SECONDS):
                    await self._dirty.wait()
                await asyncio.sleep(GATHER_SECONDS)
            if self._clock.monotonic() - said >= REPEAT_SECONDS:  # also where something changes all the time
                said = self._clock.monotonic()
                self._forget()
                await self.announce()
                await self._bus.publish(LOOKING, {"room": self.id})
            self._dirty.clear()
            snapshot = self.snapshot()
            for seat in self.seats:
                seat.state = snapshot
                seat.changed.set()

    def _forget(self) -> None:
        oldest = self._clock.monotonic() - FORGET_SECONDS
        self._elsewhere = {origin: each for origin, each in self._elsewhere.items() if each.heard_at >= oldest}

    def snapshot(self) -> Message:
        """The state message of the protocol."""
        here = {seat.side for seat in self.seats}.union(*(each.here for each in self._elsewhere.values()))
        hands = {side: since for each in self._elsewhere.values() for side, since in each.hands.items()}
        hands |= {seat.side: seat.hand for seat in self.seats if seat.hand}
        devices = {
            side: each_devices for each in self._elsewhere.values() for side, each_devices in each.devices.items()
        }
        devices |= {seat.side: seat.devices for seat in self.seats if seat.devices}
        sides = [
            {
                **side,
                "here": side["id"] in here,
                "hand": hands.get(side["id"]),
                "devices": devices.get(side["id"]),
            }
            for side in self._state.get("sides", ())
        ]
        state = {**self._state, "sides": sides, "encoder": self._encoder}
        return {"type": "state", "state": state, "now": stamp(self._clock.now())}


class Hall:
    """All live rooms of this process; a room lives as long as somebody sits in it."""

    def __init__(self, bus: Bus, read: Read, clock: Clock, placed: Placed) -> None:
        self._bus, self._read, self._clock, self._placed = bus, read, clock, placed
        self._rooms: dict[str, LiveRoom] = {}

    @asynccontextmanager
    async def seat(
        self, occurrence_id: str, side_id: str, *, leads: bool = False
    ) -> AsyncIterator[tuple[LiveRoom, Seat]]:
        """A seat in the room of a class; the room is opened for the first and closed after the last."""
        room = self._rooms.get(occurrence_id)
        if room is None or room.task is None or room.task.done():
            room = LiveRoom(occurrence_id, self._bus, self._read, self._clock)
            room.task = asyncio.create_task(room.run(), name=f"live room {occurrence_id}")
            self._rooms[occurrence_id] = room
        seat = Seat(side_id, leads)
        room.seats.add(seat)
        try:
            await self._opened(room)
            await room.announce()
            yield room, seat
        finally:
            room.seats.discard(seat)
            await self._left(room)

    async def _opened(self, room: LiveRoom) -> None:
        assert room.task is not None
        ready = asyncio.ensure_future(room.ready.wait())
        try:
            await asyncio.wait({ready, room.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not room.ready.is_set():
            room.task.result()  # the room's own failure, told to whoever wanted in

    async def _left(self, room: LiveRoom) -> None:
        if room.seats:
            await room.announce()
            return
        if self._rooms.get(room.id) is room:
            del self._rooms[room.id]
        await _ended(room)
        await room.farewell()

    async def relay_gone(self) -> None:
        """A relay worker is no more: the pages of the rooms it had look for the next one without waiting for silence."""
        for room in list(self._rooms.values()):
            if (await self._placed(RoomId(room.id))).origin is None:
                room.spread(MOVED)

    async def close(self) -> None:
        """Ends every room; their seats' pages come back to the next server by themselves."""
        rooms = list(self._rooms.values())
        self._rooms.clear()
        for room in rooms:
            await _ended(room)


async def _ended(room: LiveRoom) -> None:
    if room.task is None:
        return
    room.task.cancel()
    (result,) = await asyncio.gather(room.task, return_exceptions=True)
    if isinstance(result, Exception):
        log.error("live_room_failed", room=room.id, exc_info=result)
