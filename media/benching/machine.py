"""What the system knows of a process: processor time, waiting for a processor, memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """A process until now, all its threads together. Seconds, KiB."""

    cpu: float
    system: float
    """The kernel's part of `cpu`."""
    waited: float
    """Ready to run while other work held the processors; 0 where the system does not say."""
    kib: int


def usage(pid: int) -> Usage:
    """Reads /proc. Raises OSError where there is no such process."""
    home = Path("/proc") / str(pid)
    fields = (home / "stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]) / TICK, int(fields[12]) / TICK
    waited = 0
    for thread in (home / "task").iterdir():
        with contextlib.suppress(OSError):
            waited += int((thread / "schedstat").read_text().split()[1])
    kib = int((home / "statm").read_text().split()[1]) * PAGE_KIB
    return Usage(user + system, system, waited / 1e9, kib)


@contextlib.contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """What is started inside runs on these cores only; an empty set changes nothing."""
    before = os.sched_getaffinity(0)
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def share_out() -> tuple[set[int], set[int]]:
    """One core for what is measured and the others for the load, so that the two do not take turns; nothing to share out
    on a machine with one core."""
    first, *others = sorted(os.sched_getaffinity(0))
    return ({first}, set(others)) if others else (set(), set())
