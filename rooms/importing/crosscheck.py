"""What one file says about another: codes that must exist, periods that must ring, and oddities worth a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from rooms import county as c
from rooms.importing.cells import CellFault, codes
from rooms.importing.tables import Row, Table

REFERENCES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "schools": (("bell_code", "bells", "bell_code"), ("parent_school_code", "schools", "school_code")),
    "rooms": (("school_code", "schools", "school_code"),),
    "teachers": (("school_code", "schools", "school_code"),),
    "classes": (("school_code", "schools", "school_code"), ("receiving_room_code", "rooms", "room_code")),
    "lessons": (
        ("school_code", "schools", "school_code"),
        ("class_codes", "classes", "class_code"),
        ("teacher_code", "teachers", "teacher_code"),
        ("room_code", "rooms", "room_code"),
    ),
    "needs": (("class_code", "classes", "class_code"),),
    "communities": (
        ("host_teacher_code", "teachers", "teacher_code"),
        ("member_teacher_codes", "teachers", "teacher_code"),
    ),
    "network_courses": (
        ("lead_teacher_code", "teachers", "teacher_code"),
        ("audience_class_codes", "classes", "class_code"),
    ),
    "pairings": (("lead_school_code", "schools", "school_code"), ("receive_school_code", "schools", "school_code")),
}
"""File → (column, the file it points to, the column there)."""
LISTS = frozenset({"class_codes", "member_teacher_codes", "audience_class_codes"})
SHOWN = 8
"""So many codes are named where a finding is about many rows."""
OWNERS: Mapping[str, tuple[str, str]] = {
    "teacher": ("teachers", "teacher_code"),
    "room": ("rooms", "room_code"),
    "class": ("classes", "class_code"),
    "school": ("schools", "school_code"),
}


def references(tables: Mapping[str, Table]) -> None:
    """Notes every code that its file does not know. A file that could not be read is not asked."""
    for name, columns in REFERENCES.items():
        for column, target, key in columns:
            known = tables[target].codes(key)
            if known is not None:
                _check(tables[name].rows, column, known, target)


def _check(rows: Iterable[Row], column: str, known: frozenset[str], target: str) -> None:
    for row in rows:
        cell = row.cells.get(column, "")
        if not cell or cell in known:
            continue
        for code in _parts(cell) if column in LISTS else (cell,):
            if code not in known:
                row.note("error", column, "unknown_code", value=code, target=f"{target}.csv")


def _parts(cell: str) -> tuple[str, ...]:
    try:
        return codes(cell)
    except CellFault:
        return ()  # already noted when the row was read


class Bells:
    """Which periods a school rings, as far as schools and bells could be read."""

    def __init__(self, schools: Iterable[c.School], bells: Iterable[c.Bell]) -> None:
        self.bell_of = {school.code: school.bell_code for school in schools}
        self.windows = {(bell.bell_code, bell.weekday, bell.period) for bell in bells}
        self.rung = {bell.bell_code for bell in bells}

    def rings(self, school: str, weekday: int, period: str) -> bool:
        """False only where it is certain that the school has no such period on that weekday."""
        bell = self.bell_of.get(school)
        return bell not in self.rung or (bell, weekday, period) in self.windows


def lesson_periods(lessons: Iterable[tuple[Row, c.LocalLesson]], bells: Bells) -> None:
    """Notes lessons in periods that the school's bells do not ring."""
    for row, lesson in lessons:
        if row.ok and not bells.rings(lesson.school_code, lesson.weekday, lesson.period):
            facts = {"school": lesson.school_code, "weekday": lesson.weekday, "period": lesson.period}
            row.note("error", "period", "no_such_period", **facts)


def double_bookings(
    lessons: Iterable[tuple[Row, c.LocalLesson]], schools: Iterable[c.School], bells: Iterable[c.Bell]
) -> None:
    """Warns of a teacher, a room or a class in two local lessons at a time; one lesson of several classes is one row."""
    bell_of = {school.code: school.bell_code for school in schools}
    windows = {(bell.bell_code, bell.weekday, bell.period): (bell.start, bell.end) for bell in bells}
    held: dict[tuple[str, str, int], list[tuple[int, int, int, Row]]] = {}
    for row, lesson in lessons:
        window = windows.get((bell_of.get(lesson.school_code, ""), lesson.weekday, lesson.period)) if row.ok else None
        if window is None:
            continue
        taken = [("class_codes", code) for code in lesson.class_codes]
        taken += [("teacher_code", lesson.teacher_code)] if lesson.teacher_code else []
        taken += [("room_code", lesson.room_code)] if lesson.room_code else []
        for column, code in taken:
            held.setdefault((column, code, lesson.weekday), []).append((*window, lesson.weeks, row))
    for (column, code, weekday), slots in held.items():
        slots.sort(key=lambda slot: (slot[0], slot[1], slot[3].number))
        for (_, end, weeks, row), (start, _, other_weeks, other) in pairwise(slots):
            if start < end and weeks & other_weeks:
                other.note(
                    "warning", column, "in_two_places", value=code, weekday=weekday, row=row.number, line=row.line
                )


