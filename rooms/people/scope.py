"""Scope: a role held at a node of the organisation reaches the whole subtree below it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rooms.people.permissions import Permission, Role, permissions_of
from rooms.store import Actor


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a node of the tree. `path` is the node's (``/1/4/9/``).

    `counties` are the codes of the counties at or below the node (of a school: its county). `schools` is None where the
    node is a county or above: every school; else the codes of the school and its teaching points.
    """

    role: Role
    org_id: int
    path: str
    counties: frozenset[str]
    schools: frozenset[str] | None = None

    def covers(self, county: str | None, school: str | None) -> bool:
        """Whether the subtree contains the county, or the school of it. Without a school, the whole county is meant."""
        if county is None:
            return True
        if county not in self.counties:
            return False
        return self.schools is None or (school is not None and school in self.schools)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who stands behind a request: a person's account or a classroom's device, with the roles held."""

    kind: Literal["account", "device"]
    id: int
    login: str
    """The account's login; ``device-<id>`` for a device."""
    name: str
    grants: tuple[Grant, ...]
    language: str | None = None
    must_change_password: bool = False
    teacher: tuple[str, str] | None = None
    """County and code of the teacher this account belongs to."""
    room: tuple[str, str, str | None] | None = None
    """County, school and room code of a device."""

    def may(self, permission: Permission, *, county: str | None = None, school: str | None = None) -> bool:
        """Whether a role held allows this there: in the whole county, in one school of it, or (neither given) anywhere."""
        return any(permission in permissions_of(g.role) and g.covers(county, school) for g in self.grants)

    def may_at(self, permission: Permission, path: str) -> bool:
        """Whether a role held allows this at a node of the tree, given by its path."""
        return any(permission in permissions_of(g.role) and path.startswith(g.path) for g in self.grants)

    def may_for_all(self, permission: Permission) -> bool:
        """Whether a role held allows this at a county or above: what concerns the whole server is no matter of a single school."""
        return any(permission in permissions_of(g.role) and g.schools is None for g in self.grants)

    def sees_county(self, county: str) -> bool:
        """Whether any role held reaches into the county, be it one school of it."""
        return any(county in g.counties for g in self.grants)

    def sees_school(self, county: str, school: str) -> bool:
        """Whether any role held reaches the school."""
        return any(g.covers(county, school) for g in self.grants)

    def counties(self, permission: Permission) -> tuple[str, ...]:
        """Codes of the counties where this is allowed for the county as a whole, sorted."""
        found = {
            c for g in self.grants if g.schools is None and permission in permissions_of(g.role) for c in g.counties
        }
        return tuple(sorted(found))

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held, wherever."""
        return frozenset(g.role for g in self.grants)

    @property
    def home_county(self) -> str | None:
        """The one county all roles lie in; None for who reaches further. Its auditors see what this principal does."""
        within = {county for grant in self.grants for county in grant.counties}
        return next(iter(within)) if len(within) == 1 else None

    def actor(self, address: str = "", role: Role | None = None) -> Actor:
        """As the audit log names this principal; `role` where one of several is acted in."""
        if self.kind == "device":
            return Actor(f"device:{self.id}", "device", address)
        return Actor(f"account:{self.login}", role or "+".join(sorted(self.roles)) or "none", address)
