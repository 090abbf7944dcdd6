"""What a planning run is given, what it tells on the way, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scheduler.problem import Meeting, Plan

Phase = Literal["read", "construct", "improve", "activities", "explain", "done"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how hard a run may work."""

    seconds: float = 60.0
    """Wall-clock time from the call to the outcome, the bound and the reasons included."""
    seed: int = 1
    workers: int = 2
    """Search processes; the bound shares the last one's core."""
    memory_mb: int = 2048
    """Resident memory of all processes together at which the run is ended; the best plan is kept."""
    deterministic: bool = False
    """One worker and a budget of steps in place of the clock: the same plan twice, on any machine."""
    steps: int = 200
    """Neighbourhoods tried in deterministic mode."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One message of a running search. Service is weighted: halves × priority."""

    phase: Phase
    seconds: float
    served_weighted: int | None = None
    bound_weighted: int | None = None
    """The best bound proved so far."""
    step: int = 0
    """Neighbourhoods tried so far."""
    meetings: tuple[Meeting, ...] | None = None
    """The best delivery meetings so far, where they are new: whoever watches can keep them."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A legal plan: `plan.status` says whether it is proved optimal, merely feasible, or was stopped."""

    plan: Plan
    cut: Ended | None = None
    """What ended the search before its time, where something did."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run was ended early: out of time, out of memory, its process died, somebody said stop. Alone: before its first plan."""

    reason: Literal["time", "memory", "died", "stopped"]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the input that a planner should know before the run."""

    code: str
    """A key of the ``plan`` catalogue, without the domain."""
    facts: Mapping[str, object] = field(default_factory=dict)


Outcome = Solved | Ended
"""A county is never infeasible: the plan that serves nobody is legal. What cannot be served is in ``plan.unmet``, with reasons."""
