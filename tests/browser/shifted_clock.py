"""The machine's clock with another hour on it; it runs as fast as the real one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from api.pages import ZONE


class ShiftedClock:
    """A `rooms.clock.Clock`."""

    def __init__(self, seconds: float) -> None:
        self.shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        return time.monotonic()


def shift_to(hour: int, minute: int, second: float) -> float:
    """The shift in seconds after which it is that time of a Tuesday in the county, in the week of the machine's clock."""
    now = datetime.now(UTC).astimezone(ZONE)
    tuesday = now - timedelta(days=now.weekday() - 1)
    wanted = tuesday.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(seconds=second)
    return (wanted - now).total_seconds()
