"""The one thread that writes all recordings of a process, so that packets never wait behind more than one other thread.

The recordings of a process lie on one disk: where that stands still, no number of threads would write them. What comes meanwhile
waits, for each recording up to a bound; one that reaches it ends, like one that meets an error, alone. The thread works in
rounds: everything that waits is written, then the disk is waited for once for all of it. So a slow disk makes rounds larger, and
not the time that each recording takes of them.
"""

from __future__ import annotations

import errno
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from media.recording.folder import Elsewhere, Found, NoSpace, contents
from media.recording.manuscript import Chunk, Manuscript, Plan

log = logging.getLogger(__name__)

LARGEST_QUEUE = 32 << 20
"""Octets of a recording that wait for the disk: about two minutes of a class."""
Failure = Literal["disk_full", "disk_error", "too_slow", "failed", "elsewhere"]
"""As in `media.events.RecordingFailed`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a recording ended; `failure` is empty where it was asked to end."""

    failure: Failure | Literal[""]
    seconds: float
    octets: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """What came of a recording's streams until `now`, and how many octets that is."""

    chunks: Sequence[Chunk]
    now: float
    size: int


class Scribe:
    """Owns one thread from the first `begin` to `close`."""

    def __init__(self) -> None:
        self._queue: _Queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def begin(self, plan: Plan, on_begin: Callable[[], None], on_end: Callable[[Outcome], None]) -> Writing:
        """A recording. `on_begin` is called when there is a place to write to, `on_end` once, both in the scribe's thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="media-scribe", daemon=True)
            self._thread.start()
        return Writing(plan, self._queue, on_begin, on_end)

    def close(self, patience: float) -> None:
        """Ends the thread after what is queued, and waits for it, but not for ever: the disk may stand still."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(patience)
            self._thread = None

    def _work(self) -> None:
        while self._round():
            pass

    def _round(self) -> bool:
        """Writes what waits by now; False at the end."""
        waiting = [self._queue.get(), *(self._queue.get() for _ in range(self._queue.qsize()))]
        written: dict[Writing, None] = {}
        for each in waiting:
            if each is not None:
                writing, batch = each
                writing.write(batch)
                written[writing] = None
        for step in (Writing.keep_files, Writing.keep_names, Writing.conclude):
            for writing in written:
                step(writing)
        return None not in waiting


class Writing:
    """One recording in the scribe's hands: `put` and `finish` are for the thread that began it, the rest for the scribe's."""

    def __init__(self, plan: Plan, to: _Queue, on_begin: Callable[[], None], on_end: Callable[[Outcome], None]) -> None:
        self.plan = plan
        self._queue, self._on_begin, self._on_end = to, on_begin, on_end
        self._put = 0
        """Octets, by the one thread; with `_taken`, by the other one, what waits."""
        self._taken = 0
        self._too_slow = self._finished = False
        self._manuscript: Manuscript | None = None
        self._failure: Failure | Literal[""] = ""
        self._last = self._concluded = False

    def put(self, chunks: Sequence[Chunk], now: float) -> None:
        """Queues a batch; where too much waits already, the recording ends."""
        size = sum(len(kept.payload) for chunk in chunks for kept in chunk.packets)
        if self._put - self._taken + size > LARGEST_QUEUE:
            self._too_slow = True
            self.finish()
        if not self._finished:
            self._put += size
            self._queue.put((self, _Batch(chunks, now, size)))

    def finish(self) -> None:
        """Ends the recording after what is queued. May be repeated."""
        if not self._finished:
            self._finished = True
            self._queue.put((self, None))

    def write(self, batch: _Batch | None) -> None:
        """Writes a batch; None is the end."""
        if batch is not None:
            self._taken += batch.size
        self._last = self._last or batch is None
        self._guarded(lambda: self._write(batch))

    def _write(self, batch: _Batch | None) -> None:
        if self._manuscript is None:
            self._manuscript = Manuscript(self.plan)
            self._on_begin()
        if batch is None:
            self._manuscript.end()
        else:
            self._manuscript.take(batch.chunks, batch.now)

    def keep_files(self) -> None:
        """See `Folder`."""
        if self._manuscript is not None:
            self._guarded(self._manuscript.keep_files)

    def keep_names(self) -> None:
        """See `Folder`."""
        if self._manuscript is not None:
            self._guarded(self._manuscript.keep_names)

    def _guarded(self, work: Callable[[], None]) -> None:
        """After an error nothing more is written of this recording; the others go on."""
        if self._failure or self._concluded:
            return
        try:
            work()
        except OSError as error:
            self._failure = _failure(error)
            log.warning("recording_stopped room=%s reason=%s error=%s", self.plan.room, self._failure, error)
        except Exception:
            self._failure = "failed"
            log.exception("recording_failed room=%s", self.plan.room)

    def conclude(self) -> None:
        """Where it has come to its end: closes it, and tells how it ended."""
        if self._concluded or not (self._last or self._failure):
            return
        held = Found("", 0.0, 0)
        if self._manuscript is not None:
            self._guarded(self._manuscript.close)
            held = self._left()
        self._concluded, self._manuscript = True, None
        self._on_end(Outcome(self._failure or ("too_slow" if self._too_slow else ""), held.seconds, held.octets))

    def _left(self) -> Found:
        """What there is of it; after an error it must still be closed."""
        try:
            if self._failure and self._manuscript is not None:
                self._manuscript.break_off()
        except Exception as error:  # whoever finds it closes it
            log.warning("recording_left_open room=%s error=%s", self.plan.room, error)
        try:
            return contents(self.plan.path)
        except OSError:
            return Found("", 0.0, 0)


_Queue = queue.SimpleQueue[tuple[Writing, _Batch | None] | None]


def _failure(error: OSError) -> Failure:
    if isinstance(error, Elsewhere):
        return "elsewhere"
    full = isinstance(error, NoSpace) or error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk_full" if full else "disk_error"
