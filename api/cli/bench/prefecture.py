"""``sanke bench prefecture``: many large counties within one time on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.bench.counties import problems, tell_trial, write
from api.cli.side_by_side import County, Planned, plan_side_by_side
from rooms.benching.machine import machine
from rooms.benching.rows import rows_of, table
from rooms.benching.trials import Trial
from rooms.benching.watching import watched
from rooms.generating import SizeName
from scheduler.outcome import Limits, Progress, Solved
from scheduler.problem import Problem

AIM_PCT = 2.0
"""The gap that no county should be above."""


def prefecture(
    *,
    counties: Annotated[int, Parameter(validator=Number(gte=1))] = 8,
    seconds: Annotated[float, Parameter(validator=Number(gte=2))] = 600.0,
    size: SizeName = "large",
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2,
    json_file: Path | None = None,
    table_file: Path | None = None,
) -> None:
    """多县排课 / plan made-up counties side by side, all within one time, and print each one's gap.

    内存为全部进程之和 / the memory is that of all of them together.

    Parameters
    ----------
    counties
        县区个数(种子 1、2、3 …)/ number of counties (of seeds 1, 2, 3 …).
    seconds
        总秒数 / seconds for all of them together.
    size
        规模 / size of the counties.
    workers
        搜索进程数 / search processes.
    json_file
        JSON 结果文件,缺省为标准输出 / file of the JSON result; standard output where it is missing.
    table_file
        Markdown 表格文件 / file of the Markdown table; standard output where it is missing.
    """
    facts, given = machine(), dict(problems((), counties, size))
    with TemporaryDirectory(prefix="sanke-bench-") as folder:
        answer = watched(planned, given, Path(folder), seconds, workers)
    taken, trials = answer.value
    rows = [row for name, trial in trials for row in rows_of(name, given[name], [("sanke", 1, trial, answer.peak_mb)])]
    gaps = [row.gap_pct for row in rows if row.gap_pct is not None]
    told = {
        "machine": facts,
        "seconds": round(taken, 1),
        "within_time": taken <= seconds,
        "worst_gap_pct": max(gaps, default=None),
        "all_within_aim": len(gaps) == len(rows) and max(gaps, default=0.0) <= AIM_PCT,
        "rows": [asdict(row) for row in rows],
    }
    write(json_file, json.dumps(told, ensure_ascii=False, indent=1))
    write(table_file, table(rows))


def planned(
    given: Mapping[str, Problem], folder: Path, seconds: float, workers: int
) -> tuple[float, list[tuple[str, Trial]]]:
    """Plans the counties as ``sanke plan`` plans several; the seconds taken, and a trial for each in the order given."""
    steps: dict[str, list[tuple[float, int]]] = {name: [] for name in given}

    def tell(county: County, news: Progress | Planned) -> None:
        if isinstance(news, Progress):
            if news.served_weighted is not None:
                steps[county.name].append((news.seconds, news.served_weighted))
        else:
            tell_trial(county.name, "sanke", 1, _trial(news, steps[county.name]))

    began = time.monotonic()
    counties = [County(name, problem, None, folder / name) for name, problem in given.items()]
    done = plan_side_by_side(counties, Limits(workers=workers), began + seconds, tell, Event())
    trials = {each.county.name: _trial(each, steps[each.county.name]) for each in done}
    return time.monotonic() - began, [(name, trials[name]) for name in given]


def _trial(done: Planned, steps: list[tuple[float, int]]) -> Trial:
    plan = done.outcome.plan if isinstance(done.outcome, Solved) else None
    return Trial(plan, plan is not None, done.seconds, tuple(steps), len(done.violations))
