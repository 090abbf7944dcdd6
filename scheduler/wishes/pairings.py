"""W3: few schools for each school to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

from scheduler.problem import Meeting, Pair
from scheduler.wishes.base import Cause, Scene, Wish, codes_of


class FewPairings(Wish):
    """W3: pairs of a lead and a receiving school that delivery uses. Agreements that stand unused are not counted."""

    code: ClassVar[str] = "W3"
    key: ClassVar[str] = "wish_few_pairings"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        used: dict[Pair, list[Meeting]] = defaultdict(list)
        for meeting in scene.delivery:
            for school in {scene.problem.classes[code].school for code in meeting.classes}:
                used[Pair(scene.lead_school(meeting), school)].append(meeting)
        for pair, meetings in sorted(used.items(), key=lambda item: len(item[1])):
            facts = {"lead": pair.lead_school, "school": pair.receive_school, "meetings": len(meetings)}
            yield Cause(1, facts, codes_of(meetings))
