"""The board of live classes: opens and closes them, takes sign-ins and head-counts, and gathers the relay's evidence.

Life cycle: planned → ready → live → ended → judged. Every act is a row of evidence and an audit entry in one transaction; then
``live:<occurrence id>`` gets ``{"kind": "live.state", …}`` (`LiveState.message`) on the bus, and ``{"kind": "live.slot", "side": …,
"quality": …}`` for each media slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from media.events import MediaEvent
from rooms.clock import Clock
from rooms.live.state import LiveState
from rooms.store import Actor, Store

if TYPE_CHECKING:
    from config.settings import Settings
    from rooms.rulesets import RuleSet


@dataclass(frozen=True, slots=True)
class LateItem:
    """Evidence a classroom kept while its line was down. `event_id` is the classroom's own, at most 64 characters."""

    event_id: str
    kind: str
    """sign_in, sign_out, head_count, self_test, page_stats."""
    at: datetime
    data: dict[str, Any]


class LiveBoard:
    """`bus` is `rooms.bus.Bus`. Call `start` once in a running loop and `close` at the end."""

    def __init__(self, store: Store, clock: Clock, bus: Any, rules: RuleSet, settings: Settings) -> None: ...

    async def start(self) -> None:
        """Start the evidence writer and the sweep (automatic end, judging, grace)."""
        raise NotImplementedError

    async def close(self) -> None:
        """Store what is queued and end both tasks."""
        raise NotImplementedError

    def on_media_event(self, event: MediaEvent) -> None:
        """The relay's callback: never blocks, never raises; the row is stored exactly once."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Return when everything the relay said so far is committed."""
        raise NotImplementedError

    async def state(self, occurrence_id: str) -> LiveState | None:
        """The class now, or None where there is no such lesson."""
        raise NotImplementedError

    async def enter(self, actor: Actor, side_id: str) -> LiveState:
        """A side's page is open. Refusals: side_unknown, too_early (facts: enter_from), occurrence_over, occurrence_cancelled."""
        raise NotImplementedError

    async def self_test(self, actor: Actor, side_id: str, result: dict[str, Any]) -> LiveState:
        """Store a device check; with the lead's and every receiver's the lesson is ``ready``. Refusals as `enter`."""
        raise NotImplementedError

    async def sign_in(self, actor: Actor, side_id: str, assistant_id: int, pin: str) -> LiveState:
        """The assistant signs in by PIN. Refusals: those of `enter`, pin_wrong, assistant_locked."""
        raise NotImplementedError

    async def sign_out(self, actor: Actor, side_id: str) -> LiveState:
        """The assistant signs out."""
        raise NotImplementedError

    async def head_count(self, actor: Actor, side_id: str, present: int) -> LiveState:
        """How many pupils are there (实到); the newest entry holds. Refusals: those of `enter`, head_count_range."""
        raise NotImplementedError

    async def open_class(self, actor: Actor, occurrence_id: str) -> LiveState:
        """The teacher starts the class; an ended one is live again until its planned end. Refusals as `enter`."""
        raise NotImplementedError

    async def close_class(self, actor: Actor, occurrence_id: str) -> LiveState:
        """The teacher ends the class; it is judged at once. Ending twice changes nothing. Refusals: occurrence_not_live."""
        raise NotImplementedError

    async def hand_in(self, actor: Actor, side_id: str, items: Sequence[LateItem]) -> int:
        """Evidence handed in afterwards, marked late; how many were new. Refusals: side_unknown, evidence_late (past the grace)."""
        raise NotImplementedError

    async def sweep(self) -> None:
        """End what nobody attends any more, judge what is due; runs periodically, and tests call it."""
        raise NotImplementedError
