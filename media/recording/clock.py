"""One timeline for all tracks of a recording: the relay's monotonic seconds, reached through each publisher's sender reports.

A sender report ties a track's RTP time to its publisher's clock (RFC 3550 §6.4.1); that clock is tied to the relay's by the
report that travelled fastest of late. Sound and picture of a publisher share the second tie, so that they stay together however
its clocks drift. Corrections are slewed: a track's time never jumps by less than half a second.
"""

from __future__ import annotations

from collections import deque

from media.forwarding.reception import ClockPoint

SLEW = 0.02
"""Seconds of correction in a second of media."""
SNAP = 0.5
"""An error beyond this is no drift: the publisher's clock was set, or it is another publisher."""
ASTRAY = 3.0
"""A packet whose time lies further from its arrival has a timestamp that means nothing."""
REPORTS_KEPT = 64


class PublisherClock:
    """A publisher's NTP time on the timeline."""

    def __init__(self) -> None:
        self._offsets: deque[float] = deque(maxlen=REPORTS_KEPT)
        self.offset: float | None = None
        """Timeline minus publisher's clock; None before the first report."""

    def heard(self, point: ClockPoint) -> None:
        """Takes a sender report of any track."""
        offset = point.at - seconds_of(point.ntp)
        if self._offsets and abs(offset - min(self._offsets)) > SNAP:
            self._offsets.clear()
        self._offsets.append(offset)
        self.offset = min(self._offsets)


def seconds_of(ntp: int) -> float:
    """A 64-bit NTP time in seconds."""
    return ntp / (1 << 32)


class TrackClock:
    """RTP time of one track on the timeline. Give it units in the order of the stream."""

    def __init__(self, rate: int, publisher: PublisherClock) -> None:
        self.rate = rate
        self._publisher = publisher
        self._last: int | None = None
        self._units = 0
        """RTP time since the first unit, without wraps."""
        self._correction = 0.0
        self._point: tuple[float, int] | None = None
        """Publisher's time and RTP time (as `_units`) of the last report."""
        self._pending: ClockPoint | None = None

    def heard(self, point: ClockPoint) -> None:
        """Takes a sender report of this track; `point.rtp` in the numbers of the units given to `at`."""
        self._publisher.heard(point)
        self._pending = point

    def at(self, timestamp: int, arrived: float) -> float:
        """Where a unit lies on the timeline."""
        step = self._advance(timestamp, arrived)
        if self._pending is not None:
            self._point = (seconds_of(self._pending.ntp), self._units + _signed(self._pending.rtp - timestamp))
            self._pending = None
        nominal = self._units / self.rate
        offset = self._publisher.offset
        if self._point is not None and offset is not None:
            told, units = self._point
            error = told + (self._units - units) / self.rate + offset - nominal - self._correction
            most = SLEW * max(0.0, step)
            self._correction += error if abs(error) > SNAP else max(-most, min(most, error))
        if abs(nominal + self._correction - arrived) > ASTRAY:
            self._correction, self._point = arrived - nominal, None
        return nominal + self._correction

    def _advance(self, timestamp: int, arrived: float) -> float:
        """Unwraps; the seconds since the last unit."""
        if self._last is None:
            self._last, self._correction = timestamp, arrived
            return 0.0
        step = _signed(timestamp - self._last)
        self._last = timestamp
        self._units += step
        return step / self.rate


def _signed(difference: int) -> int:
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
