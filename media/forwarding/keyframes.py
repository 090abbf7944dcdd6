"""When to ask a publisher for a key picture: at once, then again until it comes, and not more than once a second."""

from __future__ import annotations

REPEAT = 0.4
"""Seconds after which an unanswered request is sent again; it or the answer may be lost."""
APART = 1.0
"""Seconds between a key picture and the next request: a storm of requests from viewers costs one picture a second."""


class KeyframeRequests:
    """Coalesces the wishes of all subscribers of a layer into requests to its publisher."""

    def __init__(self) -> None:
        self._wanted = False
        self._sent_at = self._came_at = float("-inf")

    def want(self) -> None:
        """Somebody needs a key picture."""
        self._wanted = True

    def came(self, now: float) -> None:
        """A key picture began: everybody who waited is served."""
        self._wanted, self._came_at = False, now

    def due(self, now: float) -> bool:
        """True when a request must be sent now; counts it as sent."""
        if not self._wanted or now - self._sent_at < REPEAT or now - self._came_at < APART:
            return False
        self._sent_at = now
        return True
