"""Random counties for properties: small, but with everything that makes a county hard.

Bells that differ between schools and weekdays, combined grades, shared rooms, half lessons, joint lessons and lessons without a teacher,
editions, tight limits, absences in some weeks, local lessons that could be shared, schools without teachers, communities that share
members, courses, locked agreements: every rule and every switch of the policy binds somewhere (test_judge.py holds that).
`random_county` is a pure function of its seed; `counties` is the same for Hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hypothesis import strategies as st

from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    ClassCode,
    Community,
    Lesson,
    LessonRow,
    Need,
    NetworkCourse,
    Pair,
    Policy,
    Problem,
    Room,
    RoomCode,
    School,
    SchoolClass,
    SchoolCode,
    Slot,
    StandingPairing,
    Subject,
    Teacher,
    TeacherCode,
    Unavailability,
)

SUBJECTS = tuple(map(Subject, ("music", "art", "science")))
BELLS = (
    ((480, 520), (530, 570), (600, 645), (840, 880)),
    ((490, 530), (540, 585), (610, 650), (830, 870)),
    ((480, 525), (535, 580), (600, 640)),
    ((480, 515), (520, 555), (560, 595), (600, 635)),
)


def random_county(seed: int, leads: int = 2, receivers: int = 3) -> Problem:
    """A county of so many lead and receiving schools; the last lead school receives as well now and then."""
    return _Maker(Random(seed), leads, receivers).problem()  # a seeded example


class _Maker:
    def __init__(self, random: Random, leads: int, receivers: int) -> None:
        self.random = random
        self.schools: dict[SchoolCode, School] = {}
        self.rooms: dict[RoomCode, Room] = {}
        self.teachers: dict[TeacherCode, Teacher] = {}
        self.classes: dict[ClassCode, SchoolClass] = {}
        self.lessons: list[Lesson] = []
        self.needs: list[Need] = []
        self.policy = Policy(
            max_receivers=random.choice((1, 2, 3)),
            max_partners_per_lead=random.choice((1, 2, 6)),
            max_partners_per_receiver=random.choice((1, 2)),
            one_lesson_per_day=random.random() < 0.8,
            match_edition=random.random() < 0.7,
            require_assistant=random.random() < 0.4,
            allow_synchronous=random.random() < 0.8,
            min_common_minutes=random.choice((40, 40, 35, 45)),
        )
        for number in range(leads):
            self._lead(number, receives=number == leads - 1 and random.random() < 0.4)
        for number in range(receivers):
            self._receiver(number)

    def _school(self, code: str, leads: bool, receives: bool) -> SchoolCode:
        bell, school = self.random.choice(BELLS), SchoolCode(code)
        periods = dict.fromkeys(range(1, self.random.choice((4, 6))), bell)
        if self.random.random() < 0.3:  # the last day ends earlier, and its last period comes sooner
            *first, (start, end) = bell
            periods[max(periods)] = (*first[:-1], (start - 15, end - 15))
        self.schools[school] = School(school, leads, receives, periods)
        return school

    def _lead(self, number: int, receives: bool) -> None:
        school = self._school(f"L{number}", True, receives)
        for room in range(self.random.randint(1, 2)):
            code = RoomCode(f"L{number}-R{room}")
            self.rooms[code] = Room(code, school, self.random.random() < 0.9, self.random.choice((None, 1, 2, 3)))
        for teacher in range(self.random.randint(2, 4)):
            self._teacher(f"L{number}-T{teacher}", school)
        self._class(f"L{number}-C0", school, RoomCode(f"L{number}-R0") if receives else None, receives)
        self._local(school)

    def _receiver(self, number: int) -> None:
        school = self._school(f"W{number}", False, True)
        room = RoomCode(f"W{number}-R")
        self.rooms[room] = Room(room, school, False, None)
        for teacher in range(self.random.randint(0, 3)):
            self._teacher(f"W{number}-T{teacher}", school)
        for group in range(self.random.randint(1, 3)):
            self._class(f"W{number}-C{group}", school, self.random.choice((room, room, None)), True)
        self._local(school)

    def _teacher(self, code: str, school: SchoolCode) -> None:
        subjects = {
            subject: frozenset(self.random.sample(range(1, 7), self.random.randint(2, 6)))
            for subject in self.random.sample(SUBJECTS, self.random.randint(1, 2))
        }
        teacher = TeacherCode(code)
        self.teachers[teacher] = Teacher(
            teacher, school, subjects, self.random.choice((1, 3, 10)), self.random.choice((1, 3))
        )

    def _class(self, code: str, school: SchoolCode, room: RoomCode | None, wants: bool) -> None:
        grades = frozenset(self.random.choice(((1,), (2,), (3,), (1, 2), (3, 4), (5,))))
        editions = {subject: self.random.choice("AB") for subject in SUBJECTS if self.random.random() < 0.5}
        group = ClassCode(code)
        self.classes[group] = SchoolClass(group, school, grades, room, editions)
        if wants:
            for subject in self.random.sample(SUBJECTS, self.random.randint(1, 3)):
                halves = self.random.choice((1, 2, 2, 3, 4, 6))
                self.needs.append(Need(group, subject, halves, self.random.randint(1, 9)))

    def _local(self, school: SchoolCode) -> None:
        """Local lessons at random: of teachers with their subjects and of classes, never two of one teacher or class at once."""
        teachers = [teacher for teacher in self.teachers.values() if teacher.school == school]
        groups = [group.code for group in self.classes.values() if group.school == school]
        for weekday, periods in self.schools[school].periods.items():
            for start, end in periods:
                joint = len(groups) > 1 and self.random.random() < 0.1
                sides = [tuple(groups[:2])] if joint else [(group,) for group in groups]
                for teacher, taught in zip(teachers, sides, strict=False):
                    if self.random.random() < 0.5:
                        weeks = self.random.choice((ALL_WEEKS, ALL_WEEKS, ALL_WEEKS, ODD, EVEN))
                        self._lesson(school, taught, teacher, Slot(weekday, start, end, weeks))

    def _lesson(self, school: SchoolCode, taught: tuple[ClassCode, ...], teacher: Teacher, slot: Slot) -> None:
        rooms = [room for room in self.rooms if self.rooms[room].school == school]
        subject, room = self.random.choice(sorted(teacher.subjects)), self.random.choice([None, None, *rooms])
        row, leader = LessonRow(len(self.lessons) + 1), None if self.random.random() < 0.05 else teacher.code
        self.lessons.append(Lesson(row, school, taught, subject, slot, leader, room))

    def _absences(self) -> tuple[Unavailability, ...]:
        found = []
        for _ in range(self.random.randint(0, 4)):
            kind, codes = self.random.choice(
                (("teacher", self.teachers), ("room", self.rooms), ("class", self.classes), ("school", self.schools))
            )
            start = self.random.randrange(470, 860)
            weeks = self.random.choice((ALL_WEEKS, ALL_WEEKS, ODD, EVEN))
            slot = Slot(self.random.randint(1, 5), start, start + self.random.choice((5, 40, 120)), weeks)
            found.append(Unavailability(kind, str(self.random.choice(sorted(codes))), slot))  # type: ignore[arg-type]
        return tuple(found)

    def problem(self) -> Problem:
        classes = sorted(self.classes)
        audience = tuple(code for code in classes if self.classes[code].school != "L0")
        return Problem(
            code="random",
            policy=self.policy,
            schools=self.schools,
            rooms=self.rooms,
            teachers=self.teachers,
            classes=self.classes,
            lessons=tuple(self.lessons),
            unavailabilities=self._absences(),
            needs=tuple(self.needs),
            communities=tuple(self._communities()),
            courses=tuple(self._courses(audience)) if audience else (),
            pairings=self._pairings(),
        )

    def _communities(self) -> Iterator[Community]:
        """One or two, which may share members."""
        teachers = sorted(self.teachers)
        for number in range(self.random.choice((1, 1, 2))):
            host = TeacherCode(f"L0-T{number}")
            members = tuple(code for code in self.random.sample(teachers, min(3, len(teachers))) if code != host)
            if members:
                weeks, least = self.random.choice((1, 2, 3)), self.random.choice((50, 50, 34, 100))
                length, subject = self.random.choice((60, 45)), sorted(self.teachers[host].subjects)[0]
                yield Community(f"M{number + 1}", subject, host, members, weeks, length, least)

    def _courses(self, audience: tuple[ClassCode, ...]) -> Iterator[NetworkCourse]:
        lead = TeacherCode("L0-T1")
        subject, halves = sorted(self.teachers[lead].subjects)[0], self.random.choice((1, 2, 3, 4))
        yield NetworkCourse("N1", subject, lead, halves, audience, self.random.choice((None, None, 35, 45)))

    def _pairings(self) -> tuple[StandingPairing, ...]:
        """Agreements that stand, some of them locked, some of them of no use."""
        pairs = [
            Pair(lead, receiver)
            for lead in self.schools
            for receiver in self.schools
            if self.schools[lead].leads and self.schools[receiver].receives and lead != receiver
        ]
        drawn = self.random.sample(pairs, min(len(pairs), self.random.choice((1, 1, 2))))
        return tuple(
            StandingPairing(pair, frozenset(SUBJECTS[:1]), self.random.random() < 0.5) for pair in sorted(drawn)
        )


counties = st.integers(0, 1 << 30).map(random_county)
