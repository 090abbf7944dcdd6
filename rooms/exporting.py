"""A county as files again: a folder or zip file of CSV files, a workbook, and an empty template. What is written reads back as the same county.

Cells that a spreadsheet might take for a formula are written with an apostrophe before them, which the importer takes away.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from config.words import Language
from rooms import county as c
from rooms.importing.columns import FORMS, FileForm
from rooms.importing.sheets import neutral
from scheduler.problem import WEEK_NAMES

Record = list[str]


def records(county: c.County) -> dict[str, list[Record]]:
    """File → its data rows, in the order of the format's columns. Without given needs there is no ``needs``."""
    found: dict[str, list[Record]] = {
        "county": [_header(county)],
        "schools": [_school(school) for school in county.schools],
        "bells": [
            [bell.bell_code, str(bell.weekday), bell.period, clock(bell.start), clock(bell.end), bell.label]
            for bell in county.bells
        ],
        "rooms": [_room(room) for room in county.rooms],
        "teachers": [_teacher(teacher) for teacher in county.teachers],
        "classes": [_class(group) for group in county.classes],
        "lessons": _in_rows(county.lessons, _lesson),
        "unavailability": _in_rows(county.unavailabilities, _unavailability),
        "curriculum": [[row.plan_code, row.subject, str(row.grade), lessons(row.halves)] for row in county.curriculum],
    }
    if county.needs is not None:
        found["needs"] = [
            [need.class_code, need.subject, lessons(need.halves), str(need.priority)] for need in county.needs
        ]
    found["communities"] = [_community(community) for community in county.communities]
    found["network_courses"] = [_course(course) for course in county.courses]
    found["pairings"] = [
        [pairing.lead_school_code, pairing.receive_school_code, ";".join(pairing.subjects), _flag(pairing.locked)]
        for pairing in county.pairings
    ]
    found["calendar"] = [
        [day.day.isoformat(), day.kind, _optional(day.follows_weekday), day.note] for day in county.calendar
    ]
    found["policy"] = [
        [key, str(value)] for key, value in sorted({**county.policy_values, **county.policy_set}.items())
    ]
    return found


# ---------------------------------------------------------------- cells


