"""``sanke plan``: plans a county from its files into a folder of files."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from api.cli.planning_several import plan_several
from api.cli.running import settings_given
from api.cli.telling import say_all, standing_plan, tell_before, tell_end, tell_mistakes
from rooms.importing import Reading, read_county
from rooms.planning.files import lessons, write_plan
from rooms.planning.problem import problem_of
from scheduler.check import check
from scheduler.outcome import Limits, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.solve import solve

WRITING = 1.2
"""Seconds kept for the judge, the files and the end of the process; large counties need most of it."""


def plan(
    county: Path,
    /,
    *more: Path,
    out: Path,
    time_limit: Annotated[float, Parameter(validator=Number(gte=2))] = 60.0,
    seed: int = 1,
    previous: Path | None = None,
    deterministic: bool = False,
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"])] = False,
) -> None:
    """为县区排课 / plan a county: reads its files, writes pairings, meetings, what is unmet and why, and a summary.

    多个县区一起排时,总时间按规模分给各县,每县写入输出文件夹下的同名文件夹 / several counties share the time by their size, each is written into a
    folder of its name below the output folder.

    退出码 / exit codes: 0 已写出合法方案 a legal plan was written, 1 输入有错误 mistakes in the input, 2 未得到方案 no plan.

    Parameters
    ----------
    county
        县区文件夹、zip 或 xlsx / the county's folder, zip or workbook.
    more
        其他县区 / further counties.
    out
        输出文件夹 / folder to write into.
    time_limit
        从启动到写完的总秒数 / seconds from start to the last file, all included.
    seed
        随机种子 / seed of the search.
    previous
        上一版方案的文件夹 / folder of a plan that stood before; meetings that stay keep their codes. 多个县区时为其上级文件夹 / with several
        counties, the folder that holds one for each.
    deterministic
        单进程、固定步数,两次结果完全相同 / one process, counted steps: the same bytes twice.
    workers
        搜索进程数 / search processes.
    quiet
        不显示进度 / no progress lines.
    """
    began = time.monotonic() - process_age()
    console = Console(stderr=True, highlight=False)
    limits = Limits(seed=seed, workers=workers, memory_mb=settings_given().plan_memory_mb, deterministic=deterministic)
    if more:
        sys.exit(plan_several(console, (county, *more), out, previous, limits, began + time_limit - WRITING, quiet))
    problem = _problem(console, county)
    if not quiet:
        tell_before(console, problem)
    before = standing_plan(console, previous, problem)
    limits = replace(limits, seconds=max(0.5, began + time_limit - WRITING - time.monotonic()))
    outcome = solve(problem, limits, previous=before, report=_Teller(console, quiet))
    tell_end(console, outcome)
    if not isinstance(outcome, Solved):
        sys.exit(2)
    planned = outcome.plan
    violations = check(problem, planned)
    if violations:
        say_all(console, "plan.not_legal", {"rule": violations[0].rule, "count": len(violations)})
        sys.exit(2)
    write_plan(out, problem, planned, before)
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


def _problem(console: Console, county: Path) -> Problem:
    reading: Reading = read_county(county)
    if reading.county is None:
        tell_mistakes(console, reading)
        sys.exit(1)
    return problem_of(reading.county)


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
        say_all(self.console, "plan.progress", facts)


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
    say_all(console, "plan.summary", facts)
