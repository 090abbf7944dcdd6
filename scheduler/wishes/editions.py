"""W4: nobody sits beside others with a textbook that nobody has named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scheduler.wishes.base import Cause, Scene, Wish


class EditionsKnown(Wish):
    """W4: classes of unknown textbook edition in meetings of several receivers. Not looked at where editions need not agree."""

    code: ClassVar[str] = "W4"
    key: ClassVar[str] = "wish_editions_known"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        if not scene.problem.policy.match_edition:
            return
        for meeting in scene.delivery:
            if len(meeting.classes) > 1:
                editions = [scene.problem.classes[code].editions.get(meeting.subject, "") for code in meeting.classes]
                unknown = tuple(code for code, edition in zip(meeting.classes, editions, strict=True) if not edition)
                if unknown:
                    facts = {"subject": meeting.subject, "classes": unknown}
                    yield Cause(len(unknown), facts, (meeting.code,))
