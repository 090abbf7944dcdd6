"""From the rows of each file to the values of `rooms.county`; what a single file can tell is checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any, TypeVar, cast

from rooms import county as c
from rooms.importing import cells
from rooms.importing.tables import Row, Table
from scheduler.problem import ALL_WEEKS

V = TypeVar("V")


def each(rows: Iterable[Row], make: Callable[[Row], V]) -> list[tuple[Row, V]]:
    """Every row with its value; the value of a row that is not `ok` means nothing."""
    return [(row, make(row)) for row in rows]


def sound(pairs: Iterable[tuple[Row, V]]) -> tuple[V, ...]:
    """The values of the rows without errors."""
    return tuple(value for row, value in pairs if row.ok)


def unique(table: Table, *columns: str) -> list[Row]:
    """All rows of the table; those whose key another row has already used are noted, and so no longer `ok`."""
    first: dict[tuple[str, ...], Row] = {}
    for row in table.rows:
        key = tuple(row.cells.get(column, "") for column in columns)
        other = first.setdefault(key, row)
        if other is not row and all(key):
            row.note("error", columns[-1], "code_twice", value=" ".join(key), row=other.number, line=other.line)
    return table.rows


def header(row: Row) -> dict[str, Any]:
    """The one row of ``county.csv`` as fields of `County`."""
    start, end = row.must("term_start", cells.day), row.must("term_end", cells.day)
    if start and end and start >= end:
        row.note("error", "term_end", "term_reversed", start=start, end=end)
    return {
        "code": row.must("county_code", cells.code),
        "name": row.must("name", cells.text),
        "term_start": start,
        "term_end": end,
        "city": row.get("city", cells.text, ""),
        "province": row.get("province", cells.text, ""),
        "curriculum_plan": row.get("curriculum_plan", cells.code, ""),
        "timezone": row.get("timezone", cells.zone, "Asia/Shanghai"),
    }


_school_kind, _school_role = cells.choice("schools.kind"), cells.choice("schools.role")
_room_kind, _resource, _day_kind = cells.choice("rooms.kind"), cells.choice("resource"), cells.choice("calendar.kind")


def school(row: Row) -> c.School:
    return c.School(
        code=row.must("school_code", cells.code),
        name=row.must("name", cells.text),
        kind=cast(c.SchoolKind, row.must("kind", _school_kind)),
        role=cast(c.SchoolRole, row.must("role", _school_role)),
        bell_code=row.must("bell_code", cells.code),
        parent_school_code=row.get("parent_school_code", cells.code, None),
        township=row.get("township", cells.text, ""),
        stages=cast("tuple[c.Stage, ...]", row.get("stages", cells.stages, ())),
        uplink_mbps=row.get("uplink_mbps", cells.number, None),
        contact_name=row.get("contact_name", cells.text, ""),
        contact_phone=row.get("contact_phone", cells.text, ""),
    )


def bells(table: Table) -> tuple[c.Bell, ...]:
    """One value for each weekday of each row. The same period with another window is an error, overlapping periods a warning."""
    seen: dict[tuple[str, int, str], tuple[c.Bell, Row]] = {}
    for row in table.rows:
        code, name = row.must("bell_code", cells.code), row.must("period", cells.period)
        days = row.must("weekday", cells.weekdays)
        start, end = row.must("start", cells.clock), row.must("end", cells.clock)
        label = row.get("label", cells.text, "")
        if row.ok and start >= end:
            row.note("error", "end", "end_before_start", start=row.cells["start"], end=row.cells["end"])
        if not row.ok:
            continue
        for weekday in sorted(days):
            bell = c.Bell(code, weekday, name, start, end, label)
            other = seen.setdefault((code, weekday, name), (bell, row))
            if (other[0].start, other[0].end) != (start, end):
                row.note("error", "period", "period_twice", period=name, weekday=weekday, row=other[1].number)
                break
    _note_overlaps(seen.values())
    return tuple(sorted((bell for bell, _ in seen.values()), key=lambda b: (b.bell_code, b.weekday, b.period)))


def _note_overlaps(found: Iterable[tuple[c.Bell, Row]]) -> None:
    last: dict[tuple[str, int], c.Bell] = {}
    for bell, row in sorted(found, key=lambda pair: (pair[0].bell_code, pair[0].weekday, pair[0].start, pair[0].end)):
        other = last.get((bell.bell_code, bell.weekday))
        if other and other.end > bell.start:
            facts = {"period": bell.period, "other": other.period, "weekday": bell.weekday}
            row.note("warning", "start", "periods_overlap", **facts)
        last[bell.bell_code, bell.weekday] = bell


def room(row: Row) -> c.Room:
    kind = cast(c.RoomKind, row.must("kind", _room_kind))
    return c.Room(
        code=row.must("room_code", cells.code),
        school_code=row.must("school_code", cells.code),
        kind=kind,
        can_lead=row.get("can_lead", cells.flag, kind == "recording"),
        max_receivers=row.get("max_receivers", cells.integer, None),
        level=row.get("level", cells.text, ""),
        custodian_name=row.get("custodian_name", cells.text, ""),
        custodian_phone=row.get("custodian_phone", cells.text, ""),
    )


def teacher(row: Row) -> c.Teacher:
    return c.Teacher(
        code=row.must("teacher_code", cells.code),
        school_code=row.must("school_code", cells.code),
        name=row.must("name", cells.text),
        subjects=row.must("subjects", cells.subjects),
        title=row.get("title", cells.text, ""),
        cohorts=row.get("cohorts", cells.codes, ()),
        max_remote_per_week=row.get("max_remote_per_week", cells.integer, None),
        max_remote_per_day=row.get("max_remote_per_day", cells.integer, None),
    )


def school_class(row: Row) -> c.SchoolClass:
    return c.SchoolClass(
        code=row.must("class_code", cells.code),
        school_code=row.must("school_code", cells.code),
        grades=row.must("grades", cells.grades),
        size=row.must("size", cells.integer),
        receiving_room_code=row.get("receiving_room_code", cells.code, None),
        editions=row.get("editions", cells.pairs, {}),
    )


def lesson(row: Row) -> c.LocalLesson:
    return c.LocalLesson(
        row=row.number,
        school_code=row.must("school_code", cells.code),
        class_codes=row.must("class_codes", cells.codes),
        subject=row.must("subject", cells.code),
        weekday=row.must("weekday", cells.weekday),
        period=row.must("period", cells.period),
        teacher_code=row.get("teacher_code", cells.code, None),
        room_code=row.get("room_code", cells.code, None),
        weeks=row.get("weeks", cells.weeks, ALL_WEEKS),
    )


def unavailability(row: Row) -> c.Unavailability:
    """Where a period is named, start and end are not looked at."""
    resource = cast(c.Resource, row.must("resource", _resource))
    code, days = row.must("code", cells.code), row.must("weekday", cells.weekdays)
    period = row.get("period", cells.period, "")
    start, end = (None, None) if period else (row.get("start", cells.clock, None), row.get("end", cells.clock, None))
    if row.ok and not period and (start is None or end is None or start >= end):
        row.note("error", "period", "no_window")
    weeks, reason = row.get("weeks", cells.weeks, ALL_WEEKS), row.get("reason", cells.text, "")
    return c.Unavailability(row.number, resource, code, days, period, start, end, weeks, reason)


def curriculum(table: Table) -> tuple[c.CurriculumHours, ...]:
    """One value for each grade of each row; the same plan, subject and grade with other hours is an error."""
    seen: dict[tuple[str, str, int], tuple[int, Row]] = {}
    for row in table.rows:
        plan, subject = row.must("plan_code", cells.code), row.must("subject", cells.code)
        grades, halves = row.must("grade", cells.grades), row.must("weekly_lessons", cells.halves)
        if not row.ok:
            continue
        for grade in sorted(grades):
            other = seen.setdefault((plan, subject, grade), (halves, row))
            if other[0] != halves:
                shown = f"{plan} {subject} {grade}"
                row.note("error", "grade", "code_twice", value=shown, row=other[1].number, line=other[1].line)
                break
    return tuple(c.CurriculumHours(*key, halves) for key, (halves, _) in sorted(seen.items()))


def need(row: Row) -> c.Need:
    return c.Need(
        row.must("class_code", cells.code),
        row.must("subject", cells.code),
        row.must("weekly_lessons", cells.halves),
        row.get("priority", cells.priority, 5),
    )


def community(row: Row) -> c.Community:
    return c.Community(
        code=row.must("community_code", cells.code),
        name=row.must("name", cells.text),
        subject=row.must("subject", cells.code),
        stage=row.must("stage", cells.stage_word),
        host_teacher_code=row.must("host_teacher_code", cells.code),
        member_teacher_codes=row.must("member_teacher_codes", cells.codes),
        weeks=row.get("weeks", cells.weeks, ALL_WEEKS),
        length_min=row.get("length_min", cells.length, 60),
        min_attendance_pct=row.get("min_attendance_pct", cells.percentage, 50),
    )


def course(row: Row) -> c.NetworkCourse:
    return c.NetworkCourse(
        code=row.must("course_code", cells.code),
        title=row.must("title", cells.text),
        subject=row.must("subject", cells.code),
        grades=row.must("grades", cells.grades),
        lead_teacher_code=row.must("lead_teacher_code", cells.code),
        halves=row.must("weekly_lessons", cells.halves),
        audience_class_codes=row.must("audience_class_codes", cells.codes),
        length_min=row.get("length_min", cells.length, None),
    )


def pairings(table: Table) -> tuple[c.Pairing, ...]:
    """A pair that stands in several rows is one agreement with all their subjects, locked where any of them is."""
    seen: dict[tuple[str, str], c.Pairing] = {}
    for row in table.rows:
        key = row.must("lead_school_code", cells.code), row.must("receive_school_code", cells.code)
        subjects, locked = row.get("subjects", cells.codes, ()), row.get("locked", cells.flag, False)
        if not row.ok:
            continue
        if key[0] == key[1]:
            row.note("warning", "receive_school_code", "pairs_with_itself", value=key[0])
        if key in seen:
            row.note("warning", "receive_school_code", "pairing_twice", lead=key[0], receive=key[1])
            subjects, locked = (*seen[key].subjects, *subjects), locked or seen[key].locked
        seen[key] = c.Pairing(*key, tuple(sorted(set(subjects))), locked)
    return tuple(seen[key] for key in sorted(seen))


def calendar(table: Table) -> list[tuple[Row, c.CalendarDay]]:
    """Every row with its day. A date may be written in several ways: it is the day that may not stand twice."""
    first: dict[date, Row] = {}
    found = each(table.rows, calendar_day)
    for row, value in found:
        other = first.setdefault(value.day, row) if row.ok else row
        if other is not row:
            row.note("error", "date", "code_twice", value=value.day, row=other.number, line=other.line)
    return found


def calendar_day(row: Row) -> c.CalendarDay:
    day, kind = row.must("date", cells.day), cast(c.DayKind, row.must("kind", _day_kind))
    follows = row.get("follows_weekday", cells.weekday, None)
    if kind == "makeup" and not row.cells.get("follows_weekday"):
        row.note("error", "follows_weekday", "makeup_without_weekday", day=row.cells["date"])
    return c.CalendarDay(day, kind, follows, row.get("note", cells.text, ""))


def policy(table: Table) -> dict[str, int]:
    """Key → value; a flag is 0 or 1. An unknown key is noted and left out."""
    values: dict[str, int] = {}
    for row in unique(table, "key"):
        key = row.must("key", cells.text)
        if key and key not in c.POLICY_KEYS:
            row.note("warning", "key", "unknown_policy", value=key, known=" ".join(c.POLICY_KEYS))
            continue
        least, most = c.policy_range(key)
        number = partial(cells.integer, least=least, most=most)
        value = row.must("value", cells.flag if key in c.POLICY_FLAGS else number)
        if row.ok:
            values[key] = int(value)
    return dict(sorted(values.items()))
