"""W2: the lessons of one need lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import ClassVar

from scheduler.problem import Slot
from scheduler.wishes.base import Cause, Scene, Wish, codes_of


def close_by(one: Slot, two: Slot) -> bool:
    """Whether two lessons of one need fall on the same or on neighbouring weekdays of a common week."""
    return abs(one.weekday - two.weekday) <= 1 and bool(one.weeks & two.weeks)


def pairs_close_by(slots: Sequence[Slot]) -> int:
    return sum(close_by(one, two) for one, two in combinations(slots, 2))


class DaysApart(Wish):
    """W2: pairs of meetings of one need on the same or on neighbouring weekdays. Friday and Monday are no neighbours."""

    code: ClassVar[str] = "W2"
    key: ClassVar[str] = "wish_days_apart"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        for (school_class, subject), meetings in scene.by_need.items():
            count = pairs_close_by([meeting.slot for meeting in meetings])
            if count:
                slots = tuple(sorted(meeting.slot for meeting in meetings))
                facts = {"school_class": school_class, "subject": subject, "slots": slots}
                yield Cause(count, facts, codes_of(meetings))
