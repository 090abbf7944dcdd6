"""A county's files, up and down: a dry run that reports every mistake, then all or nothing."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from api.planner.desk import CountyPath, download, head_of, routes, show
from api.problems import Problem
from api.routing import Call, Nothing, Shape
from api.uploads import Received, receive
from config.words import LANGUAGES, say
from rooms.counties import load_county, preview, save_county
from rooms.differences import Diff
from rooms.exporting import template, workbook_of, zip_of
from rooms.importing import Finding, Limits, Reading, read_county
from rooms.importing.columns import FORMS
from rooms.planning.outlook import imports_of
from rooms.refusals import Conflict, Invalid

SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"


class FindingView(Shape):
    """A mistake and how to mend it, in both languages. `row` counts data rows, `line` is the spreadsheet's."""

    level: str
    file: str
    row: int | None
    line: int | None
    column: str
    code: str
    place: dict[str, str]
    sentence: dict[str, str]


class ChangeView(Shape):
    kind: str
    key: str
    cells: list[list[str]]


class FileView(Shape):
    """What one file changes."""

    file: str
    title: dict[str, str]
    added: int
    changed: int
    removed: int
    samples: list[ChangeView]


class Report(Shape):
    """A dry run. `ok` says whether the import may be confirmed; `sha256` names the file that was read."""

    ok: bool
    file_name: str
    sha256: str
    county: str = Field(description="Code of the county in the files; empty where they cannot be read.")
    errors: int
    warnings: int
    findings: list[FindingView]
    first: bool
    files: list[FileView]


class Accepted(Shape):
    """An accepted import."""

    revision: int
    changes: dict[str, dict[str, int]]


@routes.get("/planner/{county}/import", needs="county.import", summary="Import a county's files", page=True)
async def import_page(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        imports = await imports_of(session, head.county)
    return show(call, "import", head, imports=imports, forms=FORMS, most_mb=call.app.settings.upload_max_mb)


@routes.post(
    "/api/planner/{county}/imports/check", needs="county.import", summary="Read county files without keeping them",
    upload=True, limit="import",
)  # fmt: skip
async def check(call: Call[CountyPath, Nothing, Nothing]) -> Report:
    async with receive(call.request, max_bytes=call.app.settings.upload_max_mb << 20) as received:
        reading = await _read(call, received)
    diff = await preview(call.app.store, reading.county) if reading.county else None
    return _report(call.path.county, received, reading, diff)


@routes.post(
    "/api/planner/{county}/imports", needs="county.import", summary="Import county files, all or nothing", upload=True,
    status=201, limit="import",
)  # fmt: skip
async def accept(call: Call[CountyPath, Nothing, Nothing]) -> Accepted:
    app = call.app
    async with receive(call.request, max_bytes=app.settings.upload_max_mb << 20) as received:
        reading = await _read(call, received)
    if received.fields.get("sha256", received.sha256) != received.sha256:
        raise Conflict("import_changed")
    if reading.county is None:
        raise Invalid("import_has_errors", count=len(reading.errors))
    run = await save_county(
        app.store, call.actor, app.clock, reading.county, file_name=received.name, sha256=received.sha256,
        into=call.path.county,
    )  # fmt: skip
    return Accepted(revision=run.revision, changes=run.changes)


async def _read(call: Call[CountyPath, Nothing, Nothing], received: Received) -> Reading:
    most = call.app.settings.upload_max_mb << 20
    if received.path.suffix not in (".zip", ".xlsx"):
        raise Problem("wrong_type", facts={"accepted": ".zip, .xlsx"})
    return await asyncio.to_thread(read_county, received.path, Limits(file_bytes=most))


def _report(county: str, received: Received, reading: Reading, diff: Diff | None) -> Report:
    found = reading.county
    findings = [_finding(each) for each in reading.findings]
    if found is not None and found.code != county:
        other = Finding(
            "error", "county.csv", 1, "county_code", "other_county", {"county": found.code, "expected": county}
        )
        findings.insert(0, _finding(other, "refusal"))
    errors = sum(each.level == "error" for each in findings)
    return Report(
        ok=errors == 0,
        file_name=received.name,
        sha256=received.sha256,
        county=found.code if found else "",
        errors=errors,
        warnings=len(findings) - errors,
        findings=findings,
        first=diff.first if diff else False,
        files=_changes(diff) if diff else [],
    )


def _finding(finding: Finding, domain: str = "import") -> FindingView:
    return FindingView(
        level=finding.level,
        file=finding.file,
        row=finding.row,
        line=finding.line or (None if finding.row is None else finding.row + 1),
        column=finding.column,
        code=finding.code,
        place={language: finding.place(language) for language in LANGUAGES},
        sentence={language: say(language, f"{domain}.{finding.code}", **finding.facts) for language in LANGUAGES},
    )


def _changes(diff: Diff) -> list[FileView]:
    titles = {form.file: {str(language): form.title(language) for language in LANGUAGES} for form in FORMS}
    return [
        FileView(
            file=each.file,
            title=titles[each.file],
            added=each.added,
            changed=each.changed,
            removed=each.removed,
            samples=[
                ChangeView(kind=change.kind, key=change.key, cells=[list(cell) for cell in change.cells])
                for change in each.samples
            ],
        )
        for each in diff.files
        if each.any
    ]


@routes.get(
    "/planner/{county}/template.xlsx", needs="county.read", summary="An empty workbook to fill in", produces=SHEET
)
async def empty_workbook(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    body = await asyncio.to_thread(template, call.caller.language)
    return download(body, SHEET, call.say("planner.template_name") + ".xlsx")


@routes.get("/planner/{county}/county.xlsx", needs="county.read", summary="The county as a workbook", produces=SHEET)
async def workbook(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        county = await load_county(session, call.path.county)
    body = await asyncio.to_thread(workbook_of, county, call.caller.language)
    return download(body, SHEET, f"{county.code}.xlsx")


@routes.get("/planner/{county}/county.zip", needs="county.read", summary="The county as CSV files", produces=ZIP)
async def csv_files(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        county = await load_county(session, call.path.county)
    return download(await asyncio.to_thread(zip_of, county), ZIP, f"{county.code}.zip")
