"""What arrives from a publisher on one stream: counts, jitter, and its clock (RFC 3550 §6.4 and appendix A)."""

from __future__ import annotations

from dataclasses import dataclass

from media.packets.rtcp import Block


@dataclass(frozen=True, slots=True)
class ClockPoint:
    """At `at` (monotonic) the publisher's clocks read `ntp` (64 bit) and `rtp`."""

    ntp: int
    rtp: int
    at: float


class Reception:
    """One incoming stream since its first packet."""

    def __init__(self, ssrc: int, rate: int) -> None:
        self.ssrc, self.rate = ssrc, rate
        self.received = 0
        self.last_at = 0.0
        self.clock: ClockPoint | None = None
        """From the publisher's last sender report."""
        self.first: ClockPoint | None = None
        """The first packet, with an NTP time of 0: all there is until a sender report comes."""
        self._jitter = 0.0
        self._transit = 0.0
        self._base = self._highest = 0
        self._before = (0, 0)

    def arrived(self, highest: int, timestamp: int, now: float) -> None:
        """Counts a packet; `highest` is the extended highest number so far."""
        transit = now * self.rate - timestamp
        if self.first is None:
            self.first, self._base, self._transit = ClockPoint(0, timestamp, now), highest, transit
        deviation = abs(transit - self._transit)
        if deviation < self.rate:  # a wrap or a jump of the timestamp says nothing of the line
            self._jitter += (deviation - self._jitter) / 16
        self._transit, self._highest, self.last_at = transit, highest, now
        self.received += 1

    def reported(self, ntp: int, rtp: int, now: float) -> None:
        """Takes a sender report."""
        self.clock = ClockPoint(ntp, rtp, now)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter in milliseconds."""
        return self._jitter * 1000 / self.rate

    def block(self, now: float) -> Block:
        """The report block for the publisher; its fraction covers the time since the last call."""
        expected = self._highest - self._base + 1 if self.first is not None else 0
        lost = max(0, expected - self.received)
        new_expected, new_lost = expected - self._before[0], lost - self._before[1]
        self._before = (expected, lost)
        fraction = min(255, max(0, new_lost * 256 // new_expected)) if new_expected > 0 else 0
        last_sr = self.clock.ntp >> 16 & 0xFFFFFFFF if self.clock is not None else 0
        delay = int((now - self.clock.at) * 65536) if self.clock is not None else 0
        return Block(self.ssrc, fraction, lost, self._highest, int(self._jitter), last_sr, delay & 0xFFFFFFFF)
