"""``sanke bench plan``: the planner against plain baselines in the same run, as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from rooms.importing import read_county
from rooms.planning.files import lessons
from rooms.planning.problem import problem_of
from scheduler.board import Board
from scheduler.check import check
from scheduler.finish import finished
from scheduler.greedy import plain_greedy
from scheduler.improve import snapshot
from scheduler.monolith import monolithic
from scheduler.offers import Offers
from scheduler.outcome import Limits, Progress, Solved
from scheduler.problem import Plan, Problem
from scheduler.solve import solve
from scheduler.windows import Grid


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the bench. Lessons a week; weighted by priority where the name says so."""

    county: str
    method: str
    seed: int
    needed_weighted: float
    served: float
    served_weighted: float
    bound: float | None
    gap_pct: float | None
    seconds: float
    first_plan_seconds: float | None
    within_1_pct_seconds: float | None
    peak_memory_mb: float
    violations: int


def plan(
    counties: tuple[Path, ...],
    /,
    *,
    time_limit: Annotated[float, Parameter(validator=Number(gte=2))] = 60.0,
    seeds: Annotated[int, Parameter(validator=Number(gte=1))] = 5,
    baselines: bool = True,
    json_file: Path | None = None,
    table_file: Path | None = None,
) -> None:
    """排课与基线对比 / the planner and its baselines (plain greedy, one CP-SAT model), county by county, seed by seed.

    Parameters
    ----------
    counties
        县区文件夹 / folders of counties.
    time_limit
        每次运行的秒数 / seconds of each run.
    seeds
        随机种子个数(1、2、3 …)/ number of seeds (1, 2, 3 …).
    baselines
        同时测量基线 / measure the baselines as well.
    json_file
        JSON 结果文件,缺省为标准输出 / file of the JSON result; standard output where it is missing.
    table_file
        Markdown 表格文件 / file of the Markdown table; standard output where it is missing.
    """
    rows: list[Measured] = []
    for folder in counties:
        reading = read_county(folder)
        if reading.county is None:
            sys.exit(f"{folder}: {len(reading.errors)} errors")
        problem = problem_of(reading.county)
        name = folder.name
        if baselines:
            rows.append(_baseline(name, "plain greedy", problem, lambda offers: plain_greedy(offers)))
            rows.append(_baseline(name, "monolithic CP-SAT", problem, lambda offers: monolithic(offers, time_limit, 1)))
        rows.extend(_planner(name, problem, seed, time_limit) for seed in range(1, seeds + 1))
    _out(json_file, json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    _out(table_file, table(rows))


def _out(path: Path | None, text: str) -> None:
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


def peak_memory_mb() -> float:
    """The largest resident memory of any process of this run so far, in MB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def _baseline(county: str, method: str, problem: Problem, build: Callable[[Offers], Board]) -> Measured:
    began = time.monotonic()
    offers = Offers(problem, Grid(problem))
    board = build(offers)
    seconds = time.monotonic() - began
    most = sum(need.halves * need.priority for need in problem.needs)
    state = snapshot(board, range(len(offers.wants)))
    plan = finished(offers, state, None, {}, bound=most, seconds=seconds, seed=1, status="feasible")
    return _row(county, method, 1, problem, plan, seconds, None, None)


def _planner(county: str, problem: Problem, seed: int, time_limit: float) -> Measured:
    told: list[tuple[float, int]] = []

    def listen(progress: Progress) -> None:
        if progress.served_weighted is not None:
            told.append((progress.seconds, progress.served_weighted))

    began = time.monotonic()
    outcome = solve(problem, Limits(seconds=time_limit, seed=seed), report=listen)
    seconds = time.monotonic() - began
    if not isinstance(outcome, Solved):
        sys.exit(f"{county}: {outcome.reason}")
    near = next((when for when, value in told if value >= 0.99 * outcome.plan.served_weighted), None)
    first = told[0][0] if told else None
    return _row(county, "sanke", seed, problem, outcome.plan, seconds, first, near)


def _row(
    county: str,
    method: str,
    seed: int,
    problem: Problem,
    plan: Plan,
    seconds: float,
    first: float | None,
    near: float | None,
) -> Measured:
    proved = method == "sanke"
    return Measured(
        county=county,
        method=method,
        seed=seed,
        needed_weighted=lessons(plan.needed_weighted),
        served=lessons(plan.served_halves),
        served_weighted=lessons(plan.served_weighted),
        bound=lessons(plan.bound_weighted) if proved else None,
        gap_pct=round(100 * plan.gap, 3) if proved else None,
        seconds=round(seconds, 2),
        first_plan_seconds=None if first is None else round(first, 2),
        within_1_pct_seconds=None if near is None else round(near, 2),
        peak_memory_mb=round(peak_memory_mb(), 1),
        violations=len(check(problem, plan)),
    )


def table(rows: list[Measured]) -> str:
    """The rows as a Markdown table."""
    head = (
        "county",
        "method",
        "seed",
        "wanted × priority",
        "served × priority",
        "proved bound",
        "gap %",
        "seconds",
        "first plan s",
        "within 1 % s",
        "peak MB",
        "violations",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = asdict(row)
        del cells["served"]
        lines.append("| " + " | ".join("—" if cell is None else str(cell) for cell in cells.values()) + " |")
    return "\n".join(lines)
