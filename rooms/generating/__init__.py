"""Made-up counties by seed and size: hard to plan as real ones are, and synthetic down to the last name.

What real timetables have in common is drawn anew here: bells that differ by minutes, teachers whose free periods lie unevenly,
teaching points with one room and combined grades, and needs that are the lessons of a teacher who left.
"""

from __future__ import annotations

from rooms.generating.county import generated
from rooms.generating.shape import SIZES, SizeName

__all__ = ["SIZES", "SizeName", "generated"]
