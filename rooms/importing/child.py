"""The child process that opens a zip file or a workbook: ``python -m rooms.importing.child PATH LIMITS``.

It writes one JSON object to standard output: the cells as text, or the reason why the file is refused. Dying is an answer too:
the parent then reports that the file asks for too much.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any

import python_calamine

from rooms.importing.guard import Limits, Refused, check_directory
from rooms.importing.sheets import Fault, Sheet, sheet_of_csv

_CELL = re.compile(rb"<(?:[A-Za-z]+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Z]{1,7})([0-9]{1,10})[\"']")
_ROW = re.compile(rb"<(?:[A-Za-z]+:)?row\s[^>]*?\br\s*=\s*[\"']([0-9]{1,10})[\"']")


def main(path: str, limits: Limits) -> dict[str, Any]:
    """The answer for the parent."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
    try:
        with zipfile.ZipFile(path) as archive:
            check_directory(archive, limits)
            if "[Content_Types].xml" in archive.namelist():
                return _workbook(path, archive, limits)
            return _folder(archive, limits)
    except Refused as refused:
        return {"refused": refused.code, "facts": refused.facts}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError):
        return {"refused": "not_a_zip", "facts": {}}


def _bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> bytes:
    """The member's bytes; a directory that lied about the size is found out."""
    with archive.open(member) as stream:
        content = stream.read(limits.expanded_bytes + 1)
    if len(content) > limits.expanded_bytes:
        raise Refused("zip_too_large", size=len(content) // 2**20, most=limits.expanded_bytes // 2**20)
    return content


def _folder(archive: zipfile.ZipFile, limits: Limits) -> dict[str, Any]:
    sheets: list[tuple[str, list[list[str]]]] = []
    faults: list[Fault] = []
    others: list[str] = []
    for member in archive.infolist():
        path = PurePosixPath(_name(member))
        if member.is_dir() or "__MACOSX" in path.parts or path.name.startswith("."):
            continue
        if path.suffix.lower() != ".csv":
            others.append(path.name[:100])
            continue
        content = _bytes(archive, member, limits)
        if content.startswith(b"PK\x03\x04"):
            raise Refused("zip_nested", name=path.name[:100])
        read = sheet_of_csv(path.name[: -len(path.suffix)], content)
        if isinstance(read, Sheet):
            sheets.append((read.name, list(read.records)))
        else:
            faults.append(read)
    return {
        "workbook": False,
        "sheets": sheets,
        "faults": [(fault.file, fault.code, fault.facts, fault.line) for fault in faults],
        "others": others,
    }


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name; Windows writes Chinese names in GBK without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return member.filename


def _workbook(path: str, archive: zipfile.ZipFile, limits: Limits) -> dict[str, Any]:
    for member in archive.infolist():
        if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
            _check_extent(_bytes(archive, member, limits), limits)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        visible = [sheet.name for sheet in workbook.sheets_metadata if str(sheet.typ) == "SheetTypeEnum.WorkSheet"]
        sheets = [(name, _cells(workbook.get_sheet_by_name(name))) for name in visible]
    except (python_calamine.CalamineError, ValueError, OSError):
        raise Refused("not_a_workbook") from None
    return {"workbook": True, "sheets": sheets, "faults": [], "others": []}


def _check_extent(xml: bytes, limits: Limits) -> None:
    """A lone cell in the last column of the last row would make a table of 17 thousand million cells."""
    for found in _CELL.finditer(xml):
        column = 0
        for letter in found[1]:
            column = column * 26 + letter - 64
        if column > limits.columns or int(found[2]) > limits.rows:
            cell = (found[1] + found[2]).decode()
            raise Refused("cell_too_far", cell=cell, columns=limits.columns, rows=limits.rows)
    for found in _ROW.finditer(xml):
        if int(found[1]) > limits.rows:
            raise Refused("cell_too_far", cell=found[1].decode(), columns=limits.columns, rows=limits.rows)


def _cells(sheet: Any) -> list[list[str]]:
    return [[_text(value) for value in record] for record in sheet.to_python(skip_empty_area=False)]


def _text(value: object) -> str:
    """A cell as a CSV file would hold it."""
    match value:
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)
        case datetime():
            if value.year < 1901:  # a time of day that the workbook stores as a date
                return f"{value:%H:%M}"
            return value.date().isoformat() if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
        case timedelta():
            minutes = int(value.total_seconds()) // 60
            return f"{minutes // 60:02}:{minutes % 60:02}"
        case _:
            return str(value)


if __name__ == "__main__":
    answer = main(sys.argv[1], Limits(**json.loads(sys.argv[2])))
    json.dump(answer, sys.stdout, ensure_ascii=True)
