"""The whole made-up county."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random

from config.demo.places import HOURS
from config.demo.timetable import Slot
from rooms import county as c
from rooms.generating.arrangements import TERM_START, TERM_WEEKS, calendar, communities, courses, pairings
from rooms.generating.bells import FRIDAY, table
from rooms.generating.gaps import lose
from rooms.generating.ground import Site, sites
from rooms.generating.names import Names
from rooms.generating.shape import SIZES, SizeName
from rooms.generating.week import Taught, Week, week_of

POLICY = {"max_partners_per_lead": 10, "max_partners_per_receiver": 3, "require_assistant": 1}
PLAN = "P2022"
JOINT = "pe"
"""What two classes of a grade are taught together where their lessons fall into one period."""
IN_LEAD_ROOM, OFTEN = frozenset({"music", "art", "science"}), 0.08
"""Subjects that a lead school teaches in a recording room now and then, and the part of their lessons."""
DAY_OF_SCHOOL = (10, 10)
"""Minutes that a school is open before its first and after its last period."""


def generated(seed: int, size: SizeName) -> c.County:
    """The county of this seed and size: a pure function. Nobody and nothing in it exists."""
    random = Random(f"{size}/{seed}")  # noqa: S311 # made-up data, not a secret
    shape, names = SIZES[size], Names(random)
    ground = sites(shape, random, names)
    weeks: list[Week] = []
    needs: list[c.Need] = []
    first = 1
    for site in ground:
        week = week_of(site, random, names, first)
        first += len(week.teachers)
        kept, lacking = lose(site, week, random)
        weeks.append(kept)
        needs += lacking
    teachers = tuple(teacher for week in weeks for teacher in week.teachers)
    return c.County(
        code=f"G{size[0].upper()}{seed}",
        name=f"{names.county}·虚构{seed}",
        term_start=TERM_START,
        term_end=TERM_START + timedelta(weeks=TERM_WEEKS, days=-3),
        city="虚构市",
        province="虚构省",
        curriculum_plan=PLAN,
        schools=tuple(site.school for site in ground),
        bells=_bells(ground),
        rooms=tuple(room for site in ground for room in site.rooms),
        teachers=teachers,
        classes=tuple(group for site in ground for group in site.classes),
        lessons=_lessons(ground, weeks, random),
        unavailabilities=_absences(ground, weeks),
        curriculum=tuple(
            c.CurriculumHours(PLAN, subject, grade, lessons * 2)
            for subject, hours in HOURS.items()
            for grade, lessons in enumerate(hours, 1)
            if lessons
        ),
        needs=tuple(needs),
        communities=tuple(communities(shape.communities, ground, teachers, random)),
        courses=tuple(courses(shape.courses, ground, teachers, random)),
        pairings=tuple(pairings(shape.pairings, ground, _subjects_lacking(needs, ground), random)),
        calendar=tuple(calendar()),
        policy_values=POLICY,
    )


def _bells(ground: Sequence[Site]) -> tuple[c.Bell, ...]:
    tables = {site.school.bell_code: (site.family, site.halves) for site in ground}
    return tuple(bell for code in sorted(tables) for bell in table(*tables[code]))


def _subjects_lacking(needs: Iterable[c.Need], ground: Sequence[Site]) -> dict[str, set[str]]:
    """School → subjects it has nobody for."""
    school_of = {group.code: group.school_code for site in ground for group in site.classes}
    found: dict[str, set[str]] = defaultdict(set)
    for need in needs:
        found[school_of[need.class_code]].add(need.subject)
    return found


# ---------------------------------------------------------------- lessons


def _lessons(ground: Sequence[Site], weeks: Sequence[Week], random: Random) -> tuple[c.LocalLesson, ...]:
    rows = count(1)
    return tuple(
        c.LocalLesson(next(rows), site.school.code, groups, subject, day, str(period), teacher or None, room, parity)
        for site, week in zip(ground, weeks, strict=True)
        for groups, subject, (day, period), teacher, room, parity in _of_school(site, week, random)
    )


_Row = tuple[tuple[str, ...], str, Slot, str, str | None, int]


def _of_school(site: Site, week: Week, random: Random) -> Iterator[_Row]:
    """The lessons in order of time; some are joint, some are held in a recording room."""
    rooms = [room.code for room in site.rooms if room.can_lead]
    used: set[tuple[Slot, str]] = set()
    for together in _joint(site, week):
        first, room = together[0], None
        if rooms and first.subject in IN_LEAD_ROOM and random.random() < OFTEN:
            drawn = random.choice(rooms)
            room = None if (first.slot, drawn) in used else drawn
            used.add((first.slot, drawn))
        yield tuple(lesson.group for lesson in together), first.subject, first.slot, first.teacher, room, first.weeks


def _joint(site: Site, week: Week) -> Iterable[list[Taught]]:
    """Every lesson alone, but for those that two neighbouring classes of a grade have together."""
    pair = {group.code: (min(group.grades), place // 2) for place, group in enumerate(site.classes)}
    found: dict[tuple[object, ...], list[Taught]] = defaultdict(list)
    for lesson in sorted(week.lessons, key=lambda lesson: (lesson.slot, lesson.group)):
        whose: object = pair[lesson.group] if lesson.subject == JOINT else lesson.group
        found[lesson.slot, lesson.weeks, lesson.subject, whose].append(lesson)
    return found.values()


# ---------------------------------------------------------------- absences


def _absences(ground: Sequence[Site], weeks: Sequence[Week]) -> tuple[c.Unavailability, ...]:
    found = [away for site in ground for away in _closed(site)]
    for week in weeks:
        for teacher, slots in week.duties.items():
            for period in sorted({period for _, period in slots}):
                days = frozenset(day for day, number in slots if number == period)
                found.append(c.Unavailability(0, "teacher", teacher, days, str(period), reason="其他教学任务"))
    return tuple(_numbered(found))


def _closed(site: Site) -> Iterator[c.Unavailability]:
    """Before the first, over noon and after the last period nobody of a school meets anybody."""
    windows: dict[tuple[int, int, str], set[int]] = defaultdict(set)
    before, after = DAY_OF_SCHOOL
    bells = list(table(site.family, site.halves))
    for weekday in range(1, FRIDAY + 1):
        day = [(bell.start, bell.end) for bell in bells if bell.weekday == weekday]
        morning, afternoon = day[: site.halves[0]], day[site.halves[0] :]
        windows[0, day[0][0] - before, "未到校"].add(weekday)
        windows[morning[-1][1] + after, afternoon[0][0] - before, "午休"].add(weekday)
        windows[day[-1][1] + 30, 1439, "放学后"].add(weekday)
    for (start, end, reason), days in windows.items():
        yield c.Unavailability(0, "school", site.school.code, frozenset(days), "", start, end, reason=reason)


def _numbered(rows: Iterable[c.Unavailability]) -> Iterator[c.Unavailability]:
    for number, row in enumerate(rows, 1):
        yield replace(row, row=number)
