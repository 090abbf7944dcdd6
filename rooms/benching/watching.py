"""Work in a process of its own, with the memory of everything that runs because of it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, TypeVar

from scheduler.resident import resident_mb

T = TypeVar("T")
LOOK = 0.1
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True)
class Watched(Generic[T]):
    """What the work gave, and the most memory in MB that this process and all that came from it held at once.

    Pages that several of them share are counted once (Linux; 0 elsewhere).
    """

    value: T
    peak_mb: float


class WorkDied(Exception):
    """The process of the work ended without an answer."""


def watched(work: Callable[..., T], *arguments: object) -> Watched[T]:
    """Does the work in a child process and watches its memory. Raises `WorkDied`."""
    kind = "fork" if threading.active_count() == 1 and hasattr(os, "fork") else "spawn"
    context = multiprocessing.get_context(kind)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, work, arguments))  # type: ignore[attr-defined] # both have it
    process.start()
    there.close()
    peak = 0.0
    try:
        while True:
            peak = max(peak, tree_mb(os.getpid()))
            if here.poll(LOOK):
                break
        value: T = here.recv()
    except EOFError as end:
        raise WorkDied from end
    finally:
        process.join()
        here.close()
    return Watched(value, peak)


def _answer(line: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    line.send(work(*arguments))
    line.close()


def tree_mb(root: int) -> float:
    """Memory in MB that a process and all its descendants hold, shared pages counted once."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it ended while we looked
        children[parent].append(int(folder.name))
    total, left = 0.0, [root]
    while left:
        pid = left.pop()
        total += resident_mb(pid)
        left += children[pid]
    return total
