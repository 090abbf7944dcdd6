"""What joins the schools of a county beside its lessons: communities, network courses, agreements that stand, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from rooms.county import CalendarDay, Community, DayKind, NetworkCourse, Pairing, SchoolClass, Stage, Teacher
from rooms.generating.ground import Site
from scheduler.problem import ALL_WEEKS, EVEN, ODD

STUDIOS: tuple[tuple[str, Stage], ...] = (
    ("chinese", "primary"), ("maths", "primary"), ("music", "primary"), ("english", "primary"), ("english", "junior"),
    ("science", "primary"), ("maths", "junior"), ("art", "primary"),
)  # fmt: skip
COURSES = (
    ("science", "科学探究", (4, 5, 6), 2),
    ("art", "美术鉴赏", (4, 5, 6), 2),
    ("music", "合唱与欣赏", (4, 5, 6), 2),
    ("history", "家乡历史", (7, 8, 9), 1),
    ("moral", "法治讲堂", (4, 5, 6), 2),
)
"""Subject, title, grades and weekly lessons."""
AUDIENCE = 60
TERM_START = date(2026, 9, 7)
TERM_WEEKS = 20
DAYS: tuple[tuple[int, int, DayKind, int | None, str], ...] = (
    *((4, weekday, "holiday", None, "国庆假期·虚构") for weekday in (4, 5, 6, 7)),
    *((5, weekday, "holiday", None, "国庆假期·虚构") for weekday in (1, 2, 3)),
    (3, 7, "makeup", 4, "国庆调休上班·虚构"),
    (5, 6, "makeup", 5, "国庆调休上班·虚构"),
    (9, 4, "exam", None, "期中测查·虚构"),
    (20, 4, "exam", None, "期末测查·虚构"),
)  # fmt: skip
"""Week and weekday of the term, kind, the weekday a make-up day follows, note."""


def communities(number: int, sites: Sequence[Site], teachers: Sequence[Teacher], random: Random) -> list[Community]:
    """Studios of a lead school's teacher with eight to sixteen members from anywhere; every third meets in half of the weeks."""
    profile = {site.school.code: site.profile for site in sites}
    found = []
    for place, (subject, stage) in enumerate(STUDIOS[:number], 1):
        those = [t for t in teachers if subject in t.subjects and stage in profile[t.school_code].stages]
        hosts = [teacher for teacher in those if profile[teacher.school_code].leads]
        host = random.choice(hosts or those)
        others = [teacher.code for teacher in those if teacher is not host]
        members = random.sample(others, min(len(others), random.randint(8, 16)))
        weeks = random.choice((ODD, EVEN)) if place % 3 == 2 else ALL_WEEKS
        found.append(
            Community(f"M{place:02}", f"{host.name}名师工作室", subject, stage, host.code, tuple(members), weeks)
        )
    return found


def courses(number: int, sites: Sequence[Site], teachers: Sequence[Teacher], random: Random) -> list[NetworkCourse]:
    """Courses of lead schools for classes of receiving schools."""
    leads = {site.school.code for site in sites if site.profile.leads}
    classes = [group for site in sites if site.profile.role == "receive" for group in site.classes]
    found: list[NetworkCourse] = []
    for subject, title, grades, lessons in COURSES:
        hosts = [t for t in teachers if t.school_code in leads and set(grades) <= t.subjects.get(subject, frozenset())]
        audience = [group for group in classes if group.grades <= set(grades)]
        if hosts and audience and len(found) < number:
            code = f"N{len(found) + 1:02}"
            who = _drawn(audience, random)
            found.append(
                NetworkCourse(
                    code,
                    f"名校网络课堂·{title}",
                    subject,
                    frozenset(grades),
                    random.choice(hosts).code,
                    lessons * 2,
                    who,
                )
            )
    return found


def _drawn(audience: Sequence[SchoolClass], random: Random) -> tuple[str, ...]:
    return tuple(sorted(group.code for group in random.sample(audience, min(len(audience), AUDIENCE))))


def pairings(number: int, sites: Sequence[Site], needs: dict[str, set[str]], random: Random) -> list[Pairing]:
    """Agreements that stand between a lead and a receiving school, over what the latter lacks; the first is locked."""
    leads = [site for site in sites if site.profile.role == "lead"]
    found: dict[str, Pairing] = {}
    for school in random.sample(sorted(needs), min(len(needs), number)):
        stages = next(site.profile.stages for site in sites if site.school.code == school)
        fitting = [site.school.code for site in leads if set(stages) <= set(site.profile.stages)]
        if fitting:
            found[school] = Pairing(random.choice(fitting), school, tuple(sorted(needs[school])), locked=not found)
    return sorted(found.values(), key=lambda pairing: (pairing.lead_school_code, pairing.receive_school_code))


def calendar() -> list[CalendarDay]:
    return [
        CalendarDay(TERM_START + timedelta(weeks=week - 1, days=weekday - 1), kind, follows, note)
        for week, weekday, kind, follows, note in sorted(DAYS, key=lambda day: day[:2])
    ]