def clock(minutes: int) -> str:
    """``08:30``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def lessons(halves: int) -> str:
    """``2`` or ``2.5`` weekly lessons."""
    return f"{halves // 2}.5" if halves % 2 else str(halves // 2)


def numbers(values: Iterable[int], joiner: str = "+") -> str:
    """``3``, ``1+2``, ``1-6``."""
    listed = sorted(values)
    if len(listed) > 2 and listed[-1] - listed[0] == len(listed) - 1:
        return f"{listed[0]}-{listed[-1]}"
    return joiner.join(map(str, listed))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _optional(value: object) -> str:
    return "" if value is None else str(value)


def _pairs(found: Mapping[str, str]) -> str:
    parts: list[str] = []
    for key, value in found.items():
        parts.extend(f"{key}:{part}" if part else key for part in value.split(";"))
    return ";".join(parts)


def _in_rows(
    values: Iterable[c.LocalLesson] | Iterable[c.Unavailability], cells: Callable[..., Record]
) -> list[Record]:
    """The records at their own row numbers; an empty record stands where a number is not used."""
    found: list[Record] = []
    for value in values:
        record = cells(value)
        found.extend([""] * len(record) for _ in range(value.row - len(found) - 1))
        found.append(record)
    return found


# ---------------------------------------------------------------- one function for each file


def _header(county: c.County) -> Record:
    term = [county.term_start.isoformat(), county.term_end.isoformat()]
    return [county.code, county.name, *term, county.city, county.province, county.curriculum_plan, county.timezone]


def _school(school: c.School) -> Record:
    return [
        school.code, school.name, school.kind, school.role, school.bell_code, _optional(school.parent_school_code),
        school.township, ";".join(school.stages), _number(school.uplink_mbps), school.contact_name, school.contact_phone,
    ]  # fmt: skip


def _room(room: c.Room) -> Record:
    return [
        room.code, room.school_code, room.kind, _flag(room.can_lead), _optional(room.max_receivers), room.level,
        room.custodian_name, room.custodian_phone,
    ]  # fmt: skip


def _teacher(teacher: c.Teacher) -> Record:
    subjects = {subject: numbers(grades) for subject, grades in teacher.subjects.items()}
    limits = [_optional(teacher.max_remote_per_week), _optional(teacher.max_remote_per_day)]
    return [
        teacher.code, teacher.school_code, teacher.name, _pairs(subjects), teacher.title, ";".join(teacher.cohorts), *limits,
    ]  # fmt: skip


def _class(group: c.SchoolClass) -> Record:
    room = _optional(group.receiving_room_code)
    return [group.code, group.school_code, numbers(group.grades), str(group.size), room, _pairs(group.editions)]


def _lesson(lesson: c.LocalLesson) -> Record:
    return [
        lesson.school_code, ";".join(lesson.class_codes), lesson.subject, str(lesson.weekday), lesson.period,
        _optional(lesson.teacher_code), _optional(lesson.room_code), WEEK_NAMES[lesson.weeks],
    ]  # fmt: skip


def _unavailability(away: c.Unavailability) -> Record:
    start = "" if away.start is None else clock(away.start)
    end = "" if away.end is None else clock(away.end)
    days = numbers(away.weekdays, ";")
    return [away.resource, away.code, days, away.period, start, end, WEEK_NAMES[away.weeks], away.reason]


def _community(community: c.Community) -> Record:
    return [
        community.code, community.name, community.subject, community.stage, community.host_teacher_code,
        ";".join(community.member_teacher_codes), WEEK_NAMES[community.weeks], str(community.length_min),
        _number(community.min_attendance_pct),
    ]  # fmt: skip


def _course(course: c.NetworkCourse) -> Record:
    return [
        course.code, course.title, course.subject, numbers(course.grades, ";"), course.lead_teacher_code,
        lessons(course.halves), ";".join(course.audience_class_codes), _optional(course.length_min),
    ]  # fmt: skip


# ---------------------------------------------------------------- containers


def csv_of(headings: Sequence[str], rows: Iterable[Record]) -> bytes:
    """A CSV file in UTF-8 with a byte-order mark, so that spreadsheet programs show Chinese."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def zip_of(county: c.County, language: Language = "en") -> bytes:
    """All CSV files of the county, their headings in the language."""
    found, archive = records(county), io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for form in FORMS:
            if form.name in found:
                packed.writestr(form.file, csv_of(form.headings(language), found[form.name]))
    return archive.getvalue()


def write_folder(county: c.County, folder: Path, language: Language = "en") -> None:
    """Writes the CSV files of the county into a folder, which is made where it is missing; files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    found = records(county)
    for form in FORMS:
        if form.name in found:
            (folder / form.file).write_bytes(csv_of(form.headings(language), found[form.name]))


def workbook_of(county: c.County, language: Language = "en") -> bytes:
    """The county as an ``.xlsx`` workbook, sheets and headings in the language."""
    return _workbook(records(county), language)


def template(language: Language = "en") -> bytes:
    """A workbook with every sheet and heading, required ones with a star, and one example row each to type over."""
    rows = {
        form.name: [list(row) for row in zip(*(column.examples for column in form.columns), strict=True)]
        for form in FORMS
    }
    return _workbook(rows, language, star=True)


def _workbook(found: Mapping[str, Sequence[Record]], language: Language, *, star: bool = False) -> bytes:
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"num_format": "@", "bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        for form in FORMS:
            if form.name in found:
                sheet = book.add_worksheet(form.title(language))
                _write_sheet(sheet, _titles(form, language, star), found[form.name], (text, head))
    return target.getvalue()


def _titles(form: FileForm, language: Language, star: bool) -> list[str]:
    titles = form.headings(language)
    return [
        f"{title}*" if star and column.required else title for title, column in zip(titles, form.columns, strict=True)
    ]


def _write_sheet(
    sheet: xlsxwriter.worksheet.Worksheet, titles: Sequence[str], rows: Sequence[Record], formats: tuple[object, object]
) -> None:
    text, head = formats
    sheet.set_column(0, len(titles) - 1, 16, text)
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, head)
    for line, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if cell:
                sheet.write_string(line, place, neutral(cell))
