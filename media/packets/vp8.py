"""The VP8 payload descriptor (RFC 7741 §4.2), as far as a subscriber must not see it jump when it changes layers.

Chromium orders VP8 pictures by their picture ids, and finds what a picture needs by TL0PICIDX: after a layer whose ids are lower
it would show nothing more. H264 has neither.
"""

from __future__ import annotations

from typing import NamedTuple


class Ids(NamedTuple):
    """A picture's ids."""

    picture: int
    long: bool
    """The picture id has 15 bits, not 7."""
    base: int
    """TL0PICIDX: number of the last picture of the lowest temporal layer."""
    base_at: int
    """Where that is in the payload; 0 where it is not."""


def ids(payload: bytes) -> Ids | None:
    """The ids of a payload; None where it has no picture id, or is cut short."""
    if len(payload) < 3 or not payload[0] & 0x80 or not payload[1] & 0x80:
        return None
    long = bool(payload[2] & 0x80)
    after = 4 if long else 3
    if len(payload) <= after:
        return None
    picture = int.from_bytes(payload[2:4], "big") & 0x7FFF if long else payload[2]
    has_base = bool(payload[1] & 0x40)
    return Ids(picture, long, payload[after] if has_base else 0, after if has_base else 0)


def renumber(payload: bytes, picture: int, base: int) -> bytes:
    """The payload with so much added to its ids."""
    found = ids(payload)
    if found is None:
        return payload
    changed = bytearray(payload)
    if found.long:
        changed[2:4] = (0x8000 | found.picture + picture & 0x7FFF).to_bytes(2, "big")
    else:
        changed[2] = found.picture + picture & 0x7F
    if found.base_at:
        changed[found.base_at] = found.base + base & 0xFF
    return bytes(changed)
