"""What a receiving school has nobody for: one to three subjects lose their teacher, and their lessons become needs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from rooms.county import Need, Teacher
from rooms.generating.ground import Site
from rooms.generating.shape import LOST, MOST_LOST
from rooms.generating.week import Taught, Week
from scheduler.problem import ALL_WEEKS

STAYS = 0.5
"""Chance that one of several teachers of a lost subject stays."""


def lose(site: Site, week: Week, random: Random) -> tuple[Week, list[Need]]:
    """The week without those who left, and the needs that follow from it."""
    if not site.profile.receives:
        return week, []
    lost = _lost(week.lessons, random)
    gone = [lesson for lesson in week.lessons if (lesson.subject, lesson.teacher) in lost]
    kept = tuple(lesson for lesson in week.lessons if (lesson.subject, lesson.teacher) not in lost)
    teachers = tuple(_who_stays(week.teachers, lost))
    here = {teacher.code for teacher in teachers}
    duties = {code: slots for code, slots in week.duties.items() if code in here}
    return Week(teachers, kept, duties), _needs(site, gone, random)


def _lost(lessons: Iterable[Taught], random: Random) -> set[tuple[str, str]]:
    """Subject and teacher, for one to three subjects; where several teach one, the last may stay."""
    teachers: dict[str, set[str]] = defaultdict(set)
    for lesson in lessons:
        if lesson.subject in LOST:
            teachers[lesson.subject].add(lesson.teacher)
    taught, subjects = sorted(teachers), set[str]()
    number = min(len(taught), random.choice((1, 2, 2, 3, MOST_LOST)))
    while len(subjects) < number:
        subjects.add(random.choices(taught, [LOST[subject] for subject in taught])[0])
    lost: set[tuple[str, str]] = set()
    for subject in sorted(subjects):
        leave = sorted(teachers[subject])
        if len(leave) > 1 and random.random() < STAYS:
            leave.pop()
        lost |= {(subject, teacher) for teacher in leave}
    return lost


def _who_stays(teachers: Iterable[Teacher], lost: set[tuple[str, str]]) -> Iterator[Teacher]:
    """Who taught nothing else has left; the others no longer teach it."""
    for teacher in teachers:
        subjects = {name: grades for name, grades in teacher.subjects.items() if (name, teacher.code) not in lost}
        if subjects:
            yield replace(teacher, subjects=subjects)


def _needs(site: Site, gone: Sequence[Taught], random: Random) -> list[Need]:
    """As many lessons as were lost; small places and subjects of which nothing is taught come before others."""
    halves: Counter[tuple[str, str]] = Counter()
    for lesson in gone:
        halves[lesson.group, lesson.subject] += 2 if lesson.weeks == ALL_WEEKS else 1
    return [
        Need(group, subject, number, _priority(site, subject, random))
        for (group, subject), number in sorted(halves.items())
    ]


def _priority(site: Site, subject: str, random: Random) -> int:
    """4 to 7, the teaching points and the larger subjects first."""
    small = site.profile.kind == "teaching_point"
    minor = subject in ("handwriting", "it") and random.random() < 0.6
    return 5 + small + (random.random() < 0.25) - minor
