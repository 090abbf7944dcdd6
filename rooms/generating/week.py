"""The week of one school: who teaches what, when, and when its teachers are held by other duties."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from config.demo.places import HOURS
from config.demo.timetable import Slot, Timetable, Unit
from rooms.county import STAGE_GRADES, SchoolClass, Teacher
from rooms.generating.ground import Site
from rooms.generating.names import Names
from rooms.generating.shape import LOST
from scheduler.problem import ALL_WEEKS, EVEN, ODD

SENIOR_HOURS = (5, 5, 4, 2, 0, 1, 2, 1, 1, 0, 0, 2, 2, 2, 2, 2)
"""Of the subjects of `HOURS`, in every senior grade."""
TITLES = ("二级教师", "一级教师", "高级教师", "学科带头人", "名师")
SECOND = 0.3
"""Chance that a lead school's teacher is qualified for a subject beside those taught."""
UNLISTED = 0.05
"""Chance that a teaching point lists no teachers."""
HALF_WEEKS = 0.03
"""Part of the lessons that are held in odd or even weeks alone."""
FREE = (0.03, 0.6, 0.3)
"""Periods in which a lead school's teacher is free: least, most and most likely share of the week."""
MORE, LESS = (1.0, 2.2), (0.6, 1.2)
"""How much more or less than the plan a school teaches of the subjects it may lose, and of the others."""
MOST = 5
"""Weekly lessons of a subject that may be lost: more could not be met, with one on a weekday."""
Held = Mapping[str, Sequence[Slot]]


@dataclass(frozen=True, slots=True)
class Taught:
    """One weekly lesson of a class."""

    group: str
    subject: str
    teacher: str
    """Empty: nobody is listed."""
    slot: Slot
    weeks: int = ALL_WEEKS


@dataclass(frozen=True, slots=True)
class Week:
    """The whole week of a school, before a subject is lost."""

    teachers: tuple[Teacher, ...]
    lessons: tuple[Taught, ...]
    duties: Held
    """Teacher → periods held by other duties."""


def week_of(site: Site, random: Random, names: Names, first_teacher: int) -> Week:
    """Staffs a school and fills its week; teachers are numbered from `first_teacher` on."""
    units, staff = _staff(site, _wanted(site, random), random, first_teacher)
    filled = Timetable(site.slots, random, {}, not site.profile.leads).fill(units)
    lessons = [
        Taught(group, unit.subject, unit.teacher, slot, _weeks(unit.subject, random))
        for (group, slot), unit in sorted(filled.items())
    ]
    duties = _duties(site, lessons, random) if site.profile.leads else {}
    if site.profile.kind == "teaching_point" and random.random() < UNLISTED:
        return Week((), tuple(replace(lesson, teacher="") for lesson in lessons), {})
    teachers = [_teacher(site, code, taught, random, names) for code, taught in staff.items()]
    return Week(tuple(teachers), tuple(lessons), duties)


# ---------------------------------------------------------------- lessons and staff


def hours_of(group: SchoolClass) -> dict[str, int]:
    """Weekly lessons of a full week by subject: of a combined class, the largest of its grades'."""
    grades = sorted(group.grades)
    if grades[0] > 9:
        return {subject: hours for subject, hours in zip(HOURS, SENIOR_HOURS, strict=True) if hours}
    asked = {subject: max(hours[grade - 1] for grade in grades) for subject, hours in HOURS.items()}
    return {subject: hours for subject, hours in asked.items() if hours}


def _wanted(site: Site, random: Random) -> dict[str, dict[str, int]]:
    """Class → subject → weekly lessons: the plan's hours, scaled to what such a school really teaches."""
    most = len(site.slots) - 1
    target = min(most, random.uniform(*site.profile.lessons))
    habit = {subject: random.uniform(*(MORE if subject in LOST else LESS)) for subject in HOURS}
    found = {}
    for group in site.classes:
        hours = {subject: lessons * habit[subject] for subject, lessons in hours_of(group).items()}
        found[group.code] = _scaled(hours, target, random)
    return found


def _scaled(hours: dict[str, float], target: float, random: Random) -> dict[str, int]:
    """Hours that sum up to about the target; every subject keeps at least one lesson."""
    part = target / sum(hours.values())
    scaled = {subject: max(1, int(value * part + random.random())) for subject, value in hours.items()}
    scaled.update({subject: min(MOST, lessons) for subject, lessons in scaled.items() if subject in LOST})
    while sum(scaled.values()) > target:
        largest = max(scaled, key=lambda subject: (scaled[subject], subject))
        scaled[largest] -= 1
    return scaled


