"""A relay as one of the workers: it announces itself and its rooms, knows which are its own, and drains when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from media.events import PeerId, RoomId, is_edge
from media.orders import CloseRoom
from media.relay import Relay
from rooms.bus import Bus
from rooms.cluster import BEAT_SECONDS, MOVED, Away, Held, Nobody, Placement, Worker, WorkerId
from rooms.cluster.contact import Contact

log = structlog.get_logger("cluster")

EMPTY_SECONDS = 30.0
"""A room without sessions stays this worker's for so long: its people may be on their way."""
TOLD_AGAIN_SECONDS = 15.0
"""Somebody is still here so long after the rooms were told to leave: the message was lost, or the next worker was not ready."""


@dataclass(slots=True)
class _Room:
    """A room whose origin is here."""

    epoch: int
    used_at: float


class Member:
    """Owns one task from `start` to `close`. `empty` is set once a draining worker has no session left."""

    def __init__(self, relay: Relay, placement: Placement, bus: Bus, monotonic: Callable[[], float]) -> None:
        self.id = WorkerId(f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}")
        self.url = ""
        self.draining = False
        self.contact = Contact(worker=self.id)
        self.empty = asyncio.Event()
        self._relay, self._placement, self._bus, self._monotonic = relay, placement, bus, monotonic
        self._rooms: dict[RoomId, _Room] = {}
        self._told_at = -math.inf
        """When the rooms of this draining worker were last told to leave."""
        self._task: asyncio.Task[None] | None = None

    async def start(self, url: str) -> None:
        """Announces the worker, whose doors are open at `url`; from now on rooms come."""
        self.url = url.rstrip("/")
        await self._beat_or_not()
        self._task = asyncio.create_task(self._beat_on(), name="relay member")

    async def close(self) -> None:
        """The others need not wait until this worker is missed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        with contextlib.suppress(Away):
            await self._placement.leave(self.id)

    async def elsewhere(self, room: RoomId, receives: PeerId | None) -> Worker | None:
        """The worker to go to instead of this one; None: the room, or this peer's seat in it, is here.

        Raises `Nobody` where no worker has it and none can take it.
        """
        try:
            standing = await self._placement.find(room)
            if standing.origin is None and room in self._rooms and not self.draining:
                return None  # all was forgotten, and our next announcement is not heard yet
            if standing.origin == self.id:
                self._hold(room, standing.epoch)
            if not self.draining and (standing.origin == self.id or (receives and self.id in standing.workers)):
                return None
            return await self._placed(room, receives)
        except Away:
            if room in self._relay.rooms():
                return None  # what runs goes on
            raise Nobody(room) from None

    async def _placed(self, room: RoomId, receives: PeerId | None) -> Worker | None:
        worker = await self._placement.place(room, receives)
        if worker is None:
            raise Nobody(room)
        if worker.id != self.id:
            return worker
        standing = await self._placement.find(room)
        if standing.origin == self.id:
            self._hold(room, standing.epoch)
        return None

    async def origin(self, room: RoomId) -> Worker | None:
        """Where an edge gets the room's sources: the origin, where that is another worker."""
        if room in self._rooms:
            return None
        worker = (await self._placement.find(room)).origin_worker
        return worker if worker is not None and worker.id != self.id else None

    def _hold(self, room: RoomId, epoch: int) -> None:
        self._rooms[room] = _Room(epoch, self._monotonic())

    async def drain(self) -> None:
        """Takes no new rooms and sends those it has to other workers, as soon as there is one."""
        if self.draining:
            return
        self.draining = True
        log.info("relay_drains", worker=self.id, rooms=len(self._relay.rooms()))
        await self._beat_or_not()

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat_or_not()
            except Exception:  # a worker that announced itself no more would lose its classes, which are well
                log.exception("relay_beat_failed", worker=self.id)

    async def _beat_or_not(self) -> None:
        try:
            await self._beat()
            self.contact.answered()
        except Away as error:
            self.contact.failed(error)
        if self.draining and not self._relay.rooms():
            self.empty.set()

    async def _beat(self) -> None:
        receivers = self._relay.rooms()
        now = self._monotonic()
        for room in receivers:
            if room in self._rooms:
                self._rooms[room].used_at = now
        self._rooms = {room: kept for room, kept in self._rooms.items() if now - kept.used_at < EMPTY_SECONDS}
        rooms = {room: self._held(room, receivers.get(room, frozenset())) for room in {*receivers, *self._rooms}}
        heard = await self._placement.announce(self._told(len(receivers)), rooms)
        for room, epoch in heard.epochs.items():
            self._rooms.setdefault(room, _Room(epoch, now)).epoch = epoch
        if not self.draining:  # a draining worker's rooms leave by themselves
            for room in [room for room, held in rooms.items() if held.epoch is not None and room not in heard.epochs]:
                await self._lose(room)
        if heard.draining:
            await self.drain()
        await self._send_away()

    async def _send_away(self) -> None:
        """Tells the rooms of a draining worker that another one takes them over; not before there is one."""
        now, rooms = self._monotonic(), self._relay.rooms()
        if not self.draining or not rooms or now - self._told_at < TOLD_AGAIN_SECONDS:
            return
        if all(each.draining for each in await self._placement.workers()):
            return
        self._told_at = now
        for room in rooms:
            await self._bus.publish(f"live:{room}", MOVED)

    def _told(self, rooms: int) -> Worker:
        totals = self._relay.totals()
        return Worker(
            self.id, self.url, self._relay.config.max_subscribers, totals.subscribers, rooms, draining=self.draining
        )

    def _held(self, room: RoomId, peers: frozenset[PeerId]) -> Held:
        kept = self._rooms.get(room)
        return Held(kept.epoch if kept is not None else None, frozenset(peer for peer in peers if not is_edge(peer)))

    async def _lose(self, room: RoomId) -> None:
        """The room was placed anew while we were away: its people come back at the other worker."""
        log.warning("room_lost", worker=self.id, room=room)
        self._rooms.pop(room, None)
        await self._relay.carry_out(CloseRoom(room))
