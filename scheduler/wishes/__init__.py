"""The soft rules W1–W6, one class each, measured on a finished plan. No solver, no search.

They are asked after service and activities (docs/PLANNING.md): the smaller the weighted sum of their values, the better.
"""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.problem import Plan, Policy, Problem
from scheduler.wishes.base import Cause, Scene, Wish, WishFigure, weight
from scheduler.wishes.days import DaysApart
from scheduler.wishes.editions import EditionsKnown
from scheduler.wishes.load import EvenLoad
from scheduler.wishes.moves import FewMoves
from scheduler.wishes.pairings import FewPairings
from scheduler.wishes.periods import OnePeriodLost

WISHES: tuple[type[Wish], ...] = (EvenLoad, DaysApart, FewPairings, EditionsKnown, FewMoves, OnePeriodLost)
"""In the order W1 … W6."""


def wishes_of(problem: Problem, plan: Plan, previous: Plan | None = None) -> tuple[WishFigure, ...]:
    """How far a plan is from each wish. `previous` is the plan that stood before, where one did."""
    scene = Scene(problem, plan, previous)
    return tuple(wish().figure(scene) for wish in WISHES)


def wished(policy: Policy) -> bool:
    """Whether the county wishes anything at all."""
    return any(weight(wish, policy) for wish in WISHES)


def cost_of(figures: Iterable[WishFigure]) -> int:
    """The weighted sum of the values; the smaller, the better."""
    return sum(figure.cost for figure in figures)


__all__ = ["WISHES", "Cause", "Wish", "WishFigure", "cost_of", "wished", "wishes_of"]
