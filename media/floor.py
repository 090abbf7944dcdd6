"""Which source of a room is whose, for the floor.

A classroom's source, ``class:<peer>``, is for the peer that publishes ``lead`` alone, and silent, until the classroom has the
floor (`media.room`); whoever gives the floor says it again when the room is back.
"""

from __future__ import annotations

from media.events import PeerId, SourceName

LEAD = SourceName("lead")
CLASSROOM = "class:"
"""What a classroom's source begins with; its peer follows."""


def classroom_of(source: SourceName) -> PeerId | None:
    """The peer a source belongs to, where it is a classroom's."""
    return PeerId(source.removeprefix(CLASSROOM)) if source.startswith(CLASSROOM) else None
