"""``sanke bench prefecture``: many large counties within one time on this machine."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.bench.counties import problems, tell_trial, write
from rooms.benching.machine import machine
from rooms.benching.rows import rows_of, table
from rooms.benching.trials import run
from rooms.benching.watching import watched
from rooms.generating import SizeName

AIM_PCT = 2.0
"""The gap that no county should be above."""
BETWEEN = 1.5
"""Seconds kept from every county's share for starting, judging and ending its run."""


def prefecture(
    *,
    counties: Annotated[int, Parameter(validator=Number(gte=1))] = 8,
    seconds: Annotated[float, Parameter(validator=Number(gte=2))] = 600.0,
    size: SizeName = "large",
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2,
    json_file: Path | None = None,
    table_file: Path | None = None,
) -> None:
    """多县排课 / plan made-up counties one after the other, all within one time, and print each one's gap.

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
    facts, given = machine(), list(problems((), counties, size))
    began, rows = time.monotonic(), []
    for place, (name, problem) in enumerate(given):
        share = (seconds - (time.monotonic() - began)) / (len(given) - place)
        answer = watched(run, "sanke", problem, 1, max(1.0, share - BETWEEN), workers)
        rows += rows_of(name, problem, [("sanke", 1, answer.value, answer.peak_mb)])
        tell_trial(name, "sanke", 1, answer.value)
    taken = time.monotonic() - began
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
