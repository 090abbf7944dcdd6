"""A bell table that changes: a meeting stays in its period, whatever the clock says then."""

from __future__ import annotations

from dataclasses import replace

from scheduler.problem import Meeting, Plan, Problem, Slot
from scheduler.windows import shortest


def follow_bells(standing: Plan, before: Problem, after: Problem) -> Plan:
    """The standing plan on the new clock: meetings of lead schools whose bells changed keep weekday, period and weeks.

    A window that was its whole period becomes the whole new one; a shorter one keeps its distance from the begin of the
    period as far as it fits. A meeting whose period is gone stays where it was, for a repair to move.
    """
    return replace(standing, meetings=tuple(_followed(meeting, before, after) for meeting in standing.meetings))


def _followed(meeting: Meeting, before: Problem, after: Problem) -> Meeting:
    if meeting.family == "master" or meeting.lead_teacher not in after.teachers:
        return meeting
    if meeting.host_lesson is not None:
        lesson = after.lesson_by_row.get(meeting.host_lesson)
        return meeting if lesson is None else replace(meeting, slot=lesson.slot._replace(weeks=meeting.slot.weeks))
    slot = meeting.slot
    old = before.schools[before.teachers[meeting.lead_teacher].school].periods.get(slot.weekday, ())
    new = after.schools[after.teachers[meeting.lead_teacher].school].periods.get(slot.weekday, ())
    if old == new:
        return meeting
    for place, (start, end) in enumerate(old[: len(new)]):
        if start <= slot.start and slot.end <= end:
            return replace(meeting, slot=_inside(slot, (start, end), new[place], after))
    return meeting


def _inside(slot: Slot, old: tuple[int, int], new: tuple[int, int], after: Problem) -> Slot:
    if (slot.start, slot.end) == old:
        return slot._replace(start=new[0], end=new[1])
    length = min(max(slot.end - slot.start, shortest(new, after.policy)), new[1] - new[0])
    start = min(new[0] + slot.start - old[0], new[1] - length)
    return slot._replace(start=start, end=start + length)
