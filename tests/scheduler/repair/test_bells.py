"""A bell table that changes: meetings keep their period, and what no longer fits is moved by the repair."""

from __future__ import annotations

from dataclasses import replace

from scheduler.check import check
from scheduler.problem import School, Slot
from scheduler.repair import follow_bells
from scheduler.repair.mend import repair
from tests.scheduler.small import LEAD, OTHER, WEAK, county, meeting, plan

WINTER = dict.fromkeys(range(1, 6), ((490, 530), (540, 580), (610, 655)))


def test_meetings_stay_in_their_periods() -> None:
    before = county()
    after = county(
        schools={
            LEAD: School(LEAD, True, False, WINTER),
            WEAK: School(WEAK, False, True, WINTER),
            OTHER: School(OTHER, False, True, WINTER),
        },
        lessons=(replace(before.lessons[0], slot=Slot(1, 490, 530)),),
    )
    whole = meeting(code="M1")
    part = meeting(day=3, start=605, end=645, classes=("V3",), code="M2")
    hosted = meeting(day=1, code="M3", classes=("W3b",), host_lesson=1)
    made = plan(before, whole, part, hosted)
    assert check(before, made) == []
    followed = follow_bells(made, before, after)
    windows = [(found.slot.start, found.slot.end) for found in followed.meetings]
    assert windows == [(490, 530), (615, 655), (490, 530)]
    mended = repair(after, followed)
    assert (mended.moved, check(after, mended.plan)) == (0, [])


def test_a_period_that_is_gone_leaves_the_meeting_to_the_repair() -> None:
    before = county()
    short = dict.fromkeys(range(1, 6), ((480, 520), (530, 570)))
    after = replace(before, schools={**before.schools, LEAD: School(LEAD, True, False, short)})
    made = plan(before, meeting(start=605, end=645, code="M1"))
    followed = follow_bells(made, before, after)
    assert followed == made
    mended = repair(after, followed)
    assert [change.reason for change in mended.changes if change.before] == ["rule_h5_outside"]
    assert check(after, mended.plan) == []
