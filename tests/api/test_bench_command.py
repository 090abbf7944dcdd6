"""``sanke bench`` says what it cannot measure, and names mistakes in a county's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.bench.counties import problems
from api.cli.bench.plan import methods_here


def test_a_machine_without_fet_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    assert methods_here() == ["plain greedy", "monolithic CP-SAT"]
    assert "apt install fet" in capsys.readouterr().err


def test_a_county_with_mistakes_ends_the_command_with_words(tmp_path: Path) -> None:
    (tmp_path / "schools.csv").write_text("rubbish\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"schools\.csv"):
        list(problems((tmp_path,), 0, "small"))


def test_made_up_counties_follow_those_of_files() -> None:
    assert [name for name, _ in problems((), 2, "small")] == ["made-small-1", "made-small-2"]
