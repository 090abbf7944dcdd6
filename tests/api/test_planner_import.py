"""Import through the web: a bad file is reported whole and changes nothing, a good one is taken whole."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, Site
from sqlalchemy import func, select

from rooms import tables

DEMO = Path(__file__).parents[2] / "config" / "demo" / "county"
Table = list[list[str]]


def county_zip(code: str = "alpha", **changes: Callable[[Table], object]) -> bytes:
    """The demonstration county under another code, some of its tables changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(DEMO.glob("*.csv")):
            table = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
            if path.stem == "county":
                table[1][table[0].index("county_code")] = code
            if path.stem in changes:
                changes[path.stem](table)
            text = io.StringIO(newline="")
            csv.writer(text).writerows(table)
            packed.writestr(path.name, text.getvalue())
    return target.getvalue()


def put(row: int, column: str, value: str) -> Callable[[Table], object]:
    """Writes a cell; the first data row is 1."""

    def change(table: Table) -> None:
        table[row][table[0].index(column)] = value

    return change


def several(*changes: Callable[[Table], object]) -> Callable[[Table], object]:
    return lambda table: [change(table) for change in changes]


BAD = county_zip(
    schools=several(put(2, "kind", "palace"), put(3, "bell_code", "no-such-bell")),
    teachers=several(put(1, "school_code", "no-such-school"), put(4, "max_remote_per_week", "many")),
    classes=several(put(1, "size", "-3"), put(5, "grades", "13")),
    lessons=several(put(1, "weekday", "9"), put(7, "teacher_code", "nobody")),
    rooms=put(2, "max_receivers", "x"),
    calendar=put(1, "date", "2026-13-40"),
)
WRONG = {
    ("schools.csv", 2, "kind"),
    ("schools.csv", 3, "bell_code"),
    ("teachers.csv", 1, "school_code"),
    ("teachers.csv", 4, "max_remote_per_week"),
    ("classes.csv", 1, "size"),
    ("classes.csv", 5, "grades"),
    ("lessons.csv", 1, "weekday"),
    ("lessons.csv", 7, "teacher_code"),
    ("rooms.csv", 2, "max_receivers"),
    ("calendar.csv", 1, "date"),
}


def form(body: bytes, name: str = "county.zip", **fields: str) -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    for key, value in fields.items():
        data.add_field(key, value)
    data.add_field("file", body, filename=name)
    return data


async def county_state(site: Site) -> tuple[int, int, int]:
    """Revision, schools and imports of the county: what must not change."""
    async with site.server.services.store.read() as session:
        county = await session.get_one(tables.County, "alpha")
        schools = await session.scalar(select(func.count()).select_from(tables.School))
        imports = await session.scalar(select(func.count()).select_from(tables.ImportRun))
        return county.revision, schools or 0, imports or 0


async def test_ten_mistakes_are_all_reported_and_nothing_changes(site: Site) -> None:
    before = await county_state(site)
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports/check", data=form(BAD)) as answer:
            assert answer.status == 200, await answer.text()
            report = await answer.json()
        async with client.post("/api/planner/alpha/imports", data=form(BAD)) as answer:
            assert answer.status == 422
            assert (await answer.json())["code"] == "import_has_errors"
    assert report["ok"] is False
    found = {(each["file"], each["row"], each["column"]) for each in report["findings"] if each["level"] == "error"}
    assert found >= WRONG, WRONG - found
    for each in report["findings"]:
        assert each["sentence"]["zh_CN"] != each["sentence"]["en"]
        assert str(each["row"] or "") in each["place"]["zh_CN"]
    assert await county_state(site) == before


async def test_a_good_file_is_taken_whole_and_a_second_one_shows_its_difference(site: Site) -> None:
    good = county_zip()
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports/check", data=form(good)) as answer:
            report = await answer.json()
            assert report["ok"] is True, report["findings"][:3]
            assert await county_state(site) == (1, 4, 0)
        async with client.post("/api/planner/alpha/imports", data=form(good, sha256=report["sha256"])) as answer:
            assert answer.status == 201, await answer.text()
            assert (await answer.json())["revision"] == 2
        other = county_zip(schools=put(1, "name", "改名小学"))
        async with client.post("/api/planner/alpha/imports/check", data=form(other)) as answer:
            again = await answer.json()
        assert [(each["file"], each["added"], each["changed"], each["removed"]) for each in again["files"]] == [
            ("schools.csv", 0, 1, 0)
        ]
        assert again["files"][0]["samples"][0]["cells"][0][2] == "改名小学"
        async with client.post("/api/planner/alpha/imports", data=form(other, sha256=report["sha256"])) as answer:
            assert answer.status == 409
            assert (await answer.json())["code"] == "import_changed"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_files_of_another_county_are_refused(site: Site) -> None:
    before = await county_state(site)
    beta = county_zip("beta")
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports/check", data=form(beta)) as answer:
            report = await answer.json()
            assert report["ok"] is False
            assert [each["code"] for each in report["findings"] if each["level"] == "error"] == ["other_county"]
        async with client.post("/api/planner/alpha/imports", data=form(beta)) as answer:
            assert answer.status == 409
        async with client.post("/api/planner/beta/imports", data=form(beta)) as answer:
            assert answer.status == 404
    assert await county_state(site) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_is_no_county_file_is_told_so(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports/check", data=form(b"hello", "notes.txt")) as answer:
            assert answer.status == 415
        async with client.post("/api/planner/alpha/imports/check", data=form(b"not a zip", "county.zip")) as answer:
            assert answer.status == 200
            report = await answer.json()
            assert report["ok"] is False
            assert report["errors"] >= 1


def named(name: bytes) -> dict[str, Any]:
    """An upload as a program writes it that cares little for the name of its file."""
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    return {
        "data": part + county_zip() + b"\r\n--x--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    }


@pytest.mark.parametrize("name", ["县区.zip".encode("gbk"), "县区.zip".encode(), b"C:\\data\\county.ZIP"])
async def test_a_file_is_taken_whatever_it_is_called(site: Site, name: bytes) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.post("/api/planner/alpha/imports/check", **named(name)) as answer:
            assert answer.status == 200, await answer.text()
        async with client.post("/api/planner/alpha/imports", **named(name)) as answer:
            assert answer.status == 201, await answer.text()
        async with client.get("/planner/alpha/import", headers=PAGE) as answer:
            assert answer.status == 200


async def test_a_form_that_is_none_is_refused(site: Site) -> None:
    asked = named(b"a\x00b.zip")
    async with (
        site.client(site.as_("planner")) as client,
        client.post("/api/planner/alpha/imports/check", **asked) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")
