"""The bureau's figures: each is the number of rows a rule picks, so the rows behind it are never in doubt.

Both sides everywhere (开课 for the lead, 听课 for receivers and members). The definition of a figure is the message
``verdict.figure_<key>_definition``, its name ``verdict.figure_<key>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.reports.rows import Period, Scope, SideRow


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure. `value` is the number of its rows; `of` is the key of the figure it is a share of, `whole` that figure's value."""

    key: str
    value: int
    of: str | None
    whole: int | None


FIGURE_KEYS: tuple[str, ...] = (
    "planned_lead",
    "due_lead",
    "done_lead",
    "invalid_lead",
    "excused_lead",
    "unexcused_lead",
    "unjudged_lead",
    "on_time_lead",
    "planned_receive",
    "due_receive",
    "done_receive",
    "invalid_receive",
    "excused_receive",
    "unexcused_receive",
    "unjudged_receive",
    "on_time_receive",
    "planned_points",
    "due_points",
    "done_points",
)
"""``…_points``: receiving sides of teaching points (教学点)."""


async def figures(session: AsyncSession, scope: Scope, period: Period, now: datetime) -> dict[str, Figure]:
    """All figures by key, in the order of `FIGURE_KEYS`."""
    raise NotImplementedError


async def figure_rows(
    session: AsyncSession, key: str, scope: Scope, period: Period, now: datetime
) -> list[SideRow]:
    """The rows behind a figure; their number is its value. Raises `KeyError` for a key that is not in `FIGURE_KEYS`."""
    raise NotImplementedError


async def figures_by_school(
    session: AsyncSession, scope: Scope, period: Period, now: datetime
) -> dict[str, dict[str, Figure]]:
    """School code → its figures; every school of the scope has a line, also one without a lesson."""
    raise NotImplementedError
