"""``sanke roll-over``: carries last term's plan into the files of a new term."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from api.cli.telling import say_all, standing_plan, tell_mistakes
from rooms.county import County
from rooms.importing import read_county
from rooms.planning.files import lessons, write_misfits, write_plan
from rooms.planning.problem import problem_of
from scheduler import roll_over as rolling
from scheduler.check import check


def roll_over(old_county: Path, old_plan: Path, new_county: Path, /, *, out: Path, up: bool | None = None) -> None:
    """把上学期的方案沿用到新学期 / roll last term's plan over: what still fits is written as a legal plan, the rest with its reasons.

    写出的文件夹可以作为 `sanke plan NEW_COUNTY --previous OUT` 的起点 / the folder written is a start for `sanke plan NEW_COUNTY --previous OUT`.
    退出码 / exit codes: 0 已写出 written, 1 输入有错误 mistakes in the input, 2 结果不合规 the result is not legal.

    Parameters
    ----------
    old_county
        上学期的县区数据 / last term's county: folder, zip or workbook.
    old_plan
        上学期的方案文件夹 / folder of last term's plan.
    new_county
        新学期的县区数据 / the new term's county.
    out
        输出文件夹 / folder to write into.
    up
        班级升一个年级;默认按学期日期判断 / classes move up a grade; by default where a school year has begun between the two terms.
    """
    console = Console(stderr=True, highlight=False)
    before, after = _county(console, old_county), _county(console, new_county)
    old, new = problem_of(before), problem_of(after)
    plan = standing_plan(console, old_plan, old)
    assert plan is not None  # a folder was given
    moved_up = _year_began(before, after) if up is None else up
    done = rolling.roll_over(plan, new, rolling.follow_classes(old.classes, new.classes, up=moved_up))
    violations = check(new, done.plan)
    if violations:
        say_all(console, "plan.not_legal", {"rule": violations[0].rule, "count": len(violations)})
        sys.exit(2)
    write_plan(out, new, done.plan)
    write_misfits(out, done.misfits)
    facts = {
        "kept": len(done.kept),
        "meetings": len(plan.meetings),
        "misfits": len(done.misfits),
        "served": lessons(done.plan.served_halves),
        "needed": lessons(done.plan.needed_halves),
        "folder": out,
    }
    say_all(console, "plan.rolled_over", facts)


def _county(console: Console, path: Path) -> County:
    reading = read_county(path)
    if reading.county is None:
        tell_mistakes(console, reading)
        sys.exit(1)
    return reading.county


def _year_began(before: County, after: County) -> bool:
    return rolling.school_year(after.term_start) > rolling.school_year(before.term_start)
