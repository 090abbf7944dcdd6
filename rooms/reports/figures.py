"""The bureau's figures: each is the number of rows a rule picks, so the rows behind it are never in doubt.

Both sides everywhere (开课 for the lead, 听课 for receivers and members). The definition of a figure is the message
``verdict.figure_<key>_definition``, its name ``verdict.figure_<key>``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.reports.rows import Period, Scope, SideRow, schools_of, side_rows

Rule = Callable[[SideRow], bool]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure. `value` is the number of its rows; `of` is the key of the figure it is a share of, `whole` that figure's value."""

    key: str
    value: int
    of: str | None
    whole: int | None

    @property
    def percent(self) -> float | None:
        """The share in percent, or None where there is no whole, or an empty one: nothing due is not 0 %."""
        return 100 * self.value / self.whole if self.whole else None


def _leads(row: SideRow) -> bool:
    return row.side == "lead"


def _attends(row: SideRow) -> bool:
    return row.side != "lead"


def _at_point(row: SideRow) -> bool:
    return _attends(row) and row.school_kind == "teaching_point"


def _due(row: SideRow) -> bool:
    return row.due


def _done(row: SideRow) -> bool:
    return row.done


def _planned(row: SideRow) -> bool:
    return True


def _judged(verdict: str) -> Rule:
    return lambda row: row.verdict == verdict


def _unjudged(row: SideRow) -> bool:
    return row.due and row.verdict in (None, "UNJUDGED")


def _on_time(row: SideRow) -> bool:
    return row.done and not row.late and not row.early_leave


_SIDES: Mapping[str, Rule] = {"lead": _leads, "receive": _attends, "points": _at_point}
_RULES: Mapping[str, tuple[Rule, str | None]] = {
    "planned": (_planned, None),
    "due": (_due, "planned"),
    "done": (_done, "due"),
    "invalid": (_judged("INVALID"), "due"),
    "excused": (_judged("EXCUSED"), "planned"),
    "unexcused": (_judged("UNEXCUSED"), "due"),
    "unjudged": (_unjudged, "due"),
    "on_time": (_on_time, "done"),
}
FIGURE_KEYS: tuple[str, ...] = (
    *(f"{name}_{side}" for side in ("lead", "receive") for name in _RULES),
    *(f"{name}_points" for name in ("planned", "due", "done")),
)
"""``…_points``: receiving sides of teaching points (教学点)."""


_SEEN = attrgetter("side", "school_kind", "due", "verdict", "late", "early_leave")
"""All that a rule looks at: of a term's hundred thousand rows some dozens differ in it."""


def rule_of(key: str) -> Rule:
    """Which rows a figure counts. Raises `KeyError` for a key that is not in `FIGURE_KEYS`."""
    if key not in FIGURE_KEYS:
        raise KeyError(key)
    name, _, side = key.rpartition("_")
    of_side, of_name = _SIDES[side], _RULES[name][0]
    return lambda row: of_side(row) and of_name(row)


def figures_of(rows: Iterable[SideRow]) -> dict[str, Figure]:
    """All figures of some rows by key, in the order of `FIGURE_KEYS`."""
    alike: dict[object, list[SideRow]] = {}
    for row in rows:
        alike.setdefault(_SEEN(row), []).append(row)
    values = {key: sum(len(some) for some in alike.values() if rule_of(key)(some[0])) for key in FIGURE_KEYS}
    found: dict[str, Figure] = {}
    for key, value in values.items():
        name, _, side = key.rpartition("_")
        whole = _RULES[name][1]
        of = f"{whole}_{side}" if whole else None
        found[key] = Figure(key, value, of, values[of] if of else None)
    return found


async def figures(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> dict[str, Figure]:
    """All figures by key, in the order of `FIGURE_KEYS`."""
    return await asyncio.to_thread(figures_of, await side_rows(session, scope, period, now))


async def figure_rows(session: AsyncSession, key: str, scope: Scope, period: Period, now: datetime) -> list[SideRow]:
    """The rows behind a figure; their number is its value. Raises `KeyError` for a key that is not in `FIGURE_KEYS`."""
    rule = rule_of(key)
    return await asyncio.to_thread(list, filter(rule, await side_rows(session, scope, period, now)))


async def figures_by_school(
    session: AsyncSession, scope: Scope, period: Period, now: datetime
) -> dict[str, dict[str, Figure]]:
    """School code → its figures; every school of the scope has a line, also one without a lesson."""
    codes = [school.code for school in await schools_of(session, scope)]
    return await asyncio.to_thread(_by_school, codes, await side_rows(session, scope, period, now))


def _by_school(codes: Iterable[str], rows: Iterable[SideRow]) -> dict[str, dict[str, Figure]]:
    found: dict[str, list[SideRow]] = {code: [] for code in codes}
    for row in rows:
        found.setdefault(row.school_code, []).append(row)
    return {code: figures_of(of_school) for code, of_school in found.items()}
