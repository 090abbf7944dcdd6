"""``sanke bench repair``: one ill teacher after the other on a plan that stands."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.bench.counties import problems, write
from config.words import say_both
from rooms.benching.machine import machine
from rooms.benching.repairs import cases, drawn, p95, targets_of
from rooms.benching.rows import targets_table
from rooms.generating import SizeName
from rooms.planning.files import read_plan
from rooms.refusals import Refusal
from scheduler.explain import Explainer
from scheduler.outcome import Limits, Solved
from scheduler.problem import Plan, Problem
from scheduler.solve import solve


def repair(
    county: Path | None = None,
    *,
    plan: Path | None = None,
    time_limit: Annotated[float, Parameter(validator=Number(gte=2))] = 60.0,
    number: Annotated[int, Parameter(name="--cases", validator=Number(gte=1))] = 100,
    seed: int = 1,
    size: SizeName = "large",
    json_file: Path | None = None,
    table_file: Path | None = None,
) -> None:
    """一名教师请病假时的修补 / mends a standing plan for one ill teacher after the other, each time from the same plan.

    Parameters
    ----------
    county
        县区文件夹,缺省为虚构县区 / folder of the county; a made-up one of the seed and size where it is missing.
    plan
        已有方案的文件夹,缺省为当场排课 / folder of the plan that stands; made first where it is missing.
    time_limit
        当场排课的秒数 / seconds in which that plan is made.
    number
        病假次数 / number of cases.
    seed
        抽取教师的随机种子 / seed by which the teachers are drawn.
    size
        虚构县区的规模 / size of the made-up county.
    json_file
        JSON 结果文件,缺省为标准输出 / file of the JSON result; standard output where it is missing.
    table_file
        Markdown 表格文件 / file of the Markdown table; standard output where it is missing.
    """
    facts = machine()
    name, problem = next(problems(() if county is None else (county,), 1, size))
    standing = _standing(problem, plan, time_limit)
    found = []
    for case in cases(problem, standing, drawn(standing, number, seed)):
        found.append(case)
        told_of = {"county": name, "teacher": case.teacher, "seconds": case.seconds, "moved": case.moved}
        print(say_both("cli.bench_repaired", **told_of), file=sys.stderr)
    targets = targets_of(found)
    told = {
        "machine": facts,
        "county": name,
        "served_weighted": standing.served_weighted / 2,
        "p95_seconds": p95(found),
        "targets": [asdict(target) for target in targets],
        "cases": [asdict(case) for case in found],
    }
    write(json_file, json.dumps(told, ensure_ascii=False, indent=1))
    write(table_file, targets_table(targets))


def _standing(problem: Problem, folder: Path | None, seconds: float) -> Plan:
    if folder is not None:
        try:
            standing = read_plan(folder, problem)
        except Refusal as refusal:
            sys.exit(say_both(f"refusal.{refusal.code}", **refusal.facts))
        reasons = Explainer(
            problem, standing.meetings, {}
        ).reasons()  # files keep their words, the store keeps their facts
        return replace(standing, unmet=tuple(reasons))
    outcome = solve(problem, Limits(seconds=seconds))
    if not isinstance(outcome, Solved):
        sys.exit(say_both("cli.bench_no_plan"))
    return outcome.plan
