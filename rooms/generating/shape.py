"""How many schools of which kind a county of each size has, and what is drawn for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rooms.county import SchoolKind, SchoolRole, Stage

SizeName = Literal["small", "medium", "large"]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is drawn for the schools of one kind. Ranges include both ends; shares are of the periods of a week."""

    kind: SchoolKind
    role: SchoolRole
    stages: tuple[Stage, ...]
    title: str
    """What the name of such a school ends with."""
    classes: tuple[int, int]
    halves_of_day: tuple[tuple[int, int], ...]
    """Periods in the morning and in the afternoon, drawn with equal chances."""
    lessons: Range
    """Weekly lessons of a class, before a subject is lost."""
    load: tuple[float, float, float]
    """Lessons of a teacher: least, most and most likely share."""
    recording: tuple[int, int] = (0, 0)
    receiving: tuple[int, int] = (0, 0)
    combined: float = 0.0
    """Chance that a class combines two grades."""
    own_room: float = 1.0
    """Chance that a class takes part in one of the school's receiving rooms, and not in its classroom."""

    @property
    def leads(self) -> bool:
        return self.role in ("lead", "both")

    @property
    def receives(self) -> bool:
        return self.role in ("receive", "both")


_BUSY, _LIGHT = (0.03, 0.95, 0.3), (0.05, 0.6, 0.2)
_LEADING = ((4, 2), (4, 2), (4, 3), (4, 4))
_SMALL = ((3, 2), (4, 2), (4, 3), (4, 3))
PROFILES: Mapping[str, Profile] = {
    "strong": Profile(
        "strong", "lead", ("primary",), "实验小学", (12, 20), _LEADING, (27, 31), _BUSY, recording=(2, 3)
    ),
    "strong_junior": Profile(
        "strong", "lead", ("junior",), "第一初级中学", (12, 18), _LEADING, (28, 32), _BUSY, recording=(2, 3)
    ),
    "central": Profile(
        "central_primary", "lead", ("primary",), "中心小学", (11, 15), _LEADING, (26, 30), _BUSY, recording=(2, 3)
    ),
    "both": Profile(
        "central_primary",
        "both",
        ("primary",),
        "中心小学",
        (12, 15),
        _LEADING,
        (24, 29),
        _BUSY,
        recording=(2, 2),
        receiving=(1, 2),
    ),
    "nine_lead": Profile(
        "nine_year",
        "lead",
        ("primary", "junior"),
        "九年一贯制学校",
        (15, 18),
        _LEADING,
        (28, 32),
        _BUSY,
        recording=(2, 3),
    ),
    "nine": Profile(
        "nine_year",
        "receive",
        ("primary", "junior"),
        "九年一贯制学校",
        (9, 9),
        _SMALL,
        (17, 28),
        _LIGHT,
        receiving=(1, 2),
    ),
    "junior": Profile(
        "junior",
        "receive",
        ("junior",),
        "初级中学",
        (4, 8),
        ((3, 2), (4, 2), (4, 3), (4, 4)),
        (18, 30),
        _LIGHT,
        receiving=(1, 1),
        own_room=0.5,
    ),
    "village": Profile(
        "village_primary", "receive", ("primary",), "小学", (4, 6), _SMALL, (15, 28), _LIGHT, receiving=(1, 1)
    ),
    "point": Profile(
        "teaching_point",
        "receive",
        ("primary",),
        "教学点",
        (1, 3),
        ((3, 2), (4, 2), (4, 2), (4, 3)),
        (17, 25),
        (0.9, 1.0, 1.0),
        receiving=(1, 1),
        combined=0.9,
    ),
    "senior": Profile("senior", "none", ("senior",), "高级中学", (6, 6), ((4, 2),), (28, 30), _LIGHT),
}
"""`point` loads are those of teachers who take a whole class."""


@dataclass(frozen=True, slots=True)
class Size:
    """A county's schools by the name of their profile, its towns, and the number of its other arrangements."""

    schools: Mapping[str, int]
    towns: int
    communities: int
    courses: int
    pairings: int


SIZES: Mapping[SizeName, Size] = {
    "small": Size({"strong": 1, "nine_lead": 1, "village": 2, "point": 3, "junior": 1}, 2, 2, 1, 2),
    "medium": Size(
        {
            "strong": 3,
            "strong_junior": 1,
            "central": 1,
            "both": 1,
            "nine_lead": 1,
            "nine": 1,
            "village": 11,
            "point": 8,
            "junior": 4,
        },
        4,
        4,
        3,
        4,
    ),
    "large": Size(
        {
            "strong": 9,
            "strong_junior": 5,
            "central": 4,
            "both": 3,
            "nine_lead": 4,
            "nine": 4,
            "village": 52,
            "point": 44,
            "junior": 20,
            "senior": 1,
        },
        16,
        8,
        5,
        10,
    ),
}

LOST: Mapping[str, float] = {"art": 5, "music": 4, "science": 3.5, "handwriting": 3, "english": 1.5, "it": 2}
"""Subjects that a receiving school may have nobody for, by likelihood: those with few lessons, and English."""
MOST_LOST = 3
