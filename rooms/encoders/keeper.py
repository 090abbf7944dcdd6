"""Keeps the encoders that lessons use on the air, and tells the lessons' pages how they do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from media.encoders.encoder import Encoder
from media.encoders.values import Connecting, EncoderRefused, Failed, Live, State, Waiting
from rooms.bus import Bus, Message
from rooms.clock import Clock
from rooms.encoders import uses
from rooms.encoders.gear import Gear
from rooms.encoders.tries import Tries
from rooms.encoders.uses import Kept
from rooms.store import Store

log = structlog.get_logger("encoders")

SWEEP_SECONDS = 3.0
PostOffer = Callable[[str, str, str], Awaitable[str]]
"""(room, lead's side, offer) to the relay that has the room, for the source ``lead``; the answer."""


class _Turn:
    """A lesson's encoder that pushes, and the doors of all servers: it is at one of them, which then keeps the use."""

    def __init__(self, store: Store, clock: Clock, keeper: str, room: str) -> None:
        self._store, self._clock, self._keeper, self._room = store, clock, keeper, room
        self._lock = asyncio.Lock()
        self.here = False
        """It is at this server's door, or is about to be."""

    async def take(self) -> bool:
        async with self._lock:
            if not self.here:
                taken, self.here = False, True
                try:
                    taken = await uses.take(self._store, self._clock.now(), self._keeper, self._room)
                except (SQLAlchemyError, OSError):
                    log.exception("encoder_not_taken")
                finally:
                    self.here = taken
            return self.here

    async def give_back(self) -> None:
        self.here = False
        with suppress(SQLAlchemyError, OSError):  # else the next sweep does it
            await uses.release(self._store, self._keeper, self._room)


@dataclass(frozen=True, slots=True)
class _Running:
    """A use that is looked after; `encoder` is None where it cannot be reached."""

    number: int
    encoder: Encoder | None
    turn: _Turn


class EncoderKeeper:
    """One server's. It looks after the uses every few seconds, and at once when it is told to."""

    def __init__(self, store: Store, clock: Clock, bus: Bus, gear: Gear, post_offer: PostOffer) -> None:
        self.gear = gear
        self._store, self._clock, self._bus, self._post_offer = store, clock, bus, post_offer
        self._id = secrets.token_hex(16)
        self._running: dict[str, _Running] = {}
        self._elsewhere: frozenset[str] = frozenset()
        """Lessons whose encoder pushes and is at another server's door: that one tells how it does."""
        self._states: dict[str, Message] = {}
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._tries = Tries(store, bus, gear)

    async def start(self) -> None:
        """Opens the RTMP door and begins to look after uses. Raises OSError where the door's port cannot be had."""
        if self.gear.door is not None:
            await self.gear.door.start()
            await self._tries.start()
        self._tasks = [
            asyncio.create_task(self._sweep_for_ever(), name="encoder sweep"),
            asyncio.create_task(self._tell_for_ever(), name="encoder news"),
        ]

    async def close(self) -> None:
        """Ends every encoder; another server may keep them from now on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._tries.close()
        if self._running:
            await self._stop(*self._running)  # its pages hear of it from the server that keeps it next
            await uses.release(self._store, self._id)
        if self.gear.door is not None:
            await self.gear.door.close()

    def wake(self) -> None:
        """A use was made or ended: look at once."""
        self._wake.set()

    def state(self, occurrence_id: str) -> Message | None:
        """How the lesson's encoder does, where this server keeps it."""
        told_elsewhere = occurrence_id in self._elsewhere and not self._is_here(occurrence_id)
        return None if told_elsewhere else self._states.get(occurrence_id)

    # ------------------------------------------------------------ within

    async def sweep(self) -> None:
        """Starts, keeps and stops what the uses say."""
        async with self._store.read() as session:
            if not self._running and not await uses.any_use(session):
                return
        await uses.end_over(self._store, self._clock)
        kinds = [kind for kind in ("rtsp", uses.PUSHED) if self.gear.reaches(kind)]
        kept = {each.occurrence_id: each for each in await uses.claim(self._store, self._clock.now(), self._id, kinds)}
        await self._settle(kept)
        ended = [room for room, running in self._running.items() if not _same(kept.get(room), running.number)]
        await self._stop(*ended)
        for room in ended:
            await self._tell_end(room)
        for room, each in kept.items():
            if room not in self._running:
                self._start(each)
            self._changed.put_nowait(room)  # a page that was opened meanwhile hears it, too

    async def _settle(self, kept: Mapping[str, Kept]) -> None:
        """Sees which encoders are at other doors, and gives back those that went without being given back."""
        self._elsewhere = frozenset(room for room, each in kept.items() if each.keeper not in (None, self._id))
        for room, each in kept.items():
            if each.encoder.kind == uses.PUSHED and each.keeper == self._id and not self._is_here(room):
                await uses.release(self._store, self._id, room)

    def _is_here(self, room: str) -> bool:
        return room in self._running and self._running[room].turn.here

    async def _tell_end(self, room: str) -> None:
        """That the page sends again, unless another server keeps the encoder now."""
        async with self._store.read() as session:
            if await uses.used_by(session, room) is None:
                await self._bus.publish(f"live:{room}", {"type": "encoder", "encoder": None})

    def _start(self, use: Kept) -> None:
        async def post(offer: str) -> str:
            async with self._store.read() as session:  # the room may just have been closed
                if not await uses.holds(session, use.occurrence_id, use.encoder.id):
                    raise EncoderRefused("relay_ended", "the lesson is over")
            return await self._post_offer(use.occurrence_id, use.lead_side, offer)

        def became(state: State) -> None:
            self._states[use.occurrence_id] = told(use, state)
            self._changed.put_nowait(use.occurrence_id)

        turn, encoder = _Turn(self._store, self._clock, self._id, use.occurrence_id), None
        try:
            encoder = Encoder(self.gear.origin(use.encoder, turn), post, became)
            encoder.start()
            became(encoder.state)
        except EncoderRefused as refused:
            became(Failed(refused.reason))
        self._running[use.occurrence_id] = _Running(use.encoder.id, encoder, turn)

    async def _stop(self, *rooms: str) -> None:
        for room in rooms:
            encoder = self._running.pop(room).encoder
            if encoder is not None:
                await encoder.close()
            self._states.pop(room, None)

    async def _sweep_for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.sweep()
            except Exception:  # whatever it was, the encoders on the air stay there
                log.exception("encoder_sweep_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._wake.wait()

    async def _tell_for_ever(self) -> None:
        while True:
            room = await self._changed.get()
            if (state := self.state(room)) is not None:
                await self._bus.publish(f"live:{room}", {"type": "encoder", "encoder": state})


def _same(use: Kept | None, number: int) -> bool:
    return use is not None and use.encoder.id == number


def told(use: Kept, state: State) -> Message:
    """A state as pages get it."""
    about: Message = {"id": use.encoder.id, "name": use.encoder.name, "kind": use.encoder.kind}
    match state:
        case Connecting():
            return about | {"state": "connecting", "reason": None}
        case Live(found):
            return about | {"state": "live", "reason": None, "found": asdict(found)}
        case Waiting(reason, _):
            return about | {"state": "waiting", "reason": reason}
        case Failed(reason):
            return about | {"state": "failed", "reason": reason}
