"""Files made to harm: they are refused in good time, with a reason, and the server goes on."""

import io
import struct
import time
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from county_samples import FLAWLESS, folder_of, workbook_of, zip_of

from config.words import LANGUAGES
from rooms.importing import Limits, read_county


def refusal(path: Path, limits: Limits | None = None) -> str:
    """The code of the one error of a refused file; its sentence exists in both languages."""
    reading = read_county(path, limits)
    assert reading.county is None
    (finding,) = reading.findings
    assert all(finding.sentence(language) for language in LANGUAGES)
    assert finding.file == path.name
    return finding.code


BUSY = 10.0
"""Seconds in which a second's work is done on a busy machine. What these files ask for would take hours, or all memory."""


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def template(tmp_path: Path) -> dict[str, bytes]:
    """The parts of an honest workbook, to be replaced."""
    with zipfile.ZipFile(workbook_of(tmp_path / "honest.xlsx", FLAWLESS)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_cell_at_the_far_end_is_refused_in_a_second(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("county")
        sheet.write("A1", "county_code")
        sheet.write("XFD1048576", "boom")
    started = time.monotonic()
    assert refusal(path) == "cell_too_far"
    assert time.monotonic() - started < BUSY  # a second of work


@pytest.mark.parametrize(
    "cell",
    [
        b'<c t="inlineStr" r="XFD1048576"><is><t>x</t></is></c>',
        b"<c\tt='inlineStr' r='XFD1048576'><is><t>x</t></is></c>",
        b'<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="XFD1048576"/>',
    ],
)
def test_a_far_cell_in_disguise_does_no_harm(tmp_path: Path, template: dict[str, bytes], cell: bytes) -> None:
    sheet = template["xl/worksheets/sheet1.xml"]
    template["xl/worksheets/sheet1.xml"] = sheet.replace(
        b"</sheetData>", b"<row r='1048576'>" + cell + b"</row></sheetData>"
    )
    started = time.monotonic()
    assert refusal(packed(tmp_path / "disguised.xlsx", template)) == "cell_too_far"
    assert time.monotonic() - started < BUSY


def test_a_bomb_is_seen_in_the_directory(tmp_path: Path) -> None:
    assert refusal(packed(tmp_path / "b.zip", {"a.csv": bytes(30 * 2**20)})) == "zip_too_large"
    assert refusal(packed(tmp_path / "r.zip", {"a.csv": bytes(10 * 2**20)})) == "zip_ratio"


def test_a_directory_that_lies_about_sizes_is_found_out(tmp_path: Path) -> None:
    """The directory says 100 bytes, the stream holds 30 MB: no more than the limit is ever expanded."""
    path = packed(tmp_path / "liar.zip", {"county.csv": bytes(30 * 2**20)})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    assert read_county(path).county is None


def test_too_many_members(tmp_path: Path) -> None:
    assert refusal(packed(tmp_path / "many.zip", {f"{number}.csv": b"a\n" for number in range(201)})) == "zip_too_many"


@pytest.mark.parametrize(
    "name", ["../county.csv", "/etc/county.csv", "a/../../county.csv", "C:\\county.csv", "..\\x.csv"]
)
def test_a_path_out_of_the_archive(tmp_path: Path, name: str) -> None:
    assert refusal(packed(tmp_path / "path.zip", {name: b"a\n"})) == "zip_path"


def test_a_link_in_the_archive(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("county.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(tmp_path / "link.zip") == "zip_path"


@pytest.mark.parametrize("name", ["inner.zip", "inner.xlsx", "county.csv"])
def test_an_archive_in_the_archive(tmp_path: Path, name: str) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("county.csv", "a\n")
    assert refusal(packed(tmp_path / "outer.zip", {name: inner.getvalue()})) == "zip_nested"


def test_a_password(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "secret.zip", {"county": "a\n"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    assert refusal(path) == "zip_encrypted"


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0 an old workbook", b"PK\x05\x06 cut off", b"%PDF-1.7"])
def test_no_archive_at_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "county.xlsx").write_bytes(content)
    assert refusal(tmp_path / "county.xlsx") == "not_a_zip"


def test_a_workbook_with_broken_parts(tmp_path: Path, template: dict[str, bytes]) -> None:
    template["xl/workbook.xml"] = b"<workbook"
    assert refusal(packed(tmp_path / "broken.xlsx", template)) == "not_a_workbook"


def test_a_string_repeated_without_end_meets_the_limit_of_memory(tmp_path: Path, template: dict[str, bytes]) -> None:
    """A shared string of a megabyte in a hundred thousand cells: a small file that means 100 GB."""
    template["xl/sharedStrings.xml"] = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="1"><si><t>'
        + b"".join(b"%06d" % number for number in range(170_000))
        + b"</t></si></sst>"
    )
    cells = b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % row for row in range(1, 100))
    rows = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(2, 100_000))
    sheet = template["xl/worksheets/sheet1.xml"]
    start, end = sheet.index(b"<sheetData>"), sheet.index(b"</sheetData>")
    template["xl/worksheets/sheet1.xml"] = (
        sheet[:start] + b"<sheetData><row r='1'>" + cells + b"</row>" + rows + sheet[end:]
    )
    started = time.monotonic()
    assert refusal(packed(tmp_path / "echo.xlsx", template)) == "too_demanding"
    assert time.monotonic() - started < 4 * BUSY


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "county.zip", FLAWLESS)
    assert refusal(path, Limits(seconds=0.01)) == "too_demanding"
    assert refusal(path, Limits(cpu_seconds=0)) == "too_demanding"
    assert refusal(path, Limits(memory_bytes=2**24)) == "too_demanding"


def test_a_large_file_is_not_opened(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "county.zip", FLAWLESS)
    assert refusal(path, Limits(file_bytes=100)) == "too_large"
    folder = folder_of(tmp_path / "county", FLAWLESS)
    assert "too_large" in {finding.code for finding in read_county(folder, Limits(expanded_bytes=500)).errors}


def test_names_in_the_windows_way(tmp_path: Path) -> None:
    """Chinese names written in GBK, without the flag that says how they are written."""
    path = tmp_path / "windows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FLAWLESS.items():
            archive.writestr(f"{'XXXX' if name == 'schools' else name}.csv", text)
    path.write_bytes(path.read_bytes().replace(b"XXXX.csv", "学校".encode("gbk") + b".csv"))
    assert read_county(path).county is not None
