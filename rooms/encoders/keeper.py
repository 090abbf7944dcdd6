"""Keeps the encoders that lessons use on the air, and tells the lessons' pages how they do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict

import structlog

from media.encoders.encoder import Encoder
from media.encoders.values import Connecting, EncoderRefused, Failed, Live, State, Waiting
from rooms.bus import Bus, Message
from rooms.clock import Clock
from rooms.encoders import uses
from rooms.encoders.gear import Gear
from rooms.encoders.uses import Kept
from rooms.store import Store

log = structlog.get_logger("encoders")

SWEEP_SECONDS = 3.0
PostOffer = Callable[[str, str, str], Awaitable[str]]
"""(room, lead's side, offer) to the relay that has the room, for the source ``lead``; the answer."""


class EncoderKeeper:
    """One server's. It looks after the uses every few seconds, and at once when it is told to."""

    def __init__(self, store: Store, clock: Clock, bus: Bus, gear: Gear, post_offer: PostOffer) -> None:
        self.gear = gear
        self._store, self._clock, self._bus, self._post_offer = store, clock, bus, post_offer
        self._id = secrets.token_hex(16)
        self._running: dict[str, tuple[int, Encoder | None]] = {}
        self._states: dict[str, Message] = {}
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Opens the RTMP door and begins to look after uses. Raises OSError where the door's port cannot be had."""
        if self.gear.door is not None:
            await self.gear.door.start()
        self._tasks = [
            asyncio.create_task(self._sweep_for_ever(), name="encoder sweep"),
            asyncio.create_task(self._tell_for_ever(), name="encoder news"),
        ]

    async def close(self) -> None:
        """Ends every encoder; another server may keep them from now on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._running:
            await self._stop(*self._running)
            await uses.release(self._store, self._id)
        if self.gear.door is not None:
            await self.gear.door.close()

    def wake(self) -> None:
        """A use was made or ended: look at once."""
        self._wake.set()

    def state(self, occurrence_id: str) -> Message | None:
        """How the lesson's encoder does, where this server keeps it."""
        return self._states.get(occurrence_id)

    # ------------------------------------------------------------ within

    async def sweep(self) -> None:
        """Starts, keeps and stops what the uses say."""
        async with self._store.read() as session:
            if not self._running and not await uses.any_use(session):
                return
        await uses.end_over(self._store, self._clock)
        kinds = [kind for kind in ("rtsp", "rtmp") if self.gear.reaches(kind)]
        kept = {each.occurrence_id: each for each in await uses.claim(self._store, self._clock.now(), self._id, kinds)}
        await self._stop(*(room for room, (number, _) in self._running.items() if not _same(kept.get(room), number)))
        for room, each in kept.items():
            if room not in self._running:
                self._start(each)
            self._changed.put_nowait(room)  # a page that was opened meanwhile hears it, too

    def _start(self, use: Kept) -> None:
        async def post(offer: str) -> str:
            async with self._store.read() as session:  # the room may just have been closed
                if not await uses.holds(session, use.occurrence_id, use.encoder.id):
                    raise EncoderRefused("relay_ended", "the lesson is over")
            return await self._post_offer(use.occurrence_id, use.lead_side, offer)

        def became(state: State) -> None:
            self._states[use.occurrence_id] = told(use, state)
            self._changed.put_nowait(use.occurrence_id)

        encoder = None
        try:
            encoder = Encoder(self.gear.origin(use.encoder), post, became)
            encoder.start()
            became(encoder.state)
        except EncoderRefused as refused:
            became(Failed(refused.reason))
        self._running[use.occurrence_id] = (use.encoder.id, encoder)

    async def _stop(self, *rooms: str) -> None:
        for room in rooms:
            _, encoder = self._running.pop(room)
            if encoder is not None:
                await encoder.close()
            self._states.pop(room, None)
            await self._bus.publish(f"live:{room}", {"type": "encoder", "encoder": None})

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
            if (state := self._states.get(room)) is not None:
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
