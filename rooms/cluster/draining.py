"""An operator has a relay worker emptied, for an upgrade: in the audit log like every act."""

from __future__ import annotations

from rooms.audit.log import append
from rooms.clock import Clock
from rooms.cluster import Placement, WorkerId
from rooms.refusals import NotFound
from rooms.store import Actor, Store


async def drain_worker(store: Store, clock: Clock, placement: Placement, actor: Actor, worker: WorkerId) -> None:
    """The worker takes no new classes and hands on those it has; it ends when it is told to stop.

    Refusal: `NotFound` ``worker_unknown``. Raises `Away`.
    """
    if worker not in {each.id for each in await placement.workers()}:
        raise NotFound("worker_unknown")
    async with store.write() as session:
        await append(session, actor, "relay.drain", f"relay:{worker}", at=clock.now())
    await placement.drain(worker)
