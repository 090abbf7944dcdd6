"""Which relay worker a request should go to, for the doors and for the tickets that name one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import Problem
from api.services import Core
from media.events import PeerId, RoomId
from rooms.cluster import Away, Nobody, Worker

RETRY_AFTER = 1
"""Seconds until a worker may have announced itself."""


async def worker_for(core: Core, room: RoomId, receives: PeerId | None) -> Worker:
    """The worker for who sends, or for this peer that receives. Raises `Problem` ``overloaded`` where there is none."""
    with nobody_told():
        worker = await core.placement.place(room, receives)
        if worker is None:
            raise Nobody(room)
        return worker


async def elsewhere(core: Core, room: RoomId, receives: PeerId | None) -> Worker | None:
    """The worker to go to instead of this process; None: the room is here. Raises as `worker_for`."""
    if core.member is None:
        return await worker_for(core, room, receives)
    with nobody_told():
        return await core.member.elsewhere(room, receives)


@contextmanager
def nobody_told() -> Iterator[None]:
    """That no worker is there, or that nobody can say, as a problem that passes."""
    try:
        yield
    except (Nobody, Away):
        raise Problem("overloaded", headers={"Retry-After": str(RETRY_AFTER)}, facts={"seconds": RETRY_AFTER}) from None
