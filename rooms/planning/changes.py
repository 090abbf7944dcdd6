"""Changes to dated lessons: cancel with a reason, excuse a side, add a make-up or an extra lesson. One unit of work each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rooms.clock import Clock
from rooms.store import Actor, Store

REASONS = (
    "system_fault",
    "device_fault",
    "power",
    "network",
    "teacher_leave",
    "lead_did_not_teach",
    "room_closed",
    "other",
)
"""Accepted reasons of DOMAIN.md §3; say ``verdict.reason_<code>``."""


@dataclass(frozen=True, slots=True)
class NewLesson:
    """A lesson added by hand (加课), or one that makes up for a cancelled or missed one (补课: `replaces`).

    `start` and `end` are minutes since local midnight on `day`. With `replaces`, empty fields are taken from that lesson.
    """

    county: str
    day: date
    start: int
    end: int
    replaces: str | None = None
    family: str = "delivery"
    kind: str = "lesson"
    subject: str = ""
    title: str = ""
    lead_teacher_code: str = ""
    lead_room_code: str = ""
    class_codes: tuple[str, ...] = ()
    member_codes: tuple[str, ...] = ()


async def cancel(
    store: Store, actor: Actor, clock: Clock, occurrence_id: str, *, reason: str, note: str = "", county: str
) -> None:
    """Cancel a lesson that has not begun. Refusals: occurrence_unknown, occurrence_begun, reason_unknown."""
    raise NotImplementedError


async def excuse_side(
    store: Store, actor: Actor, clock: Clock, side_id: str, *, reason: str, note: str = "", county: str
) -> None:
    """Accept a reason why one side missed, or will miss, a lesson; it is judged anew. Refusals: side_unknown, reason_unknown."""
    raise NotImplementedError


async def add_lesson(store: Store, actor: Actor, clock: Clock, lesson: NewLesson) -> str:
    """Add a lesson and return its occurrence id.

    Refusals: lesson_window, lesson_clash (facts: what, code, day, start, end), code_unknown (facts: kind, code),
    replaced_still_stands (the lesson it would replace is neither cancelled nor missed).
    """
    raise NotImplementedError


async def declare_shift(
    store: Store, actor: Actor, clock: Clock, occurrence_id: str, *, seconds: int, county: str
) -> None:
    """Declare that a lesson is held later (positive) or earlier. Refusals: occurrence_unknown, shift_too_large, occurrence_over."""
    raise NotImplementedError
