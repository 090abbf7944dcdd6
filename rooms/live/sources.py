"""Which sources of a class a side may send, and which it may receive; docs/LIVE_PROTOCOL.md, "Media"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from media.floor import CLASSROOM, LEAD
from rooms.planning.occurrences import SideView

__all__ = ["LEAD", "LEADS", "SCREEN", "Direction", "classroom_source", "exists", "is_small_picture", "permitted"]

Direction = Literal["publish", "subscribe"]
SCREEN = "screen"
LEADS: frozenset[str] = frozenset({LEAD, SCREEN})
"""What the lead sends: camera and microphone, and what it shows."""


def classroom_source(side_id: str) -> str:
    """The source of a side that is not the lead: its small picture always, its voice with the floor."""
    return f"{CLASSROOM}{side_id}"


def is_small_picture(source: str, direction: str) -> bool:
    """Whether somebody receives a classroom: that is told live, and is no evidence of anybody's presence."""
    return direction == "subscriber" and source not in LEADS


def exists(sides: Sequence[SideView], source: str) -> bool:
    """Whether the class has such a source."""
    return source in LEADS or any(side.side != "lead" and classroom_source(side.id) == source for side in sides)


def permitted(mine: SideView, source: str, direction: Direction, floor: str | None) -> bool:
    """Whether this side may send or receive an existing source, while `floor` is the side that has the floor.

    The lead sends its own and sees every classroom; the others see what the lead sends and whoever has the floor.
    """
    if mine.side == "lead":
        return (source in LEADS) == (direction == "publish")
    own = source == classroom_source(mine.id)
    if direction == "publish":
        return own
    return source in LEADS or (not own and floor is not None and source == classroom_source(floor))
