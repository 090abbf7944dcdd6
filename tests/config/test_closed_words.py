"""Words whose last part is a value of the domain: every value has its word."""

from __future__ import annotations

from typing import get_args

import pytest

from api.access import THEMES
from api.planner.what_if import KINDS, POLICIES
from config.words import catalogue
from rooms.county import RoomKind, SchoolKind, SchoolRole
from rooms.people.permissions import ROLES
from rooms.planning.shifts import Change
from scheduler.outcome import Phase
from scheduler.problem import WEEK_NAMES, FactKind, Family, PlanStatus

CLOSED: dict[str, tuple[str, ...]] = {
    "common.role_": ROLES,
    "common.desk_": ("planner", "teacher", "classroom", "bureau", "operator"),
    "common.family_": get_args(Family),
    "common.weeks_": tuple(WEEK_NAMES.values()),
    "common.kind_": get_args(SchoolKind),
    "common.school_role_": get_args(SchoolRole),
    "common.theme_": THEMES,
    "common.state_": ("planned", "ready", "live", "ended", "judged", "cancelled"),
    "common.verdict_": ("valid", "invalid", "excused", "unexcused", "unjudged"),
    "common.side_": ("lead", "receiver", "member"),
    "planner.room_": get_args(RoomKind),
    "planner.status_": get_args(PlanStatus),
    "planner.run_phase_": get_args(Phase),
    "compare.shift_": get_args(Change),
    "whatif.kind_": KINDS,
    "whatif.code_": KINDS,
    "whatif.policy_": POLICIES,
    "rollover.group_": tuple(f"h{number}" for number in range(1, 14)),
    "planner.plan_state_": ("draft", "published", "superseded", "what_if"),
}


@pytest.mark.parametrize("prefix", CLOSED)
def test_every_value_of_the_domain_has_its_word(prefix: str) -> None:
    assert [value for value in CLOSED[prefix] if f"{prefix}{value}" not in catalogue("zh_CN")] == []


def test_every_reason_of_an_unmet_lesson_has_a_short_name_and_a_sentence() -> None:
    codes = [
        "no_teacher", "no_lead_room", "class_never_free", "assistants_never_free", "no_common_window", "teacher_too_few",
        "school_full", "no_receivers_allowed", "not_verified", "run_ended",
    ]  # fmt: skip
    wanted = [f"planner.reason_{code}" for code in (*codes, *get_args(FactKind), "several")]
    wanted += [f"plan.{code}" for code in codes] + [f"plan.fact_{kind}" for kind in get_args(FactKind)]
    assert [key for key in wanted if key not in catalogue("zh_CN")] == []
