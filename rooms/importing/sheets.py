"""The cells of a county's files, before anything is understood of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Cells = list[str]
DANGEROUS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212"
"""What a spreadsheet may take for a formula at the beginning of a cell, with the full-width and small forms."""
_QUOTED = re.compile(f"'+[{re.escape(DANGEROUS)}]")
_TO_QUOTE = re.compile(f"'*[{re.escape(DANGEROUS)}]")


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that could not be read at all; code and facts are those of a finding."""

    file: str
    code: str
    facts: dict[str, object]
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """`records` has a list for every line, the header among them; a blank line of a CSV file is an empty list."""

    name: str
    """As the file or the sheet is called, without ``.csv``."""
    records: Sequence[Cells]


@dataclass(frozen=True, slots=True)
class Container:
    """What a folder, a zip file or a workbook holds."""

    sheets: tuple[Sheet, ...]
    faults: tuple[Fault, ...]
    others: tuple[str, ...] = ()
    """Names of parts that are no part of the format."""
    workbook: bool = False
    refused: bool = False
    """Nothing of it was read; the one fault says why."""


def neutral(cell: str) -> str:
    """The cell as it may be exported: an apostrophe stands before what a spreadsheet may take for a formula."""
    return f"'{cell}" if _TO_QUOTE.match(cell) else cell


def plain(cell: str) -> str:
    """The cell without blanks at its ends and without the apostrophe of `neutral`."""
    cell = cell.strip()
    if "\r" in cell:
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    return cell[1:] if cell.startswith("'") and _QUOTED.match(cell) else cell


def sheet_of_csv(name: str, content: bytes) -> Sheet | Fault:
    """One CSV file in UTF-8, with or without a byte-order mark."""
    file = f"{name}.csv"
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        return Fault(file, "not_utf8", {}, line=content.count(b"\n", 0, broken.start) + 1)
    if "\0" in decoded:
        return Fault(file, "not_csv", {}, line=decoded.count("\n", 0, decoded.index("\0")) + 1)
    reader = csv.reader(io.StringIO(decoded, newline=""), strict=True)
    try:
        return Sheet(name, list(reader))
    except csv.Error:
        return Fault(file, "not_csv", {}, line=reader.line_num)


def read_folder(folder: Path, most_bytes: int) -> Container:
    """Every CSV file of a folder."""
    sheets, faults, others, left = [], [], [], most_bytes
    for path in _files(folder):
        if path.suffix.lower() != ".csv":
            others.append(path.name)
            continue
        size = path.stat().st_size
        if size > left:
            faults.append(Fault(path.name, "too_large", {"most": most_bytes // 2**20}))
            continue
        left -= size
        read = sheet_of_csv(path.stem, path.read_bytes())
        sheets.append(read) if isinstance(read, Sheet) else faults.append(read)
    return Container(tuple(sheets), tuple(faults), tuple(others))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))
