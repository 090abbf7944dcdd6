"""Who may still come in: limits of sessions in all, of unfinished ones in all, and of one peer."""

from __future__ import annotations

from collections.abc import Iterable

from media.errors import Full
from media.events import PeerId, RoomId
from media.session import Session
from media.values import RelayConfig, Role

RETRY_AFTER = 5
"""Seconds a refused peer is asked to wait."""


def must_go(config: RelayConfig, sessions: Iterable[Session], role: Role, room: RoomId, peer: PeerId) -> list[Session]:
    """The peer's own oldest unfinished sessions that make room for one more. Raises Full where that is not enough."""
    everyone = list(sessions)
    unfinished = [session for session in everyone if session.connected_at is None]
    own = [session for session in unfinished if session.name.peer == peer and session.name.room == room]
    going = own[: max(0, len(own) + 1 - config.max_unfinished_per_peer)]
    if len(unfinished) - len(going) >= config.max_unfinished:
        raise Full("too many unfinished sessions", retry_after=RETRY_AFTER)
    most = config.max_publishers if role == "publisher" else config.max_subscribers
    others = sum(session.name.role == role and session.name.peer != peer for session in everyone)
    if others >= most:
        raise Full(f"too many {role}s", retry_after=RETRY_AFTER)
    return going