def _staff(
    site: Site, wanted: dict[str, dict[str, int]], random: Random, first: int
) -> tuple[list[Unit], dict[str, dict[str, set[int]]]]:
    """Every lesson with its teacher, and teacher → subject → grades taught.

    Subject after subject the classes are handed out until a teacher has enough, so that some teach two subjects; at a teaching
    point a teacher takes a whole class.
    """
    whole_class = site.profile.kind == "teaching_point"
    by_subject = sorted({subject for hours in wanted.values() for subject in hours})
    random.shuffle(by_subject)
    posts = [(group.code, subject) for group in site.classes for subject in by_subject]
    if not whole_class:
        posts.sort(key=lambda post: by_subject.index(post[1]))
    grades = {group.code: group.grades for group in site.classes}
    units: list[Unit] = []
    staff: dict[str, dict[str, set[int]]] = {}
    teacher, left, whose = "", 0.0, ""
    for group, subject in posts:
        lessons = wanted[group].get(subject, 0)
        if not lessons:
            continue
        if left < lessons or (whole_class and whose != group):
            whose = group
            teacher = f"T{first + len(staff):05}"
            left = max(lessons, len(site.slots) * random.triangular(*site.profile.load))
            staff[teacher] = defaultdict(set)
        left -= lessons
        staff[teacher][subject] |= grades[group]
        units.extend([Unit(group, subject, teacher)] * lessons)
    return units, staff


def _teacher(site: Site, code: str, taught: dict[str, set[int]], random: Random, names: Names) -> Teacher:
    """Qualified for what is taught, and now and then for one subject more; some have limits of their own."""
    subjects = {subject: _qualified(site, grades, random) for subject, grades in taught.items()}
    if site.profile.leads and random.random() < SECOND:
        extra = random.choices(list(LOST), list(LOST.values()))[0]
        subjects.setdefault(extra, _qualified(site, set().union(*taught.values()), random))
    limited = site.profile.leads and random.random() < 0.33
    return Teacher(
        code=code,
        school_code=site.school.code,
        name=names.person(random),
        subjects=dict(sorted(subjects.items())),
        title=random.choice(TITLES),
        cohorts=random.choice(((), (), (), ("rural",), ("young",), ("new",))),
        max_remote_per_week=random.choice((4, 6, 8, 12)) if limited else None,
        max_remote_per_day=random.choice((1, 2, 2, 4)) if limited else None,
    )


def _qualified(site: Site, grades: set[int], random: Random) -> frozenset[int]:
    """The whole stage, or the grades taught and their neighbours."""
    stage = {grade for name in site.profile.stages for grade in STAGE_GRADES[name] if grades & set(STAGE_GRADES[name])}
    near = range(min(grades) - 1, max(grades) + 2)
    return frozenset(stage if random.random() < 0.65 else stage & set(near))


def _weeks(subject: str, random: Random) -> int:
    if subject in ("chinese", "maths", "english") or random.random() >= HALF_WEEKS:
        return ALL_WEEKS
    return random.choice((ODD, EVEN))


# ---------------------------------------------------------------- duties


def _duties(site: Site, lessons: Iterable[Taught], random: Random) -> Held:
    """Research, other classes, half days away: runs of periods, heaped on some days, until few enough are free."""
    busy: dict[str, set[Slot]] = defaultdict(set)
    for lesson in lessons:
        busy[lesson.teacher].add(lesson.slot)
    found = {}
    for teacher, held in busy.items():
        open_ = [slot for slot in site.slots if slot not in held]
        free = round(len(site.slots) * random.triangular(*FREE))
        taken = _runs(open_, max(0, len(open_) - free), random)
        if taken:
            found[teacher] = taken
    return found


def _runs(slots: Sequence[Slot], number: int, random: Random) -> list[Slot]:
    """So many of the slots, in runs of one to four on days that are not equally likely."""
    left = list(slots)
    likely = Counter({day: random.uniform(0.2, 1.0) ** 2 for day in range(1, 6)})
    taken: list[Slot] = []
    while left and len(taken) < number:
        start = random.choices(left, [likely[day] for day, _ in left])[0]
        for period in range(start[1], start[1] + random.randint(1, 4)):
            if (start[0], period) in left and len(taken) < number:
                left.remove((start[0], period))
                taken.append((start[0], period))
    return sorted(taken)
