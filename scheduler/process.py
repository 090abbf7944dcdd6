"""A planning run in a process of its own, for callers that must not stall: news through a pipe, stop, and hard limits.

The process and everything it starts form one process group, so that nothing survives `Run.close`. Whatever was last told is kept here:
a run that dies, hangs or is killed still gives its best plan.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection

from scheduler.assemble import bare
from scheduler.outcome import Ended, Limits, Outcome, Progress, Solved
from scheduler.problem import Meeting, Plan, Problem
from scheduler.resident import resident_mb

GRACE = 10.0
"""Seconds beyond its limit after which a run that has not answered is killed."""
SLACK = 1.25
"""Part of the memory allowed at which a run is killed that has not ended by itself."""
LEAST = 2.0
"""Seconds that a run searches even where its process was slow to start."""
WEIGH_EVERY = 1.0
"""Seconds between two looks at the memory."""


def family_of(pid: int | None) -> Iterator[int]:
    """A process and all that came from it (Linux)."""
    if pid is None:
        return
    yield pid
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                yield from family_of(int(child))
    except OSError:
        return


def _work(line: Connection, problem: Problem, limits: Limits, previous: Plan | None, called: float) -> None:
    """The process: plans, tells, and listens for the word to stop. Ends with its parent.

    Its own start counts as time of the run: `called` is the monotonic instant of the call.
    """
    from scheduler.solve import solve  # the solver's library is loaded in this process alone

    left = limits.seconds - (time.monotonic() - called)
    limits = replace(limits, seconds=max(left, min(LEAST, limits.seconds)))
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    parent = os.getppid()

    def told_to_stop() -> bool:
        try:
            return os.getppid() != parent or (line.poll() and line.recv() == "stop")
        except (EOFError, OSError):
            return True

    outcome = solve(problem, limits, previous=previous, report=line.send, stop=told_to_stop)
    line.send(outcome)
    line.close()


class Run:
    """A planning run of another process. `poll` until `outcome` is there, then `close`."""

    def __init__(self, problem: Problem, limits: Limits, previous: Plan | None = None) -> None:
        self.problem, self.limits = problem, limits
        self.outcome: Outcome | None = None
        self.progress: Progress | None = None
        self._meetings: tuple[Meeting, ...] | None = None
        self._began = self._weighed = time.monotonic()
        context = multiprocessing.get_context("spawn")
        self._line, there = context.Pipe()
        self._process = context.Process(
            target=_work, args=(there, problem, limits, previous, self._began), daemon=False
        )
        self._process.start()
        there.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def best(self) -> tuple[Meeting, ...] | None:
        """The best delivery meetings told so far, those of `progress`."""
        return self._meetings

    def poll(self, seconds: float) -> list[Progress]:
        """What was told within the time; sets `outcome` when the run is over, however it ended. Blocks: call it in a thread."""
        news = list(self._take(seconds))
        if self.outcome is None and time.monotonic() - self._began > self.limits.seconds + GRACE:
            self._kill()
            self.outcome = self._rescued(Ended("time", {"seconds": round(self.limits.seconds)}))
        if self.outcome is None and time.monotonic() - self._weighed > WEIGH_EVERY:
            self._weighed = time.monotonic()
            if self.memory_mb() > SLACK * self.limits.memory_mb:
                self._kill()
                self.outcome = self._rescued(Ended("memory", {"limit": self.limits.memory_mb}))
        return news

    def memory_mb(self) -> float:
        """Resident memory of the process and all it started."""
        return sum(resident_mb(pid) for pid in family_of(self._process.pid))

    def _take(self, seconds: float) -> Iterator[Progress]:
        until = time.monotonic() + seconds
        try:
            while self.outcome is None and self._line.poll(max(0.0, until - time.monotonic())):
                message = self._line.recv()
                if isinstance(message, Progress):
                    self._meetings = message.meetings or self._meetings
                    self.progress = replace(message, meetings=None)
                    yield self.progress
                else:
                    self.outcome = message
        except (EOFError, OSError):
            self.outcome = self.outcome or self._rescued(Ended("died"))

    def _rescued(self, ended: Ended) -> Outcome:
        """The best meetings that were told, as a plan."""
        if self._meetings is None or self.progress is None:
            return ended
        bound = self.progress.bound_weighted
        most = sum(need.halves * need.priority for need in self.problem.needs)
        seconds = time.monotonic() - self._began
        plan = bare(
            self.problem,
            self._meetings,
            bound=most if bound is None else bound,
            seconds=seconds,
            seed=self.limits.seed,
        )
        return Solved(plan, ended)

    def stop(self) -> None:
        """Asks the run to end with its best plan; `poll` on."""
        with contextlib.suppress(OSError, ValueError):
            self._line.send("stop")

    def close(self) -> None:
        """Ends the process and all it started."""
        self._kill()
        self._line.close()

    def _kill(self) -> None:
        if self._process.pid is not None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
