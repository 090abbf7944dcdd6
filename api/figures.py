"""How the media of one live class does, put together from what its relays and its pages said lately."""

from __future__ import annotations

from datetime import datetime

from rooms.bus import Message
from rooms.clock import Clock

FRESH_SECONDS = 8.0
"""What a relay said of its sessions holds this long; it says it every two."""


def stamp(instant: datetime) -> str:
    """An instant as the protocol writes it."""
    return instant.isoformat()


class Figures:
    """What the relays said of a class's media lately, and what the pages saw of it."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, list[Message]]] = {}
        self._seen: dict[str, Message] = {}

    def take(self, message: Message, now: float) -> None:
        """A relay's sessions; a large class may have several relays."""
        self._told[str(message["origin"])] = (now, list(message["sessions"]))

    def saw(self, message: Message) -> None:
        """A page's freezes and the size of its picture."""
        self._seen[str(message["side"])] = {name: message[name] for name in ("freezes", "freeze_seconds", "height")}

    def message(self, clock: Clock, side: str | None) -> Message:
        """The `media` message for one side; None: of all sides."""
        fresh = clock.monotonic() - FRESH_SECONDS
        self._told = {origin: told for origin, told in self._told.items() if told[0] > fresh}
        sessions = [each for _, told in self._told.values() for each in told if side is None or each["side"] == side]
        seen = {name: each for name, each in self._seen.items() if side in (None, name)}
        return {"type": "media", "sessions": sessions, "seen": seen, "now": stamp(clock.now())}
