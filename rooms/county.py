"""A county as its files describe it: one frozen value for every file, one field for every column.

This is the common form between import, store, planner and export. Codes are plain strings, times of day are minutes since local
midnight, `weeks` is the bit set of `scheduler.problem`, weekly lessons are counted in halves (2.5 lessons are 5). Tuples are in
the order of their codes, lessons and unavailabilities in the order of their rows, so that equal counties compare equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Any, Literal, get_args

from scheduler.problem import ALL_WEEKS, Minute, Policy

SchoolKind = Literal["strong", "central_primary", "village_primary", "teaching_point", "junior", "nine_year", "senior"]
SchoolRole = Literal["lead", "receive", "both", "none"]
Stage = Literal["primary", "junior", "senior"]
RoomKind = Literal["recording", "receiving"]
Resource = Literal["teacher", "room", "class", "school"]
DayKind = Literal["holiday", "makeup", "exam", "closed"]

STAGE_GRADES: Mapping[str, range] = {"primary": range(1, 7), "junior": range(7, 10), "senior": range(10, 13)}
POLICY_KEYS: tuple[str, ...] = tuple(column.name for column in fields(Policy))
POLICY_FLAGS = frozenset(column.name for column in fields(Policy) if isinstance(column.default, bool))
LARGEST = 1_000_000
"""The largest whole number that a county's files may hold."""
HEAVIEST = 100
"""The largest weight of a wish."""


@dataclass(frozen=True, slots=True)
class School:
    code: str
    name: str
    kind: SchoolKind
    role: SchoolRole
    bell_code: str
    parent_school_code: str | None = None
    township: str = ""
    stages: tuple[Stage, ...] = ()
    uplink_mbps: float | None = None
    contact_name: str = ""
    contact_phone: str = ""

    @property
    def leads(self) -> bool:
        return self.role in ("lead", "both")

    @property
    def receives(self) -> bool:
        return self.role in ("receive", "both")


@dataclass(frozen=True, slots=True)
class Bell:
    """One teaching period on one weekday."""

    bell_code: str
    weekday: int
    period: str
    start: Minute
    end: Minute
    label: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    code: str
    school_code: str
    kind: RoomKind
    can_lead: bool
    max_receivers: int | None = None
    """None: the policy alone decides."""
    level: str = ""
    custodian_name: str = ""
    custodian_phone: str = ""


@dataclass(frozen=True, slots=True)
class Teacher:
    code: str
    school_code: str
    name: str
    subjects: Mapping[str, frozenset[int]]
    """Subject → grades; empty where the file names the bare subject, which means every grade of the school."""
    title: str = ""
    cohorts: tuple[str, ...] = ()
    max_remote_per_week: int | None = None
    max_remote_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class SchoolClass:
    code: str
    school_code: str
    grades: frozenset[int]
    size: int
    receiving_room_code: str | None = None
    editions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalLesson:
    """A lesson of today's timetable. `row` is its data row in ``lessons.csv``, the first being 1; a plan's ``host_lesson`` names it."""

    row: int
    school_code: str
    class_codes: tuple[str, ...]
    subject: str
    weekday: int
    period: str
    teacher_code: str | None = None
    room_code: str | None = None
    weeks: int = ALL_WEEKS

    @property
    def halves(self) -> int:
        return 2 if self.weeks == ALL_WEEKS else 1


@dataclass(frozen=True, slots=True)
class Unavailability:
    """Either `period` is named, or `start` and `end` are given."""

    row: int
    resource: Resource
    code: str
    weekdays: frozenset[int]
    period: str = ""
    start: Minute | None = None
    end: Minute | None = None
    weeks: int = ALL_WEEKS
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CurriculumHours:
    plan_code: str
    subject: str
    grade: int
    halves: int


@dataclass(frozen=True, slots=True)
class Need:
    class_code: str
    subject: str
    halves: int
    priority: int = 5


