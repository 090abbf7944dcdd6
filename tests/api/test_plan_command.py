"""``sanke plan`` and ``sanke bench plan`` as a person runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import config
from api.cli.side_by_side import County, lanes_of
from rooms.importing import read_county
from rooms.planning.files import read_plan
from rooms.planning.problem import problem_of
from scheduler.check import check
from scheduler.problem import Problem

COUNTY = Path(config.__file__).parent / "demo" / "county"


@pytest.fixture(scope="module")
def problem() -> Problem:
    reading = read_county(COUNTY)
    assert reading.county is not None
    return problem_of(reading.county)


def sanke(*arguments: str | Path, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from api.cli import main; main()", *map(str, arguments)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_a_plan_is_written_within_its_time(tmp_path: Path, problem: Problem) -> None:
    began = time.monotonic()
    run = sanke("plan", COUNTY, "--out", tmp_path, "--time-limit", "20", "--seed", "3")
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - began < 30  # the start of the process on a busy machine is no part of its time
    assert "T03-01" in run.stderr  # told before the run: it asks for more than the windows it is free for
    plan = read_plan(tmp_path, problem)
    assert plan.seed == 3
    assert plan.meetings
    assert [violation for violation in check(problem, plan) if violation.rule != "UNMET"] == []


def test_deterministic_plans_are_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", "1"), ("two", "2")):  # sets lie in memory in different orders
        run = sanke("plan", COUNTY, "--out", tmp_path / name, "--deterministic", "--seed", "5", "-q", hash_seed=seed)
        assert run.returncode == 0, run.stderr
    for name in ("meetings.csv", "pairings.csv", "unmet.csv", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_plan_is_rolled_over_into_files_that_the_next_run_starts_from(tmp_path: Path, problem: Problem) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    sanke("plan", COUNTY, "--out", old, "--deterministic", "-q")
    shutil.copytree(COUNTY, new)
    gone = read_plan(old, problem).meetings[0].lead_teacher
    for name in ("teachers.csv", "lessons.csv", "communities.csv", "network_courses.csv", "unavailability.csv"):
        lines = (new / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (new / name).write_text("".join(line for line in lines if gone not in line), encoding="utf-8")
    run = sanke("roll-over", COUNTY, old, new, "--out", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    reading = read_county(new)
    assert reading.county is not None
    there = problem_of(reading.county)
    carried = read_plan(tmp_path / "out", there)
    assert [violation for violation in check(there, carried) if violation.rule != "UNMET"] == []
    lost = (tmp_path / "out" / "misfits.csv").read_text(encoding="utf-8")
    assert f"roll_teacher_gone,主讲教师 {gone} 已不在本县。" in lost
    assert gone not in {meeting.lead_teacher for meeting in carried.meetings}
    assert len(carried.meetings) > len(read_plan(old, problem).meetings) / 2


def test_mistakes_get_words_and_no_files(tmp_path: Path) -> None:
    (tmp_path / "county").mkdir()
    (tmp_path / "county" / "schools.csv").write_text("rubbish\n", encoding="utf-8")
    run = sanke("plan", tmp_path / "county", "--out", tmp_path / "out")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "schools.csv" in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_previous_plan_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    run = sanke("plan", COUNTY, "--out", tmp_path / "out", "--previous", tmp_path / "nothing")
    assert run.returncode == 1
    assert "summary.json" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_bench_prints_figures_of_all_methods(tmp_path: Path) -> None:
    figures, table = tmp_path / "bench.json", tmp_path / "bench.md"
    run = sanke(
        "bench", "plan", COUNTY, "--time-limit", "2", "--seeds", "1", "--json-file", figures, "--table-file", table
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(figures.read_text(encoding="utf-8"))
    rows = told["rows"]
    fet = ["FET"] if shutil.which("fet-cl") else []
    assert [row["method"] for row in rows] == ["plain greedy", "monolithic CP-SAT", *fet, "sanke"]
    assert all(row["violations"] == 0 for row in rows)
    assert rows[-1]["bound"] >= rows[-1]["served_weighted"] >= rows[0]["served_weighted"] * 0.9
    assert all(row["peak_memory_mb"] > 10 for row in rows)
    assert told["machine"]["cores"] >= 1
    assert "PASS" in table.read_text(encoding="utf-8")


def test_a_prefecture_is_planned_within_its_time(tmp_path: Path) -> None:
    figures = tmp_path / "prefecture.json"
    run = sanke("bench", "prefecture", "--counties", "2", "--seconds", "6", "--size", "small", "--json-file", figures)
    assert run.returncode == 0, run.stderr
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert told["within_time"] == (told["seconds"] <= 6)
    assert [row["county"] for row in told["rows"]] == ["made-small-1", "made-small-2"]
    assert all(row["violations"] == 0 and row["gap_pct"] is not None for row in told["rows"])


def test_several_counties_share_the_time(tmp_path: Path, problem: Problem) -> None:
    for name in ("east", "west"):
        shutil.copytree(COUNTY, tmp_path / name)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "schools.csv").write_text("rubbish\n", encoding="utf-8")
    folders = [tmp_path / name for name in ("east", "wrong", "west")]
    run = sanke("plan", *folders, "--out", tmp_path / "out", "--time-limit", "8")
    assert run.returncode == 1, run.stderr
    assert "wrong: schools.csv" in run.stderr
    assert "Traceback" not in run.stderr
    for name in ("east", "west"):
        plan = read_plan(tmp_path / "out" / name, problem)
        assert [violation for violation in check(problem, plan) if violation.rule != "UNMET"] == []
        assert f"{name}: " in run.stderr
    assert not (tmp_path / "out" / "wrong").exists()
    run = sanke("plan", tmp_path / "east", tmp_path / "out" / "east", "--out", tmp_path / "no")
    assert run.returncode == 1
    assert not (tmp_path / "no").exists()


def test_lanes_are_of_even_size(problem: Problem) -> None:
    def county(name: str, needs: int) -> County:
        return County(name, replace(problem, needs=problem.needs[:needs]), None, Path(name))

    lanes = lanes_of([county("a", 20), county("b", 40), county("c", 10), county("d", 10)], 2)
    assert [[each.name for each in lane] for lane in lanes] == [["b", "d"], ["a", "c"]]
    assert [len(lane) for lane in lanes_of([county("a", 5)], 2)] == [1]
