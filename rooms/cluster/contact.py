"""Whether the placement answers, as one process sees it."""

from __future__ import annotations

import structlog

from rooms.cluster import Away

log = structlog.get_logger("cluster")


class Contact:
    """Says in the log when the placement goes and when it is back; what is asked every second is not said every second."""

    def __init__(self, **who: str) -> None:
        self.lost = False
        self._who = who

    def answered(self) -> None:
        if self.lost:
            self.lost = False
            log.info("placement_back", **self._who)

    def failed(self, error: Away) -> None:
        if not self.lost:
            self.lost = True
            log.warning("placement_away", error=str(error), **self._who)
