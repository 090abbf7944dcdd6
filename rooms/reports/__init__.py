"""The bureau's figures over a scope and a period; every figure opens the rows that make it.

`figures` → key → `Figure`; `figure_rows` → the `SideRow`s whose number is the figure's value. The quota, the weekly hours,
participation and the exception lists carry the ids of the lessons behind each of their numbers.
"""

from __future__ import annotations

from rooms.reports.concerns import Concern, exceptions
from rooms.reports.figures import FIGURE_KEYS, Figure, figure_rows, figures, figures_by_school
from rooms.reports.hours import CoverageLine, coverage_table
from rooms.reports.participation import Participation, Reach, participation, reach
from rooms.reports.quotas import QuotaLine, quota_rows, quota_table
from rooms.reports.rows import Period, Scope, SideRow, side_rows

__all__ = [
    "FIGURE_KEYS",
    "Concern",
    "CoverageLine",
    "Figure",
    "Participation",
    "Period",
    "QuotaLine",
    "Reach",
    "Scope",
    "SideRow",
    "coverage_table",
    "exceptions",
    "figure_rows",
    "figures",
    "figures_by_school",
    "participation",
    "quota_rows",
    "quota_table",
    "reach",
    "side_rows",
]
