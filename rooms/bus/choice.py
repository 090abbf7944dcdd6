"""Which bus a server uses."""

from __future__ import annotations

from rooms.bus import Bus
from rooms.bus.memory import MemoryBus
from rooms.bus.redis_bus import RedisBus


def open_bus(redis_url: str) -> Bus:
    """Redis where its address is given, else this process alone."""
    return RedisBus(redis_url) if redis_url else MemoryBus()
