"""Tables of the planner's desk as files: a workbook of sheets, or one of them as CSV that Excel opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter

from config.words import Language, catalogue, say
from rooms.importing.sheets import neutral

CSV = "text/csv"
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to write; its title and the heads of its columns are keys of the catalogues."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


def book_of(sheets: Sequence[Sheet], language: Language) -> bytes:
    """An ``.xlsx`` workbook."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#DCEFE7", "bottom": 1})
        for sheet in sheets:
            page = book.add_worksheet(say(language, sheet.title)[:31])
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.columns) - 1, 18)
            page.write_row(0, 0, [say(language, column) for column in sheet.columns], head)
            for line, row in enumerate(sheet.rows, 1):
                page.write_row(line, 0, row)
            page.autofilter(0, 0, max(1, len(sheet.rows)), len(sheet.columns) - 1)
    return target.getvalue()


def csv_of(sheet: Sheet, language: Language) -> bytes:
    """UTF-8 with a byte-order mark; cells that could pass for formulas are made harmless."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([say(language, column) for column in sheet.columns])
    writer.writerows([[neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in sheet.rows])
    return target.getvalue().encode("utf-8-sig")


def subject_name(language: Language, code: str) -> str:
    """The word for a subject; an unknown code stands as it is."""
    return catalogue(language).get(f"common.subject_{code}", code)
