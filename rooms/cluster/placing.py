"""Where a room goes, as pure arithmetic on what the placement knows."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from media.events import PeerId
from rooms.cluster import Held, Standing, Worker, WorkerId

EXPECTED_SUBSCRIBERS = 4
"""What a room counts for until its people have come."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a room: its origin, how often it was placed, and who has a seat at which worker."""

    origin: WorkerId | None = None
    epoch: int = 0
    seats: Mapping[WorkerId, tuple[PeerId, ...]] = field(default_factory=dict)

    def taken(self, worker: WorkerId) -> int:
        """Seats at this worker."""
        return len(self.seats.get(worker, ()))


Alive = Mapping[WorkerId, Worker]


def load(worker: Worker) -> float:
    """The share of the worker's capacity that is taken, or about to be."""
    return (worker.subscribers + EXPECTED_SUBSCRIBERS * worker.fresh) / max(1, worker.capacity)


def least_loaded(alive: Alive, besides: Container[WorkerId] = ()) -> WorkerId | None:
    """The worker for something new. None where every one drains or is among `besides`."""
    free = [w for w in alive.values() if not w.draining and w.id not in besides]
    return min(free, key=lambda w: (load(w), w.rooms + w.fresh, w.url, w.id)).id if free else None


def seated(row: Row, alive: Alive, share: int, peer: PeerId | None) -> tuple[Row, WorkerId] | None:
    """The room with one more side, and where that side goes; `peer` has a seat where it receives. None: nobody is alive."""
    placed = _with_origin(row, alive)
    if placed is None or placed.origin is None:
        return None
    if peer is None:
        return placed, placed.origin
    for worker, peers in placed.seats.items():
        if peer in peers:
            return placed, worker
    seat = _seat(placed, placed.origin, alive, share)
    return replace(placed, seats={**placed.seats, seat: (*placed.seats.get(seat, ()), peer)}), seat


def _with_origin(row: Row, alive: Alive) -> Row | None:
    """The room with an origin that is alive, and no seat where nobody is alive; a draining worker is the last resort."""
    fresh = least_loaded(alive)
    staying = {w: peers for w, peers in row.seats.items() if w in alive and (fresh is None or not alive[w].draining)}
    standing = alive.get(row.origin) if row.origin is not None else None
    if standing is not None and (fresh is None or not standing.draining):
        return replace(row, seats=staying)
    origin = fresh if fresh is not None else min(alive, default=None)
    return Row(origin, row.epoch + 1, staying) if origin is not None else None


def _seat(row: Row, origin: WorkerId, alive: Alive, share: int) -> WorkerId:
    """The origin up to its share, then the emptiest edge, then a new edge, then whoever has fewest."""
    if row.taken(origin) < share:
        return origin
    edges = [worker for worker in row.seats if worker != origin]
    emptiest = min(edges, key=lambda w: (row.taken(w), w), default=None)
    if emptiest is not None and row.taken(emptiest) < share:
        return emptiest
    new = least_loaded(alive, besides={origin, *edges})
    return new if new is not None else min([origin, *edges], key=lambda w: (row.taken(w), w))


def announced(row: Row, worker: WorkerId, held: Held) -> Row | None:
    """The room after a worker announced that it has it; None where the room is another's. After everything was forgotten the
    worker with the room in its hands wins over one that was chosen meanwhile; a worker whose room was placed anew never does."""
    seated_already = {peer for peers in row.seats.values() for peer in peers}
    missing = sorted(held.peers - seated_already)
    seats = {**row.seats, worker: (*row.seats.get(worker, ()), *missing)} if missing else row.seats
    if held.epoch is None or row.origin == worker:
        return replace(row, epoch=max(row.epoch, held.epoch or 0), seats=seats)
    if row.origin is None:
        return Row(worker, max(row.epoch, held.epoch), seats)
    return Row(worker, row.epoch + 1, seats) if held.epoch >= row.epoch else None


def standing(row: Row, alive: Alive) -> Standing:
    """Who of those that are alive has the room."""
    having = {w: alive[w] for w in (*([row.origin] if row.origin else []), *row.seats) if w in alive}
    return Standing(row.origin if row.origin in alive else None, row.epoch, having)
