"""Memory is that of everything that runs, not of the largest child alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rooms.benching.watching import WorkDied, watched

HOLD = "import time; held = bytearray(60 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(1.0)"


def two_large_children() -> int:
    running = [subprocess.Popen([sys.executable, "-c", HOLD]) for _ in range(2)]
    return sum(one.wait() for one in running)


def end_at_once() -> None:
    os._exit(3)


def test_the_children_of_the_work_are_counted_together() -> None:
    answer = watched(two_large_children)
    assert answer.value == 0
    assert answer.peak_mb > 120


def test_work_that_dies_is_told() -> None:
    with pytest.raises(WorkDied):
        watched(end_at_once)
