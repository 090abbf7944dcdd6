"""Which desk is whose: the pages a person's roles lead to, the first of which is home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rooms.people.permissions import Permission
from rooms.people.scope import Principal

DeskName = Literal["planner", "teacher", "classroom", "bureau", "operator"]


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk and its address; `name` is what ``common.desk_<name>`` puts into words."""

    name: DeskName
    url: str


def desks_of(principal: Principal | None) -> tuple[Desk, ...]:
    """The desks of a principal, home first. With one county in reach the address leads straight into it."""
    if principal is None:
        return ()
    every: list[tuple[DeskName, Permission, str]] = [
        ("planner", "plan.run", _within(principal, "plan.run", "/planner")),
        ("teacher", "lesson.teach", "/teach"),
        ("classroom", "lesson.join", "/classroom"),
        ("bureau", "report.read", _within(principal, "report.read", "/bureau")),
        ("operator", "people.change", "/operator"),
    ]
    return tuple(Desk(name, url) for name, permission, url in every if principal.may(permission))


def _within(principal: Principal, permission: Permission, base: str) -> str:
    counties = principal.counties(permission)
    return f"{base}/{counties[0]}" if len(counties) == 1 else base
