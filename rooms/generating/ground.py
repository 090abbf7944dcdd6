"""Towns and schools: who there is, where, with which classes, rooms and bells."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from random import Random

from rooms.county import STAGE_GRADES, Room, RoomKind, School, SchoolClass
from rooms.generating.bells import FAMILIES, LIKELY, Family, bell_code
from rooms.generating.names import Names
from rooms.generating.shape import PROFILES, Profile, Size

EDITIONS = {
    "music": ("人教", "湘艺", "苏少"),
    "art": ("人美", "湘美", "苏少"),
    "english": ("外研", "人教"),
    "science": ("教科", "苏教"),
    "handwriting": ("北师", "人美"),
    "it": ("浙教", "人教"),
}
"""Textbooks of a subject; most schools of a county use the first."""
EDITION_KNOWN = 0.85
"""Chance that a class's textbook of a subject is known."""
SECOND_ROOM = 0.3
"""Chance of a second receiving room in a village."""
UPLINKS = {"lead": (100, 200, 500), "receive": (10, 20, 50, 100)}


@dataclass(slots=True)
class Site:
    """A school with all that stands there."""

    profile: Profile
    school: School
    family: Family
    halves: tuple[int, int]
    classes: list[SchoolClass] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)

    @property
    def slots(self) -> list[tuple[int, int]]:
        """Weekday and period number of the whole week."""
        return [(day, period) for day in range(1, 6) for period in range(1, sum(self.halves) + 1)]


def sites(size: Size, random: Random, names: Names) -> list[Site]:
    """Every school, the leading ones first; teaching points and villages belong to one in their town."""
    towns = names.towns(size.towns)
    numbers = count(1)
    found: list[Site] = []
    for key, schools in size.schools.items():
        for place in range(schools):
            found.append(_site(f"S{next(numbers):03}", PROFILES[key], towns, place, random, names, found))
    for site in found:
        _furnish(site, random, names)
    return found


def _site(
    code: str, profile: Profile, towns: list[str], place: int, random: Random, names: Names, before: list[Site]
) -> Site:
    stage = "primary" if "primary" in profile.stages else "junior"
    family = random.choices(FAMILIES[stage], LIKELY[stage])[0]
    halves = random.choice(profile.halves_of_day)
    town = towns[0] if profile.kind == "strong" else towns[place % len(towns)]
    parent = _parent(profile, town, before, random)
    town = town if parent is None else parent.township
    school = School(
        code=code,
        name=names.school(town, profile),
        kind=profile.kind,
        role=profile.role,
        bell_code=bell_code(family, halves),
        parent_school_code=None if parent is None else parent.code,
        township=town,
        stages=profile.stages,
        uplink_mbps=random.choice(UPLINKS["lead" if profile.leads else "receive"]),
        contact_name=names.person(random),
    )
    return Site(profile, school, family, halves)


def _parent(profile: Profile, town: str, before: list[Site], random: Random) -> School | None:
    """The school that a village or a point belongs to: a large one of its town, or of another where it has none."""
    if profile.kind not in ("village_primary", "teaching_point"):
        return None
    large = [site.school for site in before if site.profile.kind in ("central_primary", "nine_year")]
    near = [school for school in large if school.township == town]
    return random.choice(near or large or [before[0].school])


def _furnish(site: Site, random: Random, names: Names) -> None:
    """Rooms and classes; the receiving rooms are shared in turn."""
    profile = site.profile
    extra = profile.kind == "village_primary" and random.random() < SECOND_ROOM
    for number in range(1, random.randint(*profile.recording) + 1):
        site.rooms.append(_room(site, f"R{number}", random.choice((2, 3, 3, 4)), random, names))
    for number in range(1, random.randint(*profile.receiving) + extra + 1):
        site.rooms.append(_room(site, f"V{number}", None, random, names))
    shared = [room.code for room in site.rooms if not room.can_lead]
    editions = {subject: random.choices(books, (6, 2, 1)[: len(books)])[0] for subject, books in EDITIONS.items()}
    for number, grades in enumerate(_grades(profile, random), 1):
        room = shared[number % len(shared)] if shared and random.random() < profile.own_room else None
        known = {subject: book for subject, book in editions.items() if random.random() < EDITION_KNOWN}
        code, size = f"{site.school.code}-C{number:02}", random.randint(*_sizes(profile, len(grades)))
        site.classes.append(SchoolClass(code, site.school.code, grades, size, room, known))


def _room(site: Site, code: str, seats: int | None, random: Random, names: Names) -> Room:
    """A recording room with so many seats for receivers, or (None) a receiving room."""
    leads = seats is not None
    level = random.choice(("L2", "L3", "L3", "L4") if leads else ("L0", "L1", "L1", "L2"))
    kind: RoomKind = "recording" if leads else "receiving"
    return Room(f"{site.school.code}-{code}", site.school.code, kind, leads, seats, level, names.person(random))


def _sizes(profile: Profile, grades: int) -> tuple[int, int]:
    if profile.kind == "teaching_point":
        return 3, 5 + 4 * grades
    return (12, 32) if profile.role == "receive" else (36, 48)


def _grades(profile: Profile, random: Random) -> list[frozenset[int]]:
    """The grades of every class: as evenly over the stages as their number allows, the youngest first."""
    number = random.randint(*profile.classes)
    if profile.combined:
        pairs = random.sample([(1, 2), (3, 4), (5, 6)], number) if number < 3 else [(1, 2), (3, 4), (5, 6)]
        return [frozenset(pair if random.random() < profile.combined else pair[:1]) for pair in sorted(pairs)]
    stage = [grade for stage in profile.stages for grade in STAGE_GRADES[stage]]
    return [frozenset({stage[place * len(stage) // max(number, len(stage))]}) for place in range(number)]
