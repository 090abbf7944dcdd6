"""Who has the floor of a room: which classroom's sound passes, and who may receive its picture.

A classroom's source, ``class:<peer>``, is for the peer that publishes ``lead`` alone, and silent, until the classroom has the
floor. Nothing is remembered of a room without sessions; whoever gives the floor says it again when the classroom is back.
"""

from __future__ import annotations

from media.events import PeerId, RoomId, SourceName

LEAD = SourceName("lead")
CLASSROOM = "class:"


def classroom_of(source: SourceName) -> PeerId | None:
    """The peer a source belongs to, where it is a classroom's."""
    return PeerId(source.removeprefix(CLASSROOM)) if source.startswith(CLASSROOM) else None


class Floors:
    """The holder of each room's floor; at most one peer at a time."""

    def __init__(self) -> None:
        self._holders: dict[RoomId, PeerId] = {}

    def give(self, room: RoomId, peer: PeerId | None) -> None:
        """`peer` has the floor from now on, and nobody else; None: nobody has it."""
        self._holders.pop(room, None)
        if peer is not None:
            self._holders[room] = peer

    def is_open(self, room: RoomId, source: SourceName) -> bool:
        """Whether everybody in the room may see and hear the source."""
        classroom = classroom_of(source)
        return classroom is None or self._holders.get(room) == classroom