@dataclass(frozen=True, slots=True)
class Community:
    code: str
    name: str
    subject: str
    stage: str
    host_teacher_code: str
    member_teacher_codes: tuple[str, ...]
    weeks: int = ALL_WEEKS
    length_min: int = 60
    min_attendance_pct: float = 50


@dataclass(frozen=True, slots=True)
class NetworkCourse:
    code: str
    title: str
    subject: str
    grades: frozenset[int]
    lead_teacher_code: str
    halves: int
    audience_class_codes: tuple[str, ...]
    length_min: int | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    lead_school_code: str
    receive_school_code: str
    subjects: tuple[str, ...] = ()
    locked: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDay:
    day: date
    kind: DayKind
    follows_weekday: int | None = None
    note: str = ""


@dataclass(frozen=True)
class County:
    """Everything the files of one county say."""

    code: str
    name: str
    term_start: date
    term_end: date
    city: str = ""
    province: str = ""
    curriculum_plan: str = ""
    timezone: str = "Asia/Shanghai"
    schools: tuple[School, ...] = ()
    bells: tuple[Bell, ...] = ()
    rooms: tuple[Room, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    classes: tuple[SchoolClass, ...] = ()
    lessons: tuple[LocalLesson, ...] = ()
    unavailabilities: tuple[Unavailability, ...] = ()
    curriculum: tuple[CurriculumHours, ...] = ()
    needs: tuple[Need, ...] | None = None
    """None: the file is absent, needs are computed (`rooms.gaps`)."""
    communities: tuple[Community, ...] = ()
    courses: tuple[NetworkCourse, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    policy_values: Mapping[str, int] = field(default_factory=dict)
    """Only the keys that the file gives."""
    policy_set: Mapping[str, int] = field(default_factory=dict)
    """What planners set here over the file; an import leaves it alone."""

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: what was set here, over what the file gives, over the defaults."""
        given: dict[str, Any] = {**self.policy_values, **self.policy_set}
        return Policy(**{key: bool(value) if key in POLICY_FLAGS else value for key, value in given.items()})

    @cached_property
    def school_by_code(self) -> Mapping[str, School]:
        return {school.code: school for school in self.schools}

    @cached_property
    def class_by_code(self) -> Mapping[str, SchoolClass]:
        return {school_class.code: school_class for school_class in self.classes}

    @cached_property
    def teacher_by_code(self) -> Mapping[str, Teacher]:
        return {teacher.code: teacher for teacher in self.teachers}

    @cached_property
    def room_by_code(self) -> Mapping[str, Room]:
        return {room.code: room for room in self.rooms}

    @cached_property
    def windows(self) -> Mapping[tuple[str, int, str], tuple[Minute, Minute]]:
        """(bell code, weekday, period) → its window."""
        return {(bell.bell_code, bell.weekday, bell.period): (bell.start, bell.end) for bell in self.bells}

    @cached_property
    def grades_of_school(self) -> Mapping[str, frozenset[int]]:
        """Every grade of a school: of its stages, or where these are not given, of its classes."""
        of_classes: dict[str, set[int]] = {}
        for school_class in self.classes:
            of_classes.setdefault(school_class.school_code, set()).update(school_class.grades)
        return {
            school.code: frozenset(grade for stage in school.stages for grade in STAGE_GRADES[stage])
            or frozenset(of_classes.get(school.code, ()))
            for school in self.schools
        }

    def grades_taught(self, teacher: Teacher, subject: str) -> frozenset[int]:
        """The grades in which a teacher may teach a subject; empty where the subject is not theirs."""
        if subject not in teacher.subjects:
            return frozenset()
        return teacher.subjects[subject] or self.grades_of_school[teacher.school_code]


def policy_range(key: str) -> tuple[int, int]:
    """The least and the greatest value of a policy key; a switch is 0 or 1."""
    if key in POLICY_FLAGS:
        return 0, 1
    if key.startswith("wish_"):
        return 0, HEAVIEST
    return (1, 480) if key == "min_common_minutes" else (0, LARGEST)


STAGES: tuple[Stage, ...] = get_args(Stage)
