"""What is wished of a plan beyond the hard rules, and beyond its service: a number, and the meetings that make it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from scheduler.problem import ClassCode, Meeting, Plan, Policy, Problem, SchoolCode, Subject

Unit = Literal["halves", "times"]


class Scene:
    """A plan before its wishes: who meets whom. Meetings that name somebody the problem no longer knows are left out."""

    def __init__(self, problem: Problem, plan: Plan, previous: Plan | None = None) -> None:
        self.problem, self.previous = problem, previous
        self.meetings = [meeting for meeting in plan.meetings if problem.knows(meeting)]
        self.delivery = [meeting for meeting in self.meetings if meeting.family == "delivery"]
        self.by_need: dict[tuple[ClassCode, Subject], list[Meeting]] = defaultdict(list)
        for meeting in self.delivery:
            for code in meeting.classes:
                self.by_need[code, meeting.subject].append(meeting)

    def lead_school(self, meeting: Meeting) -> SchoolCode:
        return self.problem.teachers[meeting.lead_teacher].school


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is not as wished: how much it counts, whose it is, and the codes of the meetings to look at.

    `facts` fill the places of the sentence ``rules.<wish>_cause`` of the catalogue.
    """

    count: int
    facts: Mapping[str, object]
    meetings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WishFigure:
    """How far a plan is from one wish; the smaller, the better."""

    code: str
    """``W1`` …"""
    key: str
    """The policy key of its weight."""
    unit: Unit
    """What `value` counts: halves of lessons, or single cases."""
    value: int
    weight: int
    """0: the county does not wish it."""
    causes: tuple[Cause, ...]

    @property
    def cost(self) -> int:
        """What it adds to the cost of the plan."""
        return self.value * self.weight

    @property
    def meetings(self) -> tuple[str, ...]:
        """The codes of all meetings that make it, each once."""
        return tuple(dict.fromkeys(code for cause in self.causes for code in cause.meetings))


class Wish(ABC):
    """One soft rule of docs/PLANNING.md."""

    code: ClassVar[str]
    """``W1`` …"""
    key: ClassVar[str]
    """The field of `Policy` that holds its weight."""
    unit: ClassVar[Unit] = "times"

    @abstractmethod
    def causes(self, scene: Scene) -> Iterator[Cause]:
        """Everything that is not as wished; the value of the wish is the sum of the counts."""

    def figure(self, scene: Scene) -> WishFigure:
        causes = tuple(sorted(self.causes(scene), key=lambda cause: -cause.count))
        value = sum(cause.count for cause in causes)
        return WishFigure(self.code, self.key, self.unit, value, weight(self, scene.problem.policy), causes)


def weight(wish: Wish | type[Wish], policy: Policy) -> int:
    """The county's weight of a wish; 0 where it is switched off."""
    value: int = getattr(policy, wish.key)
    return value


def codes_of(meetings: Sequence[Meeting]) -> tuple[str, ...]:
    return tuple(meeting.code for meeting in meetings)
