"""Repairs of a standing plan when one teacher falls ill: how long they take, and whether fewer meetings could have moved."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from random import Random
from statistics import median, quantiles

from rooms.benching.rows import Number, Target, at_least, at_most
from rooms.planning.files import lessons
from scheduler.check import check
from scheduler.problem import Plan, Problem, Slot, TeacherCode, Unavailability
from scheduler.repair.mend import repair

MEDIAN_SECONDS, PROVED_PCT = 1.0, 95.0
"""What is aimed at: the median at most, and of all cases, those with a proved minimum at least."""
WHOLE_DAY = (0, 24 * 60)


@dataclass(frozen=True, slots=True)
class Case:
    """One ill teacher."""

    teacher: TeacherCode
    led: int
    """Meetings that the teacher led."""
    forced: int
    moved: int
    proved: bool
    seconds: float
    served_weighted: Number
    lost_weighted: Number
    """What the illness costs in weighted lessons, after the repair."""
    violations: int


def ill(problem: Problem, teacher: TeacherCode) -> Problem:
    """The county without one teacher, for good."""
    away = tuple(Unavailability("teacher", teacher, Slot(weekday, *WHOLE_DAY)) for weekday in range(1, 8))
    return replace(problem, unavailabilities=problem.unavailabilities + away)


def drawn(plan: Plan, number: int, seed: int) -> list[TeacherCode]:
    """So many of the teachers who lead a meeting, each once before one comes again."""
    leading = sorted({meeting.lead_teacher for meeting in plan.meetings})
    Random(seed).shuffle(leading)  # noqa: S311 # which cases are tried, nothing secret
    return list(islice(cycle(leading), number)) if leading else []


def cases(problem: Problem, plan: Plan, teachers: Sequence[TeacherCode]) -> Iterator[Case]:
    """Repairs the plan for each teacher's illness alone; the judge's time is not counted."""
    for teacher in teachers:
        without = ill(problem, teacher)
        began = time.monotonic()
        mended = repair(without, plan, before=problem)
        seconds = time.monotonic() - began
        yield Case(
            teacher=teacher,
            led=sum(meeting.lead_teacher == teacher for meeting in plan.meetings),
            forced=mended.forced,
            moved=mended.moved,
            proved=mended.proved,
            seconds=round(seconds, 3),
            served_weighted=lessons(mended.plan.served_weighted),
            lost_weighted=lessons(plan.served_weighted - mended.plan.served_weighted),
            violations=len(check(without, mended.plan)),
        )


def targets_of(found: Sequence[Case]) -> tuple[Target, ...]:
    """What the cases show."""
    taken = [case.seconds for case in found]
    proved = 100 * sum(case.proved for case in found) / len(found) if found else None
    return (
        at_most("repair, median, s", MEDIAN_SECONDS, round(median(taken), 3) if taken else None),
        at_least("proved minimal, %", PROVED_PCT, None if proved is None else round(proved, 1)),
        at_most("violations", 0, sum(case.violations for case in found) if found else None),
    )


def p95(found: Sequence[Case]) -> float | None:
    """The time that 95 of 100 cases stay within, in seconds."""
    if len(found) < 2:
        return found[0].seconds if found else None
    return round(quantiles((case.seconds for case in found), n=20, method="inclusive")[-1], 3)
