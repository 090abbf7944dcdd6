"""The judge within beside a judge from outside, on random counties and plans, legal and not, that both read from the same files.

``SANKE_OUTSIDE_JUDGE`` names a program that takes a county's folder, a plan's folder and ``--json``, and prints an object with
``violations``, each with ``rule`` and ``meetings``. ``SANKE_OUTSIDE_CASES`` is the number of counties.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from rooms.exporting import write_folder
from rooms.importing import read_county
from rooms.planning.files import write_plan
from rooms.planning.problem import problem_of
from scheduler.check import check
from scheduler.problem import Plan, Problem
from tests.rooms.planning.county_files import county_of
from tests.scheduler.changed import CHANGED
from tests.scheduler.counties import random_county
from tests.scheduler.legal import Case, legal_plan
from tests.scheduler.stricter import STRICTER

JUDGE = os.environ.get("SANKE_OUTSIDE_JUDGE", "")
COUNTIES = int(os.environ.get("SANKE_OUTSIDE_CASES", "4"))
LISTS = frozenset({"UNMET", "PAIRINGS", "SUMMARY"})
Finding = tuple[str, frozenset[str]]


def drawn(problem: Problem, plan: Plan, random: Random) -> Iterator[Case]:
    """The legal plan; for every rule a stricter county and a changed plan where there is one; wrong lists and figures."""
    yield problem, plan
    for mutation in (*chain.from_iterable(STRICTER.values()), *CHANGED.values()):
        cases = list(mutation(problem, plan))
        if cases:
            yield random.choice(cases)
    yield problem, replace(plan, served_weighted=plan.served_weighted + 2)
    yield problem, replace(plan, unmet=plan.unmet[1:])
    yield problem, replace(plan, pairings=plan.pairings[1:])


def within(problem: Problem, plan: Plan) -> set[Finding]:
    return {_finding(found.rule, found.meetings) for found in check(problem, plan)}


def outside(county: Path, plan: Path) -> set[Finding]:
    command = [sys.executable, JUDGE, county, plan, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode in (0, 1), run.stderr
    return {_finding(found["rule"], found["meetings"]) for found in json.loads(run.stdout)["violations"]}


def _finding(rule: str, meetings: list[str] | tuple[str, ...]) -> Finding:
    """Lists and figures are of the plan as a whole: whose meetings a judge names there is its own affair."""
    return rule, frozenset() if rule in LISTS else frozenset(meetings)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_county_reads_back_from_its_files(tmp_path: Path, seed: int) -> None:
    problem = random_county(seed)
    write_folder(county_of(problem), tmp_path)
    reading = read_county(tmp_path)
    assert reading.county is not None, reading.errors
    read = problem_of(reading.county)
    assert sorted(read.needs, key=repr) == sorted(problem.needs, key=repr)
    assert replace(read, needs=problem.needs) == problem


@pytest.mark.skipif(not JUDGE, reason="SANKE_OUTSIDE_JUDGE is not set")
@pytest.mark.parametrize("seed", range(1000, 1000 + COUNTIES))
def test_both_judges_find_the_same(tmp_path: Path, seed: int) -> None:
    problem, random = random_county(seed), Random(seed)
    for number, (county, plan) in enumerate(drawn(problem, legal_plan(problem), random)):
        folder = tmp_path / str(number)
        write_folder(county_of(county), folder / "county")
        write_plan(folder / "plan", county, plan)
        assert within(county, plan) == outside(folder / "county", folder / "plan"), folder
