"""Who may do what: accounts, roles, sessions, sign-in links, classroom devices and their assistants."""

from __future__ import annotations

from rooms.people.permissions import Permission, Role
from rooms.people.scope import Grant, Principal

__all__ = ["Grant", "Permission", "Principal", "Role"]
