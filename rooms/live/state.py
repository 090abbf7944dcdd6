"""A live class as everyone in it sees it; computed from the database alone, so that a restart loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LiveSide:
    """One side now."""

    id: str
    side: str
    """lead, receiver or member."""
    school_code: str
    school_name: str
    class_code: str | None
    grades: tuple[int, ...]
    teacher_code: str | None
    teacher_name: str | None
    room_code: str | None
    entered: bool
    """The page of this side is open, or was (evidence: entered)."""
    connected: bool
    """A media session is up now."""
    quality: str
    """Of the newest slot: good, degraded, unknown (no receiver report), none."""
    assistant: str | None
    """Name of the assistant who signed in."""
    expected: int
    present: int | None
    """Head-count that was entered."""
    tested: bool
    """A self-test was stored."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """The class now. `enter_from` is when the doors open; instants are UTC."""

    occurrence_id: str
    county: str
    family: str
    kind: str
    title: str
    subject: str
    state: str
    starts_at: datetime
    ends_at: datetime
    enter_from: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    shift_seconds: int
    sides: tuple[LiveSide, ...]
    """The lead first."""

    def message(self) -> dict[str, Any]:
        """The same as JSON values: ``{"kind": "live.state", "occurrence": …, "sides": […]}``; instants as ISO text."""
        raise NotImplementedError
