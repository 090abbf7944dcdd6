"""The placement within one process: the default, and the plainest form of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from media.events import PeerId, RoomId
from rooms.cluster import Heard, Held, Standing, Worker, WorkerId, placing
from rooms.cluster.placing import Row

FRESH_SECONDS = 10
"""How long a placed room weighs on its worker beside the worker's own figures."""
MOST_ROOMS = 10_000
"""Rooms that are remembered; far more than a server has in the hours that a placing matters."""


@dataclass(slots=True)
class _Known:
    worker: Worker
    heard_at: float
    asked_to_drain: bool = False
    placed_at: list[float] = field(default_factory=list)


class MemoryPlacement:
    """Keeps everything in two dictionaries. `ttl` is infinite where the only worker is this process itself."""

    def __init__(self, monotonic: Callable[[], float], *, ttl: float, share: int) -> None:
        self._monotonic, self._ttl, self._share = monotonic, ttl, share
        self._known: dict[WorkerId, _Known] = {}
        self._rows: dict[RoomId, Row] = {}

    def _alive(self) -> dict[WorkerId, Worker]:
        now = self._monotonic()
        self._known = {each: known for each, known in self._known.items() if now - known.heard_at < self._ttl}
        return {each: self._as_seen(known, now) for each, known in self._known.items()}

    def _as_seen(self, known: _Known, now: float) -> Worker:
        fresh = sum(now - at < FRESH_SECONDS for at in known.placed_at)
        draining = known.worker.draining or known.asked_to_drain
        return replace(known.worker, fresh=fresh, draining=draining)

    def _row(self, room: RoomId) -> Row:
        return self._rows.get(room, Row())

    def _keep(self, room: RoomId, row: Row) -> None:
        self._rows.pop(room, None)
        self._rows[room] = row  # the one that was used last is the last to be forgotten
        if len(self._rows) > MOST_ROOMS:
            del self._rows[next(iter(self._rows))]

    async def announce(self, worker: Worker, rooms: Mapping[RoomId, Held]) -> Heard:
        known = self._known.setdefault(worker.id, _Known(worker, 0.0))
        known.worker, known.heard_at = worker, self._monotonic()
        epochs: dict[RoomId, int] = {}
        for room, held in rooms.items():
            row = placing.announced(self._row(room), worker.id, held)
            if row is not None:
                self._keep(room, row)
                if row.origin == worker.id:
                    epochs[room] = row.epoch
        return Heard(epochs, known.asked_to_drain)

    async def leave(self, worker: WorkerId) -> None:
        self._known.pop(worker, None)

    async def drain(self, worker: WorkerId) -> bool:
        if worker not in self._alive():
            return False
        self._known[worker].asked_to_drain = True
        return True

    async def place(self, room: RoomId, receives: PeerId | None = None) -> Worker | None:
        alive, before = self._alive(), self._row(room)
        found = placing.seated(before, alive, self._share, receives)
        if found is None:
            return None
        row, seat = found
        if row != before:
            self._keep(room, row)
        if row.origin is not None and row.epoch != before.epoch:
            now = self._monotonic()
            origin = self._known[row.origin]
            origin.placed_at = [*(at for at in origin.placed_at if now - at < FRESH_SECONDS), now]
        return alive[seat]

    async def find(self, room: RoomId) -> Standing:
        return placing.standing(self._row(room), self._alive())

    async def workers(self) -> Sequence[Worker]:
        return sorted(self._alive().values(), key=lambda worker: (worker.url, worker.id))

    async def close(self) -> None:
        self._known.clear()
        self._rows.clear()
