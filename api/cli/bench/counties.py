"""The counties a bench is given: folders of files, and made-up ones."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rooms.generating import SizeName, generated
from rooms.importing import read_county
from rooms.planning.problem import problem_of
from scheduler.problem import Problem


def problems(folders: Iterable[Path], made: int, size: SizeName) -> Iterator[tuple[str, Problem]]:
    """Name and problem of every county, one after the other; ends the command where a county has mistakes."""
    for folder in folders:
        reading = read_county(folder)
        if reading.county is None:
            first = reading.errors[0]
            sys.exit(f"{folder}: {len(reading.errors)} errors; {first.place('en')}: {first.sentence('en')}")
        yield folder.name, problem_of(reading.county)
    for seed in range(1, made + 1):
        yield f"made-{size}-{seed}", problem_of(generated(seed, size))


def write(path: Path | None, text: str) -> None:
    """Into the file, or to standard output."""
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")
