"""``sanke bench plan``: the planner beside plain baselines in the same run, as JSON and Markdown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.bench.counties import problems, tell_trial, write
from config.words import say_both
from rooms.benching.fet import fet_version
from rooms.benching.machine import machine
from rooms.benching.rows import Row, rows_of, summary_of, summary_table, table
from rooms.benching.trials import BASELINES, Method, Trial, run
from rooms.benching.watching import watched
from rooms.generating import SizeName
from scheduler.fet import CANNOT
from scheduler.problem import Problem

Numbered = tuple[Method, int, Trial, float]


def plan(
    *counties: Path,
    time_limit: Annotated[float, Parameter(validator=Number(gte=2))] = 60.0,
    seeds: Annotated[int, Parameter(validator=Number(gte=1))] = 5,
    generated: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    size: SizeName = "large",
    workers: Annotated[int, Parameter(validator=Number(gte=1))] = 2,
    baselines: bool = True,
    json_file: Path | None = None,
    table_file: Path | None = None,
) -> None:
    """排课与基线对比 / the planner and its baselines (plain greedy, one CP-SAT model, FET), county by county, seed by seed.

    Parameters
    ----------
    counties
        县区文件夹 / folders of counties.
    time_limit
        每次运行的秒数 / seconds of each run.
    seeds
        随机种子个数(1、2、3 …)/ number of seeds (1, 2, 3 …).
    generated
        另加若干虚构县区(种子 1、2、3 …)/ made-up counties beside them (of seeds 1, 2, 3 …).
    size
        虚构县区的规模 / size of the made-up counties.
    workers
        搜索进程数 / search processes.
    baselines
        同时测量基线 / measure the baselines as well.
    json_file
        JSON 结果文件,缺省为标准输出 / file of the JSON result; standard output where it is missing.
    table_file
        Markdown 表格文件 / file of the Markdown tables; standard output where it is missing.
    """
    facts = machine()
    methods = methods_here() if baselines else []
    found: list[list[Row]] = []
    for name, problem in problems(counties, generated, size):
        trials = list(_trials(name, problem, methods, seeds, time_limit, workers))
        found.append(rows_of(name, problem, trials))
    rows, summaries = [row for county in found for row in county], [summary_of(county) for county in found]
    told = {
        "machine": facts,
        "time_limit": time_limit,
        "fet_cannot_carry": CANNOT,
        "rows": [asdict(row) for row in rows],
        "summary": [asdict(summary) for summary in summaries],
    }
    write(json_file, json.dumps(told, ensure_ascii=False, indent=1))
    write(table_file, f"{table(rows)}\n\n{summary_table(summaries)}")


def methods_here() -> list[Method]:
    """The baselines that can be run here."""
    if fet_version() is None:
        print(say_both("cli.bench_no_fet"), file=sys.stderr)
        return [method for method in BASELINES if method != "FET"]
    return list(BASELINES)


def _trials(
    name: str, problem: Problem, methods: list[Method], seeds: int, time_limit: float, workers: int
) -> Iterator[Numbered]:
    """Baselines once, the planner with every seed, each in a process of its own."""
    planned: list[tuple[Method, int]] = [(method, 1) for method in methods]
    planned += [("sanke", seed) for seed in range(1, seeds + 1)]
    for method, seed in planned:
        answer = watched(run, method, problem, seed, time_limit, workers)
        tell_trial(name, method, seed, answer.value)
        yield method, seed, answer.value, answer.peak_mb
