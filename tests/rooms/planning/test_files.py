"""A plan's files, written and read back; a plan's rows, stored and loaded."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from rooms.planning.files import read_plan, write_plan
from rooms.refusals import Invalid
from scheduler.outcome import Limits, Solved
from scheduler.problem import Plan, Problem, RoomCode, TeacherCode
from scheduler.solve import solve
from tests.scheduler.counties import random_county


@pytest.fixture(scope="module")
def problem() -> Problem:
    return random_county(11, leads=3, receivers=5)


@pytest.fixture(scope="module")
def plan(problem: Problem) -> Plan:
    outcome = solve(problem, Limits(deterministic=True, steps=20))
    assert isinstance(outcome, Solved)
    return outcome.plan


def test_what_is_written_is_read(tmp_path: Path, problem: Problem, plan: Plan) -> None:
    write_plan(tmp_path, problem, plan)
    again = read_plan(tmp_path, problem)
    assert {each.code: each for each in again.meetings} == {each.code: each for each in plan.meetings}
    assert again.pairings == plan.pairings
    assert [replace(unmet, facts={}, place=None, forbids=()) for unmet in plan.unmet] == list(again.unmet)
    assert (again.served_weighted, again.bound_weighted) == (plan.served_weighted, plan.bound_weighted)


def test_a_code_that_could_pass_for_a_formula_is_written_as_text(tmp_path: Path, problem: Problem, plan: Plan) -> None:
    first = plan.meetings[0]
    room, teacher = RoomCode("=1+1"), TeacherCode("@T")
    odd = replace(
        problem,
        rooms={**problem.rooms, room: replace(problem.rooms[first.lead_room], code=room)},
        teachers={**problem.teachers, teacher: replace(problem.teachers[first.lead_teacher], code=teacher)},
    )
    led = replace(first, lead_room=room, lead_teacher=teacher)
    write_plan(tmp_path, odd, replace(plan, meetings=(led,)))
    with (tmp_path / "meetings.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["lead_room_code"], row["lead_teacher_code"]) == ("'=1+1", "'@T")
    assert read_plan(tmp_path, odd).meetings == (led,)


def test_the_summary_counts_lessons_not_halves(tmp_path: Path, problem: Problem, plan: Plan) -> None:
    write_plan(tmp_path, problem, plan)
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["needed"] * 2 == plan.needed_halves
    assert summary["served"] + summary["unmet"] == summary["needed"]


def test_every_reason_is_a_sentence_in_both_languages(tmp_path: Path, problem: Problem, plan: Plan) -> None:
    write_plan(tmp_path, problem, plan)
    with (tmp_path / "unmet.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(plan.unmet) > 0
    for row in rows:
        chinese, _, english = row["reason"].partition(" / ")
        assert any("一" <= letter <= "鿿" for letter in chinese)
        assert english


def test_meetings_of_people_who_left_are_left_out(tmp_path: Path, problem: Problem, plan: Plan) -> None:
    gone: TeacherCode = plan.meetings[0].lead_teacher
    write_plan(tmp_path, problem, plan)
    teachers = {code: teacher for code, teacher in problem.teachers.items() if code != gone}
    again = read_plan(tmp_path, replace(problem, teachers=teachers))
    assert again.meetings
    assert gone not in {meeting.lead_teacher for meeting in again.meetings}


@pytest.mark.parametrize("name", ["summary.json", "meetings.csv", "pairings.csv", "unmet.csv"])
def test_a_damaged_folder_is_refused_by_name(tmp_path: Path, problem: Problem, plan: Plan, name: str) -> None:
    write_plan(tmp_path, problem, plan)
    (tmp_path / name).write_text("rubbish", encoding="utf-8")
    with pytest.raises(Invalid, match="plan_folder_unreadable") as refusal:
        read_plan(tmp_path, problem)
    assert refusal.value.facts["file"] == name
