"""Calendars to subscribe to: a teacher, a school or a room, by an address nobody can guess."""

from __future__ import annotations

from rooms.clock import Clock
from rooms.store import Actor, Store

KINDS = ("teacher", "school", "room")


async def make_feed(store: Store, actor: Actor, clock: Clock, county: str, kind: str, code: str) -> str:
    """A new token for the calendar of a teacher, school or room (``/calendar/{token}.ics``); earlier ones of the same stay good.

    Refusals: code_unknown.
    """
    raise NotImplementedError


async def revoke_feeds(store: Store, actor: Actor, clock: Clock, county: str, kind: str, code: str) -> int:
    """End every address of a calendar; how many there were."""
    raise NotImplementedError


async def read_feed(store: Store, clock: Clock, token: str, *, languages: tuple[str, ...] = ("zh_CN",)) -> bytes | None:
    """The iCalendar (RFC 5545) behind a token, or None where the token is unknown or ended. Two languages stand in one summary."""
    raise NotImplementedError
