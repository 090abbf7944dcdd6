"""A run in a process of its own: killed at any moment it gives what it had, and nothing of it survives."""

from __future__ import annotations

import os
import signal
import time
from random import Random

import pytest

from scheduler.check import check
from scheduler.outcome import Ended, Limits, Solved
from scheduler.process import Run
from tests.scheduler.counties import random_county
from tests.scheduler.small import county

PROBLEM = random_county(21, leads=4, receivers=12)


def until_over(run: Run) -> None:
    for _ in range(600):
        run.poll(0.1)
        if run.outcome is not None:
            return
    raise AssertionError("the run never ended")


def test_a_run_tells_and_ends() -> None:
    run = Run(county(), Limits(seconds=6.0, workers=1))
    try:
        until_over(run)
        assert isinstance(run.outcome, Solved)
        assert check(county(), run.outcome.plan) == []
        assert run.progress is not None
    finally:
        run.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_run_keeps_its_best_plan_and_leaves_nobody_behind(seed: int) -> None:
    run = Run(PROBLEM, Limits(seconds=120.0, workers=2))
    try:
        while run.progress is None and run.outcome is None:
            run.poll(0.1)
        run.poll(Random(seed).random() * 1.5)  # a seeded moment
        assert run.pid is not None
        if run.outcome is None:
            os.kill(run.pid, signal.SIGKILL)
        until_over(run)
        match run.outcome:
            case Solved(plan):
                assert check(PROBLEM, plan) == []
            case outcome:
                assert outcome == Ended("died")
                assert run.progress is None or run.progress.served_weighted is None
    finally:
        run.close()
    assert not group_lives(run.pid)


def test_a_stopped_run_ends_soon_with_a_plan() -> None:
    run = Run(PROBLEM, Limits(seconds=120.0, workers=1))
    try:
        while (run.progress is None or run.progress.served_weighted is None) and run.outcome is None:
            run.poll(0.1)
        run.stop()
        began = time.monotonic()
        until_over(run)
        assert time.monotonic() - began < 30
        assert isinstance(run.outcome, Solved)
        assert check(PROBLEM, run.outcome.plan) == []
    finally:
        run.close()


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_run_that_takes_too_much_memory_is_ended_from_outside(deterministic: bool) -> None:
    run = Run(PROBLEM, Limits(seconds=120.0, workers=1, memory_mb=20, deterministic=deterministic))
    try:
        until_over(run)
        match run.outcome:
            case Solved(plan, cut):
                assert check(PROBLEM, plan) == []
                assert cut == Ended("memory", {"limit": 20})
            case outcome:
                assert outcome == Ended("memory", {"limit": 20})
    finally:
        run.close()
    assert not group_lives(run.pid)


def group_lives(pid: int | None) -> bool:
    """Whether any process of the run's group is still there after a moment."""
    assert pid is not None
    for _ in range(50):
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True
