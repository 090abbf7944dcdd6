"""Missing lessons, and what would help most, as JSON and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rooms.tables import PlanUnmet
from scheduler.problem import Advice, ClassCode, Fact, Place, Slot, Subject, Unmet

PLACE, FORBIDS = "place", "forbids"
"""Keys beside the reason's own facts."""


def unmet_row(plan_id: int, lack: Unmet) -> dict[str, Any]:
    """A row for `PlanUnmet`."""
    facts = dict(lack.facts)
    if lack.place is not None:
        facts[PLACE] = asdict(lack.place)
        facts[FORBIDS] = [asdict(fact) for fact in lack.forbids]
    return {
        "plan_id": plan_id,
        "class_code": lack.school_class,
        "subject": lack.subject,
        "missing_halves": lack.missing_halves,
        "reason": lack.reason,
        "facts": facts,
    }


def unmet_of(row: PlanUnmet) -> Unmet:
    """What `unmet_row` was made from."""
    facts = {key: value for key, value in row.facts.items() if key not in (PLACE, FORBIDS)}
    place = row.facts.get(PLACE)
    return Unmet(
        ClassCode(row.class_code),
        Subject(row.subject),
        row.missing_halves,
        row.reason,
        facts,
        None if place is None else Place(**_slotted(place)),
        tuple(Fact(**_slotted(fact)) for fact in row.facts.get(FORBIDS, ())),
    )


def advice_rows(advice: Iterable[Advice]) -> list[dict[str, Any]]:
    """For a version's summary."""
    return [asdict(each) for each in advice]


def advice_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Advice, ...]:
    """What `advice_rows` was made from."""
    return tuple(
        Advice(
            Fact(**_slotted(row["fact"])),
            tuple((ClassCode(code), Subject(subject), halves) for code, subject, halves in row["lessons"]),
            row["weighted"],
            row["minutes"],
        )
        for row in rows
    )


def _slotted(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows a slot as a list."""
    slot = values.get("slot")
    return {**values, "slot": None if slot is None else Slot(*slot)}
