"""``sanke plan``: plans a county from its files into a folder of files."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from config.settings import Settings
from config.words import LANGUAGES, say
from rooms.importing import Reading, read_county
from rooms.planning.files import lessons, read_plan, write_plan
from rooms.planning.problem import problem_of
from rooms.refusals import Refusal
from scheduler.check import check
from scheduler.outcome import Ended, Limits, Outcome, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.solve import solve

WRITING = 1.2
"""Seconds kept for the judge, the files and the end of the process; large counties need most of it."""


def plan(
    county: Path,
    /,
    *,
    out: Path,
    time_limit: Annotated[float, Parameter(validator=Number(gte=2))] = 60.0,
    seed: int = 1,
    previous: Path | None = None,
    deterministic: bool = False,
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"])] = False,
) -> None:
    """为县区排课 / plan a county: reads its files, writes pairings, meetings, what is unmet and why, and a summary.

    退出码 / exit codes: 0 已写出合法方案 a legal plan was written, 1 输入有错误 mistakes in the input, 2 未得到方案 no plan.

    Parameters
    ----------
    county
        县区文件夹、zip 或 xlsx / the county's folder, zip or workbook.
    out
        输出文件夹 / folder to write into.
    time_limit
        从启动到写完的总秒数 / seconds from start to the last file, all included.
    seed
        随机种子 / seed of the search.
    previous
        上一版方案的文件夹 / folder of a plan that stood before; meetings that stay keep their codes.
    deterministic
        单进程、固定步数,两次结果完全相同 / one process, counted steps: the same bytes twice.
    workers
        搜索进程数 / search processes.
    quiet
        不显示进度 / no progress lines.
    """
    began = time.monotonic() - process_age()
    console = Console(stderr=True, highlight=False)
    problem = _problem(console, county)
    before = _previous(console, previous, problem)
    left = time_limit - (time.monotonic() - began) - WRITING
    limits = Limits(
        seconds=max(0.5, left),
        seed=seed,
        workers=workers,
        memory_mb=Settings().plan_memory_mb,
        deterministic=deterministic,
    )
    outcome = solve(problem, limits, previous=before, report=_Teller(console, quiet))
    planned = _plan_of(console, outcome)
    violations = check(problem, planned)
    if violations:
        _say(console, "plan.not_legal", rule=violations[0].rule, count=len(violations))
        sys.exit(2)
    write_plan(out, problem, planned)
    if not quiet:
        _summary(console, planned, out)


def process_age() -> float:
    """Seconds since this process was started, the interpreter's own start included (Linux); else 0."""
    try:
        with open("/proc/self/stat", encoding="ascii") as stat, open("/proc/uptime", encoding="ascii") as uptime:
            ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
            return max(0.0, float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0


def _say(console: Console, key: str, **facts: object) -> None:
    for language in LANGUAGES:
        console.print(say(language, key, **facts), markup=False)


def _problem(console: Console, county: Path) -> Problem:
    reading: Reading = read_county(county)
    if reading.county is None:
        for finding in reading.errors:
            for language in LANGUAGES:
                console.print(f"{finding.place(language)}: {finding.sentence(language)}", markup=False)
        sys.exit(1)
    return problem_of(reading.county)


def _previous(console: Console, folder: Path | None, problem: Problem) -> Plan | None:
    if folder is None:
        return None
    try:
        return read_plan(folder, problem)
    except Refusal as refusal:
        _say(console, f"refusal.{refusal.code}", **refusal.facts)
        sys.exit(1)


def _plan_of(console: Console, outcome: Outcome) -> Plan:
    match outcome:
        case Solved(planned, cut):
            if cut is not None and cut.reason != "stopped":
                _say(console, f"plan.cut_{cut.reason}", **cut.facts)
            return planned
        case Ended(reason, facts):
            _say(console, f"plan.ended_{reason}", **{"attempts": 1, **facts})
            sys.exit(2)


class _Teller:
    """A line of progress now and then."""

    def __init__(self, console: Console, quiet: bool) -> None:
        self.console, self.quiet, self.told = console, quiet, -5.0

    def __call__(self, progress: Progress) -> None:
        if self.quiet or progress.served_weighted is None or progress.seconds - self.told < 5:
            return
        self.told = progress.seconds
        facts = {
            "seconds": round(progress.seconds),
            "served": lessons(progress.served_weighted),
            "bound": "—" if progress.bound_weighted is None else lessons(progress.bound_weighted),
        }
        _say(self.console, "plan.progress", **facts)


def _summary(console: Console, planned: Plan, out: Path) -> None:
    facts = {
        "served": lessons(planned.served_halves),
        "needed": lessons(planned.needed_halves),
        "weighted": lessons(planned.served_weighted),
        "bound": lessons(planned.bound_weighted),
        "gap": f"{100 * planned.gap:.2f}",
        "meetings": len(planned.meetings),
        "folder": out,
    }
    _say(console, "plan.summary", **facts)
