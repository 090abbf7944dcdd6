"""Which placement a process uses."""

from __future__ import annotations

import math
from collections.abc import Callable

from rooms.cluster import Placement
from rooms.cluster.memory import MemoryPlacement
from rooms.cluster.redis_placement import RedisPlacement


def open_placement(redis_url: str, monotonic: Callable[[], float], share: int) -> Placement:
    """Redis where its address is given, else this process alone, which is never missed."""
    return (
        RedisPlacement(redis_url, share=share) if redis_url else MemoryPlacement(monotonic, ttl=math.inf, share=share)
    )
