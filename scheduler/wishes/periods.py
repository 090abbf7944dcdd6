"""W6: a lesson costs its receivers one period, not two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.windows import periods_touched
from scheduler.wishes.base import Cause, Scene, Wish


class OnePeriodLost(Wish):
    """W6: classes that lose parts of two of their own periods to one meeting, counted once a meeting (H5 allows it)."""

    code: ClassVar[str] = "W6"
    key: ClassVar[str] = "wish_one_period"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        problem = scene.problem
        for meeting in scene.meetings:
            losing = tuple(
                code
                for code in meeting.classes
                if periods_touched(problem.schools[problem.classes[code].school], meeting.slot) > 1
            )
            if losing:
                yield Cause(len(losing), {"classes": losing, "slot": meeting.slot}, (meeting.code,))
