"""Who may still come in: limits of sessions in all, of unfinished ones in all, of one address and of one peer."""

from __future__ import annotations

from collections.abc import Iterable

from media.errors import Full
from media.sessions.session import Name, Session
from media.values import RelayConfig

RETRY_AFTER = 5
"""Seconds a refused peer is asked to wait."""


def must_go(config: RelayConfig, sessions: Iterable[Session], name: Name) -> list[Session]:
    """The peer's own oldest unfinished sessions that make room for one more. Raises Full where that is not enough."""
    everyone = list(sessions)
    unfinished = [session for session in everyone if session.connected_at is None]
    own = [session for session in unfinished if (session.name.peer, session.name.room) == (name.peer, name.room)]
    going = own[: max(0, len(own) + 1 - config.max_unfinished_per_peer)]
    staying = [session for session in unfinished if session not in going]
    if len(staying) >= config.max_unfinished:
        raise Full("too many unfinished sessions", retry_after=RETRY_AFTER)
    if name.origin and sum(s.name.origin == name.origin for s in staying) >= config.max_unfinished_per_origin:
        raise Full("too many unfinished sessions of one address", retry_after=RETRY_AFTER)
    most = config.max_publishers if name.role == "publisher" else config.max_subscribers
    others = sum(session.name.role == name.role and session.name.peer != name.peer for session in everyone)
    if others >= most:
        raise Full(f"too many {name.role}s", retry_after=RETRY_AFTER)
    return going
