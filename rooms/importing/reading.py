"""Reads a county from a folder, a zip file or a workbook: a value, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from rooms.county import County
from rooms.gaps import plan_in_force
from rooms.importing import build, crosscheck
from rooms.importing.columns import FORM_BY_TITLE, FORMS, normal
from rooms.importing.findings import Finding, Findings
from rooms.importing.guard import Limits, read_guarded
from rooms.importing.sheets import Container, read_folder
from rooms.importing.tables import Table, read_table


@dataclass(frozen=True, slots=True)
class Reading:
    """`county` is there exactly when no finding is an error."""

    county: County | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_error)


def read_county(path: Path, limits: Limits | None = None) -> Reading:
    """Reads a folder of CSV files, a zip file of them, or an ``.xlsx`` workbook.

    Every error and warning is collected. Zip files and workbooks are opened in a child process with limits on memory and time;
    the call blocks for as long, so a server runs it in a thread.
    """
    limits, findings = limits or Limits(), Findings()
    if path.is_dir():
        container = read_folder(path, limits.expanded_bytes)
        suffix = ".csv"
    elif path.is_file():
        container = read_guarded(path, limits)
        suffix = "" if container.workbook else ".csv"
    else:
        findings.about_file("error", path.name, "no_such_path")
        return Reading(None, findings.all())
    if container.refused:
        findings.add(Finding("error", path.name, None, "", container.faults[0].code, container.faults[0].facts))
        return Reading(None, findings.all())
    tables = _tables(container, suffix, findings)
    county = _county(tables, findings)
    return Reading(None if findings.has_errors else county, findings.all())


def _tables(container: Container, suffix: str, findings: Findings) -> dict[str, Table]:
    """A table for every file of the format; unknown and missing files are noted."""
    for fault in container.faults:
        findings.add(Finding("error", fault.file, None, "", fault.code, fault.facts, fault.line))
    for other in container.others:
        findings.about_file("warning", other, "unknown_file")
    tables: dict[str, Table] = {}
    for sheet in container.sheets:
        form, called = FORM_BY_TITLE.get(normal(sheet.name)), f"{sheet.name}{suffix}"
        if form is None:
            findings.about_file("warning", called, "unknown_file")
        elif form.name in tables:
            findings.about_file("error", called, "file_twice", other=tables[form.name].called)
        else:
            tables[form.name] = read_table(sheet, form, called, findings)
    broken = {normal(fault.file.removesuffix(".csv")) for fault in container.faults}
    for form in FORMS:
        if form.name in tables:
            continue
        unread = any(FORM_BY_TITLE.get(name) is form for name in broken)
        if form.required and not unread:
            findings.about_file("error", f"{form.name}{suffix}", "missing_file", chinese=form.chinese[0])
        called = f"{form.name}{suffix}"
        tables[form.name] = Table(form, findings, called, usable=not (form.required or unread), present=False)
    return tables


def _county(tables: Mapping[str, Table], findings: Findings) -> County | None:
    schools = build.each(build.unique(tables["schools"], "school_code"), build.school)
    rooms = build.each(build.unique(tables["rooms"], "room_code"), build.room)
    teachers = build.each(build.unique(tables["teachers"], "teacher_code"), build.teacher)
    classes = build.each(build.unique(tables["classes"], "class_code"), build.school_class)
    lessons = build.each(tables["lessons"].rows, build.lesson)
    away = build.each(tables["unavailability"].rows, build.unavailability)
    days = build.calendar(tables["calendar"])
    needs = build.each(build.unique(tables["needs"], "class_code", "subject"), build.need)
    communities = build.each(build.unique(tables["communities"], "community_code"), build.community)
    courses = build.each(build.unique(tables["network_courses"], "course_code"), build.course)
    bells, header = build.bells(tables["bells"]), _header(tables["county"], findings)
    parts: dict[str, Any] = {
        "bells": bells,
        "curriculum": build.curriculum(tables["curriculum"]),
        "pairings": build.pairings(tables["pairings"]),
        "policy_values": build.policy(tables["policy"]),
    }
    crosscheck.references(tables)
    rung = crosscheck.Bells(build.sound(schools), bells)
    found_rooms, owned = build.sound(rooms), build.sound(classes)
    owners = crosscheck.owners_school(build.sound(schools), found_rooms, build.sound(teachers), owned)
    crosscheck.lesson_periods(lessons, rung)
    crosscheck.double_bookings(lessons, build.sound(schools), bells)
    crosscheck.unavailability(away, tables, owners, rung)
    crosscheck.foreign_resources(classes, lessons, owners)
    crosscheck.lead_rooms(schools, tables["rooms"], found_rooms)
    crosscheck.people_in_charge(tables)
    crosscheck.days_in_term(days, header.get("term_start"), header.get("term_end"))
    if findings.has_errors:
        return None
    by_code = attrgetter("code")
    county = County(
        **header,
        **parts,
        schools=tuple(sorted(build.sound(schools), key=by_code)),
        rooms=tuple(sorted(found_rooms, key=by_code)),
        teachers=tuple(sorted(build.sound(teachers), key=by_code)),
        classes=tuple(sorted(owned, key=by_code)),
        lessons=build.sound(lessons),
        unavailabilities=build.sound(away),
        needs=_in_order(build.sound(needs)) if tables["needs"].present else None,
        communities=tuple(sorted(build.sound(communities), key=by_code)),
        courses=tuple(sorted(build.sound(courses), key=by_code)),
        calendar=tuple(sorted(build.sound(days), key=attrgetter("day"))),
    )
    _check_curriculum(county, tables, findings)
    return county


def _in_order(needs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(needs, key=attrgetter("class_code", "subject")))


def _header(table: Table, findings: Findings) -> dict[str, Any]:
    if table.usable and len(table.rows) != 1:
        findings.about_file("error", table.called, "not_one_row", count=len(table.rows))
    return build.header(table.rows[0]) if table.rows else {}


def _check_curriculum(county: County, tables: Mapping[str, Table], findings: Findings) -> None:
    """Where needs are to be computed, there must be one plan to compute them from."""
    if county.needs is None and plan_in_force(county) is None:
        plans = " ".join(sorted({hours.plan_code for hours in county.curriculum})) or "–"
        findings.about_file(
            "error", tables["curriculum"].called, "no_curriculum", plan=county.curriculum_plan or "–", plans=plans
        )
