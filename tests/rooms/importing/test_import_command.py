"""``sanke import``: reports in both languages, asks before it writes, and says by its exit code what happened."""

import asyncio
from pathlib import Path

import pytest
from county_samples import FLAWLESS, folder_of, spoilt, workbook_of

from api.cli.importing import import_county
from rooms.counties import CountyEntry, list_counties
from rooms.store import Store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANKE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "160")
    return folder_of(tmp_path / "county", FLAWLESS)


def run(path: Path, **options: bool) -> int:
    with pytest.raises(SystemExit) as ended:
        import_county(path, **options)
    return int(ended.value.code or 0)


def stored(folder: Path) -> list[CountyEntry]:
    async def read() -> list[CountyEntry]:
        store = Store(f"sqlite+aiosqlite:///{folder.parent / 'var' / 'sanke.db'}")
        try:
            async with store.read() as session:
                return await list_counties(session)
        finally:
            await store.close()

    return asyncio.run(read())


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, dry_run=True) == 0
    assert stored(folder) == []
    said = capsys.readouterr().out
    assert "只检查，未写入" in said
    assert "Checked only" in said


def test_without_a_yes_nothing_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt="": "n")
    assert run(folder) == 1
    assert stored(folder) == []


def test_a_second_import_shows_what_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, yes=True) == 0
    (entry,) = stored(folder)
    assert (entry.code, entry.revision, entry.synthetic) == ("X1", 1, False)
    capsys.readouterr()
    changed = spoilt(teachers=FLAWLESS["teachers"].replace("甲", "甲某"))
    assert run(workbook_of(folder.parent / "new.xlsx", changed), yes=True) == 0
    said = capsys.readouterr().out
    assert "teachers.csv" in said
    assert "甲 → 甲某" in said
    assert stored(folder)[0].revision == 2


def test_mistakes_and_missing_files_have_their_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "schools.csv").unlink()
    assert run(folder, yes=True) == 1
    assert "schools.csv" in capsys.readouterr().out
    assert run(folder / "nowhere", yes=True) == 2
