"""``sanke import``: checks a county's files, shows what would change, and puts them into the store, whole or not at all."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm
from rich.table import Table

from api.cli.running import settings_given, starting_told, store_open
from config.words import LANGUAGES, Language, say
from rooms.clock import SystemClock
from rooms.counties import preview, save_county
from rooms.county import County
from rooms.differences import Diff
from rooms.gaps import needs_of
from rooms.importing import Reading, read_county, sha256_of
from rooms.store import Actor

OPERATOR = Actor("command line", "operator")


def import_county(
    county: Path,
    /,
    *,
    dry_run: bool = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    language: Literal["zh_CN", "en", "both"] = "both",
) -> None:
    """导入县区数据（CSV 文件夹、zip 或 xlsx）/ import a county: a folder of CSV files, a zip of it, or one .xlsx workbook.

    退出码 / exit codes: 0 正常 fine, 1 文件有错误或未确认 mistakes or not confirmed, 2 打不开 cannot be opened.

    Parameters
    ----------
    county
        文件夹或文件 / the folder or file.
    dry_run
        只检查并显示变更 / check and show what would change, write nothing.
    yes
        不再询问 / do not ask.
    language
        报告的语言 / language of the report.
    """
    console = Console(highlight=False, soft_wrap=False)
    languages = LANGUAGES if language == "both" else (language,)
    if not county.exists():
        console.print(_both(languages, "import.no_such_path"), style="red")
        sys.exit(2)
    reading = read_county(county)
    show_findings(console, languages, county.name, reading)
    if reading.county is None:
        console.print(_both(languages, "import.report.nothing_changed"), style="bold")
        sys.exit(1)
    with starting_told():
        sys.exit(asyncio.run(_store(console, languages, county, reading.county, dry_run=dry_run, yes=yes)))


async def _store(
    console: Console, languages: tuple[Language, ...], path: Path, county: County, *, dry_run: bool, yes: bool
) -> int:
    async with store_open(settings_given()) as store:
        show_contents(console, languages, county)
        show_diff(console, languages, await preview(store, county))
        if dry_run:
            console.print(_both(languages, "import.report.dry_run"))
            return 0
        if not yes and not await asyncio.to_thread(_confirmed, console, languages):
            console.print(_both(languages, "import.report.not_confirmed"))
            return 1
        digest = sha256_of(path)
        run = await save_county(store, OPERATOR, SystemClock(), county, file_name=path.name, sha256=digest)
        console.print(_both(languages, "import.report.saved", revision=run.revision), style="green")
        return 0


def _confirmed(console: Console, languages: tuple[Language, ...]) -> bool:
    """Whether the person says yes; without a terminal nobody does."""
    try:
        return Confirm.ask(_both(languages, "import.report.confirm"), console=console, default=False)
    except EOFError:
        return False


def _both(languages: tuple[Language, ...], key: str, **fields: object) -> str:
    return escape(" / ".join(say(language, key, **fields) for language in languages))


def show_findings(console: Console, languages: tuple[Language, ...], name: str, reading: Reading) -> None:
    """A table of every error and warning: where, and how to mend it."""
    if reading.findings:
        table = Table(title=_both(languages, "import.report.title", file=name), show_lines=True)
        for key in ("level", "place", "sentence"):
            table.add_column(_both(languages, f"import.report.column.{key}"), overflow="fold")
        for finding in reading.findings:
            place = "\n".join(finding.place(language) for language in languages)
            sentence = "\n".join(finding.sentence(language) for language in languages)
            style = "red" if finding.is_error else "yellow"
            level = _both(languages, f"import.report.{finding.level}")
            table.add_row(f"[{style}]{level}[/]", escape(place), escape(sentence))
        console.print(table)
    errors, warnings = len(reading.errors), len(reading.warnings)
    console.print(_both(languages, "import.report.counts", errors=errors, warnings=warnings))


def show_contents(console: Console, languages: tuple[Language, ...], county: County) -> None:
    """One line: how much of everything there is."""
    facts = {
        "name": county.name,
        "code": county.code,
        "schools": len(county.schools),
        "teachers": len(county.teachers),
        "classes": len(county.classes),
        "lessons": len(county.lessons),
        "needs": len(needs_of(county)),
    }
    for language in languages:
        console.print(escape(say(language, "import.report.contents", **facts)), soft_wrap=True)


def show_diff(console: Console, languages: tuple[Language, ...], diff: Diff) -> None:
    """What saving would change, file by file, with samples."""
    if diff.first:
        console.print(_both(languages, "import.diff.first"))
        return
    if not diff.any:
        console.print(_both(languages, "import.diff.none"))
        return
    table = Table(title=_both(languages, "import.diff.title"))
    for key in ("file", "added", "changed", "removed", "samples"):
        table.add_column(_both(languages, f"import.diff.{key}"), overflow="fold")
    marks = {"added": "+", "changed": "~", "removed": "-"}
    for file in diff.files:
        if file.any:
            samples = []
            for change in file.samples:
                cells = "; ".join(f"{column}: {before} → {after}" for column, before, after in change.cells)
                samples.append(f"{marks[change.kind]} {change.key}" + (f" ({cells})" if cells else ""))
            counts = (str(file.added), str(file.changed), str(file.removed))
            table.add_row(file.file, *counts, escape("\n".join(samples)))
    console.print(table)
