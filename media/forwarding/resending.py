"""How much may be sent again to one feed: a storm of NACKs, or a line that is too thin, must not make a bad line worse."""

from __future__ import annotations

from media.forwarding.layer import Layer

WINDOW = 1.0
"""Seconds over which is counted."""
MOST_RESENT = 400
"""Packets sent again in a window; a storm of NACKs costs no more."""
RESENT_SHARE = 0.5
"""And of a picture no more, in octets, than this share of what the present layer sends: on a line that carries less than it
is given, all that is sent again is lost again, and the sound with it."""
UNMEASURED = 1_000_000
"""Bits a second a layer is taken to send before it is known."""
AGAIN_AFTER, LONGEST_AGAIN = 0.02, 0.4
"""Seconds, at least and at most, in which a packet is not sent twice."""
AGAIN_SHARE = 0.8
"""Between those, this share of the round trip: browsers ask for sound several times before the first answer can be there."""


class ResendBudget:
    """What was sent again to one feed in the present window. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._began = 0.0
        self._packets = self._octets = 0
        self._sent_at: dict[int, float] = {}
        """When each packet was sent again last, by the subscriber's own number."""

    def spend(self, number: int, octets: int, layer: Layer, round_trip_ms: float | None, now: float) -> bool:
        """Whether the packet may be sent again now, while the feed is on this layer; counts it where it may."""
        if now - self._began >= WINDOW:
            self._began, self._packets, self._octets = now, 0, 0
            self._sent_at.clear()
        again = max(AGAIN_AFTER, min(LONGEST_AGAIN, AGAIN_SHARE * (round_trip_ms or 0.0) / 1000))
        soon = now - self._sent_at.get(number, float("-inf")) < again
        most = RESENT_SHARE * (layer.bitrate or UNMEASURED) / 8 if layer.kind == "video" else float("inf")
        if soon or self._packets >= MOST_RESENT or self._octets + octets > most:
            return False
        self._packets += 1
        self._octets += octets
        self._sent_at[number] = now
        return True
