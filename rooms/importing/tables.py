"""A sheet whose columns are known: rows that hand out values, and note what is wrong with file, row and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from rooms.importing.cells import LONGEST, CellFault
from rooms.importing.columns import FileForm, normal
from rooms.importing.findings import Finding, Findings, Level
from rooms.importing.sheets import Cells, Sheet, plain

T = TypeVar("T")
D = TypeVar("D")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(eq=False)
class Table:
    """The rows of one file. `usable` is false where the file is missing or unreadable: then nothing that names its codes is blamed."""

    form: FileForm
    findings: Findings
    called: str
    """As the file is called to people: ``lessons.csv``, or the name of the sheet."""
    headings: Mapping[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    width: int = 0
    """Cells of the header."""
    usable: bool = True
    present: bool = True
    broken: bool = False
    """Some row of it has an error."""

    def codes(self, column: str) -> frozenset[str] | None:
        """Every code of a column, of faulty rows too; None where the file is not usable."""
        if not self.usable or (self.present and column not in self.headings):
            return None
        return frozenset(row.cells[column] for row in self.rows if row.cells.get(column))


class Row:
    """One data row. `ok` turns false with its first error; the row is then read to its end and left out."""

    __slots__ = ("cells", "line", "number", "ok", "table")

    def __init__(self, table: Table, number: int, line: int, cells: dict[str, str]) -> None:
        self.table, self.number, self.line, self.cells, self.ok = table, number, line, cells, True

    def note(self, level: Level, column: str, code: str, **facts: object) -> None:
        """A finding about a cell of this row; an error leaves the row out."""
        table = self.table
        heading = table.headings.get(column, "")
        table.findings.add(Finding(level, table.called, self.number, column, code, facts, self.line, heading))
        if level == "error":
            self.ok, table.broken = False, True

    def get(self, column: str, parse: Callable[[str], T], default: D) -> T | D:
        """The value of a cell, or the default where it is empty or faulty."""
        cell = self.cells.get(column, "")
        if not cell:
            return default
        try:
            return parse(cell)
        except CellFault as fault:
            if _ISO_DATE.match(cell) and fault.code != "bad_date":
                self.note("error", column, "became_date", value=cell)
            else:
                self.note("error", column, fault.code, **fault.facts)
            return default

    def must(self, column: str, parse: Callable[[str], T]) -> T:
        """The value of a required cell. Where it is empty or faulty the row is no longer `ok` and the value means nothing."""
        if not self.cells.get(column, ""):
            if column in self.table.headings:
                self.note("error", column, "required_empty")
            self.ok = False
        return cast(T, self.get(column, parse, cast(Any, None)))


def read_table(sheet: Sheet, form: FileForm, called: str, findings: Findings) -> Table:
    """The sheet's rows under the names of FORMATS; findings about its headings, and about rows that are too long."""
    table = Table(form, findings, called)
    start = next((index for index, record in enumerate(sheet.records) if any(map(str.strip, record))), None)
    if start is None:
        findings.about_file("error", called, "empty_file")
        table.usable = False
        return table
    table.width = len(sheet.records[start])
    places = _columns(sheet.records[start], table, start + 1)
    number = 0
    for index in range(start + 1, len(sheet.records)):
        record = sheet.records[index]
        if record:
            number += 1
            _take(table, places, number, index + 1, record)
    return table


def _columns(header: Cells, table: Table, line: int) -> list[tuple[int, str]]:
    """(position, column) of the known columns; unknown, doubled and missing ones are noted."""
    form, findings, called = table.form, table.findings, table.called
    places: list[tuple[int, str]] = []
    headings: dict[str, str] = {}
    for position, cell in enumerate(header):
        heading = plain(cell)
        if not heading:
            continue
        column = form.column_by_heading.get(normal(heading))
        if column is None:
            known = " ".join(form.headings("en"))
            facts = {"heading": heading[:100], "known": known}
            findings.add(Finding("warning", called, None, heading[:100], "unknown_column", facts, line))
        elif column in headings:
            facts = {"heading": heading, "other": headings[column]}
            findings.add(Finding("error", called, None, column, "column_twice", facts, line, heading))
            table.broken = True
        else:
            headings[column] = heading
            places.append((position, column))
    for wanted in form.columns:
        if wanted.required and wanted.name not in headings:
            facts = {"heading": wanted.name, "chinese": wanted.chinese[0]}
            findings.add(Finding("error", called, None, wanted.name, "missing_column", facts, line))
            table.broken = True
    table.headings = headings
    return places


def _take(table: Table, places: list[tuple[int, str]], number: int, line: int, record: Cells) -> None:
    cells = [plain(cell) for cell in record]
    if not any(cells):
        return
    width = len(cells)
    row = Row(table, number, line, {column: cells[at] if at < width else "" for at, column in places})
    table.rows.append(row)
    for column, cell in row.cells.items():
        if len(cell) > LONGEST:
            row.note("error", column, "cell_too_long", most=LONGEST)
            row.cells[column] = ""
        elif _CONTROL.search(cell):
            row.note("error", column, "control_character")
            row.cells[column] = ""
    if any(cells[table.width :]):
        row.note("error", "", "too_many_cells", width=width, header=table.width)
