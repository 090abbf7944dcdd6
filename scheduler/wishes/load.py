"""W1: lead teachers share the work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import ClassVar

from scheduler.problem import Meeting, Problem, Subject, TeacherCode
from scheduler.wishes.base import Cause, Scene, Unit, Wish, codes_of

MEETING = 2
"""Halves of a meeting in every week: a share is rounded up to whole meetings."""


def could_lead(problem: Problem) -> dict[Subject, list[TeacherCode]]:
    """Subject → the teachers of leading schools who are qualified for it and may have remote meetings at all."""
    found: dict[Subject, list[TeacherCode]] = defaultdict(list)
    for teacher in problem.teachers.values():
        if problem.schools[teacher.school].leads and teacher.week_limit and teacher.day_limit:
            for subject in teacher.subjects:
                found[subject].append(teacher.code)
    return found


def fair_share(total: int, teachers: int) -> int:
    """Halves that each of so many teachers leads where all share alike, rounded up to whole meetings."""
    return -(-total // (MEETING * teachers)) * MEETING if teachers else total


def fair_shares(problem: Problem, totals: Mapping[Subject, int]) -> dict[TeacherCode, int]:
    """Teacher → the fair share of the busiest of their subjects, in halves a week."""
    shares: dict[TeacherCode, int] = defaultdict(int)
    for subject, teachers in could_lead(problem).items():
        share = fair_share(totals.get(subject, 0), len(teachers))
        for code in teachers:
            shares[code] = max(shares[code], share)
    return shares


class EvenLoad(Wish):
    """W1: what lead teachers lead a week beyond their fair share, in halves, over all families of meetings.

    The fair share of a subject is all that is led in it, divided among all who could lead it. A teacher of several subjects
    is measured by the busiest of them.
    """

    code: ClassVar[str] = "W1"
    key: ClassVar[str] = "wish_even_load"
    unit: ClassVar[Unit] = "halves"

    def causes(self, scene: Scene) -> Iterator[Cause]:
        totals: dict[Subject, int] = defaultdict(int)
        led: dict[TeacherCode, list[Meeting]] = defaultdict(list)
        for meeting in scene.meetings:
            totals[meeting.subject] += meeting.slot.halves
            led[meeting.lead_teacher].append(meeting)
        shares = fair_shares(scene.problem, totals)
        for teacher, meetings in led.items():
            load, share = sum(meeting.slot.halves for meeting in meetings), shares.get(teacher, 0)
            if load > share:
                facts = {"teacher": teacher, "load": load / 2, "share": share / 2}
                yield Cause(load - share, facts, codes_of(meetings))