def unavailability(
    rows: Iterable[tuple[Row, c.Unavailability]], tables: Mapping[str, Table], schools: Mapping[str, str], bells: Bells
) -> None:
    """Notes unknown resources, and periods that ring on none of the named weekdays. `schools`: ``resource code`` → school."""
    known = {resource: tables[target].codes(key) for resource, (target, key) in OWNERS.items()}
    for row, away in rows:
        if not row.ok:
            continue
        owners = known[away.resource]
        if owners is not None and away.code not in owners:
            row.note("error", "code", "unknown_code", value=away.code, target=f"{OWNERS[away.resource][0]}.csv")
            continue
        school = schools.get(f"{away.resource} {away.code}")
        if away.period and school and not any(bells.rings(school, day, away.period) for day in away.weekdays):
            shown = ";".join(map(str, sorted(away.weekdays)))
            row.note("error", "period", "no_such_period", school=school, weekday=shown, period=away.period)


def owners_school(
    schools: Iterable[c.School],
    rooms: Iterable[c.Room],
    teachers: Iterable[c.Teacher],
    classes: Iterable[c.SchoolClass],
) -> dict[str, str]:
    """``resource code`` → the code of its school."""
    found = {f"school {school.code}": school.code for school in schools}
    found.update((f"room {room.code}", room.school_code) for room in rooms)
    found.update((f"teacher {teacher.code}", teacher.school_code) for teacher in teachers)
    found.update((f"class {group.code}", group.school_code) for group in classes)
    return found


def foreign_resources(
    classes: Iterable[tuple[Row, c.SchoolClass]],
    lessons: Iterable[tuple[Row, c.LocalLesson]],
    schools: Mapping[str, str],
) -> None:
    """Warns of a receiving room, or a lesson's class, that belongs to another school."""
    for row, group in classes:
        owner = schools.get(f"room {group.receiving_room_code}")
        if row.ok and owner and owner != group.school_code:
            facts = {"value": group.receiving_room_code, "owner": owner, "school": group.school_code}
            row.note("warning", "receiving_room_code", "of_other_school", **facts)
    for row, lesson in lessons:
        if not row.ok:
            continue
        for code in lesson.class_codes:
            owner = schools.get(f"class {code}", lesson.school_code)
            if owner != lesson.school_code:
                facts = {"value": code, "owner": owner, "school": lesson.school_code}
                row.note("warning", "class_codes", "of_other_school", **facts)


def lead_rooms(schools: Iterable[tuple[Row, c.School]], rooms: Table, found: Iterable[c.Room]) -> None:
    """Warns of a school that leads and has no room to lead from."""
    able = {room.school_code for room in found if room.can_lead}
    if rooms.usable and not rooms.broken:
        for row, school in schools:
            if row.ok and school.leads and school.code not in able:
                row.note("warning", "role", "lead_without_room", school=school.code)


def people_in_charge(tables: Mapping[str, Table]) -> None:
    """Warns, once for each file, of rooms without a custodian and of schools without a contact person."""
    for name, key, column, code in (
        ("rooms", "room_code", "custodian_name", "no_custodian"),
        ("schools", "school_code", "contact_name", "no_contact"),
    ):
        table = tables[name]
        bare = [row.cells.get(key, "") for row in table.rows if row.ok and not row.cells.get(column)]
        if bare:
            shown = " ".join(bare[:SHOWN]) + (" …" if len(bare) > SHOWN else "")
            table.findings.about_file("warning", table.called, code, column, count=len(bare), codes=shown)


def days_in_term(days: Iterable[tuple[Row, c.CalendarDay]], start: object, end: object) -> None:
    """Warns of days outside the term: they change nothing."""
    for row, day in days:
        if (
            row.ok
            and isinstance(start, type(day.day))
            and isinstance(end, type(day.day))
            and not start <= day.day <= end
        ):
            row.note("warning", "date", "outside_term", day=day.day, start=start, end=end)
