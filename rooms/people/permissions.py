"""What each role may do. The one table; a route names a permission, never a role.

The three administrators stand apart (三员分立): the operator keeps accounts and devices but sees no figures, the auditor
reads figures and log but changes nothing, the planner plans but neither judges nor keeps accounts.
"""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["planner", "lead_teacher", "auditor", "operator", "device"]
ROLES: tuple[Role, ...] = get_args(Role)
ACCOUNT_ROLES: tuple[Role, ...] = ("planner", "lead_teacher", "auditor", "operator")
"""Roles an account can hold; ``device`` belongs to enrolled devices alone."""

Permission = Literal[
    "county.read",  # schools, rooms, teachers, classes as imported
    "county.import",
    "plan.read",
    "plan.run",
    "plan.publish",
    "timetable.read",
    "lesson.change",  # cancel, excuse, add a make-up lesson
    "lesson.teach",  # open, hold and end one's own lessons
    "lesson.join",  # receive a lesson in a classroom, sign in, head-count
    "lesson.watch",  # see who is there in a running lesson, without media
    "recording.watch",  # every recording of the county, beside those of one's own lessons
    "recording.remove",  # withdraw a recording, or destroy one that somebody else has withdrawn
    "report.read",
    "audit.read",
    "people.read",
    "people.change",  # accounts, devices, assistants
    "system.read",
    "system.change",  # empty a relay worker; of a county or above
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_TABLE: dict[Role, frozenset[Permission]] = {
    "planner": frozenset(
        {
            "county.read",
            "county.import",
            "plan.read",
            "plan.run",
            "plan.publish",
            "timetable.read",
            "lesson.change",
            "lesson.watch",
            "recording.watch",
            "recording.remove",
        }
    ),
    "lead_teacher": frozenset({"timetable.read", "lesson.teach"}),
    "auditor": frozenset(
        {"county.read", "timetable.read", "lesson.watch", "recording.watch", "report.read", "audit.read"}
    ),
    "operator": frozenset({"people.read", "people.change", "recording.remove", "system.read", "system.change"}),
    "device": frozenset({"timetable.read", "lesson.join"}),
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """What a role may do within its subtree."""
    return _TABLE[role]
