"""The counters of a stream that goes to one subscriber."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """Its counters at a moment."""

    packets: int
    octets: int
    upto: int | None
    """The extended number after the last one sent; None before the first."""
