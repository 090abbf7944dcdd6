"""Who sends what nobody can read: counted by source, and told in the log once a minute, whatever the flood."""

from __future__ import annotations

import logging
from heapq import nlargest

from media.wire.stun import Address

log = logging.getLogger(__name__)

TELL_EVERY = 60.0
"""Seconds between two accounts in the log."""
MOST_SOURCES = 512
"""Sources counted by themselves in a minute; source addresses can be forged, so the rest are one sum."""
MOST_LINES = 16
"""Sources named in one account."""


class Strays:
    """Datagrams that were dropped, by the host they came from."""

    def __init__(self) -> None:
        self._by_host: dict[str, int] = {}
        self._others = 0
        self._told_at: float | None = None

    def note(self, address: Address) -> None:
        """Counts one."""
        host = address[0]
        before = self._by_host.get(host)
        if before is not None:
            self._by_host[host] = before + 1
        elif len(self._by_host) < MOST_SOURCES:
            self._by_host[host] = 1
        else:
            self._others += 1

    def tell(self, now: float) -> None:
        """Writes a line for each of the worst sources of the last minute, and one for all others."""
        if self._told_at is None or now - self._told_at < TELL_EVERY:
            self._told_at = now if self._told_at is None else self._told_at
            return
        self._told_at = now
        worst = nlargest(MOST_LINES, self._by_host.items(), key=lambda item: item[1])
        rest = sum(self._by_host.values()) - sum(count for _, count in worst) + self._others
        self._by_host, self._others = {}, 0
        for host, count in worst:
            log.info("media_stray source=%s datagrams=%d", host, count)
        if rest:
            log.info("media_stray source=others datagrams=%d", rest)
