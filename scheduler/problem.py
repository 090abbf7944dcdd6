"""The county as the planner sees it, and the plan it gives back.

Everything is a frozen value. Times of day are whole minutes since local midnight, windows are half-open ``[start, end)``;
weekdays are 1 (Monday) to 7; weeks are a bit set of `ODD` and `EVEN`. Quantities of lessons are counted in *halves*
(a meeting in every week counts 2, one in odd or even weeks counts 1), so that no sum is ever a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, NewType

SchoolCode = NewType("SchoolCode", str)
RoomCode = NewType("RoomCode", str)
TeacherCode = NewType("TeacherCode", str)
ClassCode = NewType("ClassCode", str)
Subject = NewType("Subject", str)
LessonRow = NewType("LessonRow", int)

Minute = int
Family = Literal["delivery", "master", "network"]

ODD, EVEN = 1, 2
ALL_WEEKS = ODD | EVEN
WEEK_NAMES: Mapping[int, str] = {ALL_WEEKS: "all", ODD: "odd", EVEN: "even"}
WEEK_BITS: Mapping[str, int] = {name: bits for bits, name in WEEK_NAMES.items()}

RULES_VERSION = "formats-h1-h13/1"


class Slot(NamedTuple):
    """A window on one weekday in some weeks."""

    weekday: int
    start: Minute
    end: Minute
    weeks: int = ALL_WEEKS

    def clashes(self, other: Slot) -> bool:
        """Whether the two windows share a minute, on the same weekday, in a common week."""
        return (
            self.weekday == other.weekday
            and self.start < other.end
            and other.start < self.end
            and bool(self.weeks & other.weeks)
        )

    @property
    def halves(self) -> int:
        """What one meeting in this slot counts: 2 in all weeks, 1 in odd or even weeks."""
        return 2 if self.weeks == ALL_WEEKS else 1


@dataclass(frozen=True, slots=True)
class Policy:
    """The county's switches; keys and defaults of ``policy.csv``."""

    max_receivers: int = 3
    max_partners_per_lead: int = 6
    max_partners_per_receiver: int = 2
    one_lesson_per_day: bool = True
    match_edition: bool = True
    require_assistant: bool = False
    allow_synchronous: bool = True
    min_common_minutes: int = 40
    max_remote_per_week: int = 10
    max_remote_per_day: int = 3
    wish_even_load: int = 1
    """This and the following: weights of the soft rules W1 … W6 (`scheduler.wishes`); 0 switches one off."""
    wish_days_apart: int = 2
    wish_few_pairings: int = 4
    wish_editions_known: int = 1
    wish_few_moves: int = 4
    wish_one_period: int = 1


@dataclass(frozen=True, slots=True)
class School:
    code: SchoolCode
    leads: bool
    """Role ``lead`` or ``both``."""
    receives: bool
    """Role ``receive`` or ``both``."""
    periods: Mapping[int, tuple[tuple[Minute, Minute], ...]]
    """Weekday → its teaching periods in order of time."""


@dataclass(frozen=True, slots=True)
class Room:
    code: RoomCode
    school: SchoolCode
    can_lead: bool
    max_receivers: int | None


@dataclass(frozen=True, slots=True)
class Teacher:
    code: TeacherCode
    school: SchoolCode
    subjects: Mapping[Subject, frozenset[int]]
    """Subject → grades; a bare subject is already spread over the grades of the school."""
    week_limit: int
    day_limit: int


