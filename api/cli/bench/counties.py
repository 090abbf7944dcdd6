"""The counties a bench is given: folders of files, and made-up ones."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from config.words import LANGUAGES, say_both
from rooms.benching.trials import Method, Trial
from rooms.generating import SizeName, generated
from rooms.importing import read_county
from rooms.planning.files import lessons
from rooms.planning.problem import problem_of
from scheduler.problem import Problem


def problems(folders: Iterable[Path], made: int, size: SizeName) -> Iterator[tuple[str, Problem]]:
    """Name and problem of every county, one after the other; ends the command where a county has mistakes."""
    for folder in folders:
        reading = read_county(folder)
        if reading.county is None:
            sys.exit(
                "\n".join(
                    f"{one.place(language)}: {one.sentence(language)}"
                    for one in reading.errors
                    for language in LANGUAGES
                )
            )
        yield folder.name, problem_of(reading.county)
    for seed in range(1, made + 1):
        yield f"made-{size}-{seed}", problem_of(generated(seed, size))


def write(path: Path | None, text: str) -> None:
    """Into the file, or to standard output."""
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


def tell_trial(county: str, method: Method, seed: int, trial: Trial) -> None:
    """One line of progress, on standard error: the result is on standard output."""
    served = lessons(trial.plan.served_weighted) if trial.plan else "—"
    facts = {"county": county, "method": method, "seed": seed, "seconds": round(trial.seconds, 1), "served": served}
    print(say_both("cli.bench_trial", **facts), file=sys.stderr)
