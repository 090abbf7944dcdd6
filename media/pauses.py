"""What else in the process may hold packets up, made short."""

from __future__ import annotations

import gc
import sys

TURN = 0.0005
"""Seconds for which a thread that computes (a recording's) may keep the packets' thread waiting. With Python's 5 ms one in a hundred packets of
thirty recorded classes was 27 and 90 ms late in two runs; with this 1.7, 1.9, 3.3 and 18 ms in four."""

YOUNG = 10_000
"""Objects between two looks for garbage. With Python's 700 the rows of one page of the bureau (a hundred thousand) are gone through two or three
times while they are read: 54 ms without a packet, 37 with this."""


def shorten_pauses() -> None:
    """Call once in a process that carries classes, when everything is loaded.

    What is there by now stays out of all later collections of garbage: one that goes through the quarter of a million objects of a
    loaded server stops the packets of all classes for some tenths of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    sys.setswitchinterval(TURN)