@dataclass(frozen=True, slots=True)
class SchoolClass:
    code: ClassCode
    school: SchoolCode
    grades: frozenset[int]
    receiving_room: RoomCode | None
    editions: Mapping[Subject, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A local lesson; `row` is its data row in ``lessons.csv``, the first being 1."""

    row: LessonRow
    school: SchoolCode
    classes: tuple[ClassCode, ...]
    subject: Subject
    slot: Slot
    teacher: TeacherCode | None
    room: RoomCode | None


@dataclass(frozen=True, slots=True)
class Unavailability:
    """One resource, one window. That of a school holds all its teachers, rooms and classes."""

    resource: Literal["teacher", "room", "class", "school"]
    code: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Need:
    school_class: ClassCode
    subject: Subject
    halves: int
    priority: int = 5


@dataclass(frozen=True, slots=True)
class Community:
    code: str
    subject: Subject
    host: TeacherCode
    members: tuple[TeacherCode, ...]
    weeks: int = ALL_WEEKS
    length: Minute = 60
    min_attendance_pct: float = 50


@dataclass(frozen=True, slots=True)
class NetworkCourse:
    code: str
    subject: Subject
    lead_teacher: TeacherCode
    halves: int
    audience: tuple[ClassCode, ...]
    length: Minute | None = None
    """None: as long as the period of the lead school."""


class Pair(NamedTuple):
    lead_school: SchoolCode
    receive_school: SchoolCode


@dataclass(frozen=True, slots=True)
class StandingPairing:
    """An agreement that already stands."""

    pair: Pair
    subjects: frozenset[Subject]
    locked: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """One row of the plan: a lead teacher, a lead room and a window, with those who attend."""

    code: str
    family: Family
    subject: Subject
    lead_teacher: TeacherCode
    lead_room: RoomCode
    slot: Slot
    classes: tuple[ClassCode, ...] = ()
    members: tuple[TeacherCode, ...] = ()
    ref: str = ""
    """Code of the community or network course; empty for delivery."""
    host_lesson: LessonRow | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A meeting that must stand in every plan; more receivers may join it. An activity is locked with all its meetings."""

    meeting: Meeting
    origin: Literal["manual", "automatic"] = "manual"
    overrides: frozenset[str] = frozenset()
    """Rules (``H3`` …) that a person overrode to place it anyway."""


@dataclass(frozen=True)
class Problem:
    """One county, ready to be planned."""

    code: str
    policy: Policy
    schools: Mapping[SchoolCode, School]
    rooms: Mapping[RoomCode, Room]
    teachers: Mapping[TeacherCode, Teacher]
    classes: Mapping[ClassCode, SchoolClass]
    lessons: tuple[Lesson, ...]
    unavailabilities: tuple[Unavailability, ...]
    needs: tuple[Need, ...]
    communities: tuple[Community, ...] = ()
    courses: tuple[NetworkCourse, ...] = ()
    pairings: tuple[StandingPairing, ...] = ()
    locks: tuple[Lock, ...] = ()
    """Wishes that bind: those that cannot stand together with the rules are passed over, see `scheduler.locked_meetings`."""

    @cached_property
    def lesson_by_row(self) -> Mapping[LessonRow, Lesson]:
        return {lesson.row: lesson for lesson in self.lessons}

    @cached_property
    def need_by_key(self) -> Mapping[tuple[ClassCode, Subject], Need]:
        return {(need.school_class, need.subject): need for need in self.needs}

    def qualified(self, teacher: TeacherCode, subject: Subject, school_class: ClassCode) -> bool:
        """H1: the subject, and at least one of the class's grades."""
        grades = self.teachers[teacher].subjects.get(subject, frozenset())
        return bool(grades & self.classes[school_class].grades)

    def knows(self, meeting: Meeting) -> bool:
        """Whether the county has everybody and every room that the meeting names."""
        return (
            meeting.lead_teacher in self.teachers
            and meeting.lead_room in self.rooms
            and all(code in self.classes for code in meeting.classes)
            and all(code in self.teachers for code in meeting.members)
        )


FactKind = Literal[
    "teacher_lesson", "class_lesson", "room_lesson",
    "teacher_away", "class_away", "room_away", "school_closed",
    "teacher_meeting", "class_meeting", "room_meeting",
    "lead_room", "seats", "edition", "week_limit", "day_limit", "partners_lead", "partners_receive",
    "assistants", "bells", "one_a_day", "other_teacher",
]  # fmt: skip
"""What can keep a lesson out of a place; each is a sentence ``plan.fact_…``."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that keeps a lesson out of a place. `scheduler.relax` can take exactly it away."""

    kind: FactKind
    code: str
    """What it is about: a local lesson's row, a meeting's code (an activity's own), an absence's place, a school, teacher or class."""
    who: str = ""
    """The teacher, class, room or school it holds."""
    subject: Subject = Subject("")
    slot: Slot | None = None
    number: int = 0
    """The limit that is reached, or who is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A seat that a missing lesson could have if nothing stood in its way."""

    teacher: TeacherCode
    school: SchoolCode
    slot: Slot
    joins: str = ""
    """Code of the delivery meeting it would join; empty where one would be opened."""
    host_lesson: LessonRow | None = None


@dataclass(frozen=True, slots=True)
class Unmet:
    """Lessons of a need that no meeting serves, and why.

    `reason` is a code of the ``plan`` catalogue, `facts` its places. `place` is the nearest seat, `forbids` the smallest set of facts
    that keep the lesson out of every seat: all of them would have to change.
    """

    school_class: ClassCode
    subject: Subject
    missing_halves: int
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)
    place: Place | None = None
    forbids: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """One change in the county, and what it brings on the finished plan; computed by making it."""

    fact: Fact
    """What would no longer hold; of kind ``bells``, the period that would begin at another time."""
    lessons: tuple[tuple[ClassCode, Subject, int], ...]
    """Class, subject and halves that could be had besides, everything else standing."""
    weighted: int
    """Their halves × priority."""
    minutes: Minute = 0
    """How much later the bell would ring; less than 0: earlier."""

    @property
    def halves(self) -> int:
        return sum(halves for _, _, halves in self.lessons)


@dataclass(frozen=True, slots=True)
class PlannedPair:
    pair: Pair
    subjects: frozenset[Subject]


PlanStatus = Literal["optimal", "feasible", "stopped"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A legal plan with its figures. Quantities in halves; weighted ones are halves × priority."""

    meetings: tuple[Meeting, ...]
    pairings: tuple[PlannedPair, ...]
    unmet: tuple[Unmet, ...]
    needed_halves: int
    served_halves: int
    needed_weighted: int
    served_weighted: int
    bound_weighted: int
    """A proven upper bound of `served_weighted`, over all plans of the problem."""
    seconds: float
    seed: int
    status: PlanStatus
    rules: str = RULES_VERSION
    advice: tuple[Advice, ...] = ()
    """The changes in the county that would help most, best first."""

    @property
    def gap(self) -> float:
        """(bound − served) / bound; 0 where nothing is asked for."""
        return (self.bound_weighted - self.served_weighted) / self.bound_weighted if self.bound_weighted else 0.0
