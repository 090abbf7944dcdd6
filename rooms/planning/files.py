"""A plan as files: the "Out" tables of the exchange format, written and read.

Cells that a spreadsheet might take for a formula are written with an apostrophe before them, as in `rooms.exporting`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from config.words import LANGUAGES, say_both
from rooms.importing.sheets import neutral, plain
from rooms.planning.why import brings, why
from rooms.refusals import Invalid
from scheduler.problem import (
    WEEK_BITS,
    WEEK_NAMES,
    Advice,
    ClassCode,
    LessonRow,
    Meeting,
    Minute,
    Pair,
    Plan,
    PlannedPair,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
    Unmet,
)
from scheduler.roll_over import Misfit
from scheduler.wishes import WishFigure, wishes_of

PAIRINGS = ("lead_school_code", "receive_school_code", "subjects")
MEETINGS = (
    "meeting_code",
    "family",
    "ref",
    "subject",
    "lead_teacher_code",
    "lead_room_code",
    "weekday",
    "start",
    "end",
    "weeks",
    "receiver_class_codes",
    "member_teacher_codes",
    "host_lesson",
)
ADVICE = ("rank", "kind", "code", "weekday", "start", "end", "minutes", "lessons", "weighted", "class_codes", "advice")
UNMET = ("class_code", "subject", "missing", "reason_code", "reason")


def lessons(halves: int) -> int | float:
    """Halves as lessons: a whole number where it is one."""
    return halves // 2 if halves % 2 == 0 else halves / 2


def summary_of(plan: Plan) -> dict[str, Any]:
    """``summary.json``: lessons a week, halves possible."""
    return {
        "needed": lessons(plan.needed_halves),
        "served": lessons(plan.served_halves),
        "unmet": lessons(plan.needed_halves - plan.served_halves),
        "needed_weighted": lessons(plan.needed_weighted),
        "served_weighted": lessons(plan.served_weighted),
        "bound": lessons(plan.bound_weighted),
        "gap": round(plan.gap, 6),
        "seconds": round(plan.seconds, 2),
        "seed": plan.seed,
        "status": plan.status,
        "rules": plan.rules,
    }


def reason_of(unmet: Unmet) -> str:
    """Why a lesson is missing, in Chinese and English."""
    return " / ".join(why(language, unmet) for language in LANGUAGES)


# ---------------------------------------------------------------- out


def wish_rows(figures: Iterable[WishFigure]) -> list[dict[str, Any]]:
    """The wishes as ``summary.json`` keeps them: lessons where halves are counted, cases else."""
    return [
        {
            "wish": figure.code,
            "key": figure.key,
            "value": lessons(figure.value) if figure.unit == "halves" else figure.value,
            "weight": figure.weight,
            "cost": figure.cost,
        }
        for figure in figures
    ]


def write_plan(folder: Path, problem: Problem, plan: Plan, previous: Plan | None = None) -> None:
    """Writes the files of a plan into a folder, which is made where it is missing. Older files are replaced one by one.

    Rows stand in an order of their own: the same plan is the same bytes, whether it comes from a search or from a store.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / "pairings.csv",
        PAIRINGS,
        ((*planned.pair, ";".join(sorted(planned.subjects))) for planned in plan.pairings),
    )
    _write(folder / "meetings.csv", MEETINGS, map(_meeting_row, sorted(plan.meetings, key=_place)))
    _write(
        folder / "unmet.csv",
        UNMET,
        (
            (lack.school_class, lack.subject, lessons(lack.missing_halves), lack.reason, reason_of(lack))
            for lack in plan.unmet
        ),
    )
    _write(folder / "advice.csv", ADVICE, (_advice_row(rank, each) for rank, each in enumerate(plan.advice, 1)))
    summary = summary_of(plan) | {"wishes": wish_rows(wishes_of(problem, plan, previous))}
    text = json.dumps(summary, ensure_ascii=False, indent=1) + "\n"
    _replace(folder / "summary.json", text)


def write_misfits(folder: Path, misfits: Iterable[Misfit]) -> None:
    """Writes ``misfits.csv``: every meeting of the old plan, or one class of it, that could not be carried, as it stood, and why."""
    rows = (
        (*_meeting_row(each.meeting), each.who, each.reason, say_both(f"plan.{each.reason}", **each.facts))
        for each in misfits
    )
    _write(folder / "misfits.csv", (*MEETINGS, "lost_for", "reason_code", "reason"), rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Written beside and moved into place, so that nobody ever reads half a file."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    part.replace(path)


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def clock(minute: Minute) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _place(meeting: Meeting) -> tuple[int, Minute, str]:
    return meeting.slot.weekday, meeting.slot.start, meeting.code


def _meeting_row(meeting: Meeting) -> tuple[object, ...]:
    slot = meeting.slot
    return (
        meeting.code,
        meeting.family,
        meeting.ref,
        meeting.subject,
        meeting.lead_teacher,
        meeting.lead_room,
        slot.weekday,
        clock(slot.start),
        clock(slot.end),
        WEEK_NAMES[slot.weeks],
        ";".join(meeting.classes),
        ";".join(meeting.members),
        "" if meeting.host_lesson is None else meeting.host_lesson,
    )


def _advice_row(rank: int, advice: Advice) -> tuple[object, ...]:
    fact, slot = advice.fact, advice.fact.slot
    when = ("", "", "") if slot is None else (slot.weekday or "", clock(slot.start), clock(slot.end))
    return (
        rank,
        fact.kind,
        fact.who,
        *when,
        advice.minutes or "",
        lessons(advice.halves),
        lessons(advice.weighted),
        ";".join(code for code, _, _ in advice.lessons),
        " / ".join(brings(language, advice) for language in LANGUAGES),
    )


# ---------------------------------------------------------------- in


def read_plan(folder: Path, problem: Problem) -> Plan:
    """A plan folder, as a previous plan to start from.

    Meetings that name somebody or something the county no longer has are left out: the caller plans anew around them. Reasons are
    read by their code alone. Raises `Invalid` ``plan_folder_unreadable`` where a file is missing or cannot be understood.
    """
    name = ""
    try:
        name = "summary.json"
        summary = json.loads((folder / name).read_text(encoding="utf-8-sig"))
        name = "meetings.csv"
        meetings = [_read_meeting(row) for row in _read(folder / name, MEETINGS)]
        name = "pairings.csv"
        pairings = [_read_pair(row) for row in _read(folder / name, PAIRINGS)]
        name = "unmet.csv"
        unmet = [_read_unmet(row) for row in _read(folder / name, UNMET)]
        name = "summary.json"
        return _plan(problem, summary, meetings, pairings, unmet)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Invalid("plan_folder_unreadable", file=name, folder=str(folder)) from fault


def _plan(
    problem: Problem,
    summary: Mapping[str, Any],
    meetings: Iterable[Meeting],
    pairings: Iterable[PlannedPair],
    unmet: Iterable[Unmet],
) -> Plan:
    return Plan(
        meetings=tuple(meeting for meeting in meetings if problem.knows(meeting)),
        pairings=tuple(pairings),
        unmet=tuple(unmet),
        needed_halves=round(summary["needed"] * 2),
        served_halves=round(summary["served"] * 2),
        needed_weighted=round(summary["needed_weighted"] * 2),
        served_weighted=round(summary["served_weighted"] * 2),
        bound_weighted=round(summary["bound"] * 2),
        seconds=float(summary["seconds"]),
        seed=int(summary["seed"]),
        status=summary["status"],
        rules=str(summary["rules"]),
    )


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"columns missing: {sorted(missing)}")
        return [{key: plain(value or "") for key, value in row.items() if key} for row in reader]


def _minute(text: str) -> Minute:
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.split(";") if code)


def _read_meeting(row: Mapping[str, str]) -> Meeting:
    family = row["family"]
    if family not in ("delivery", "master", "network"):
        raise ValueError(family)
    return Meeting(
        code=row["meeting_code"],
        family=family,  # type: ignore[arg-type] # checked above
        subject=Subject(row["subject"]),
        lead_teacher=TeacherCode(row["lead_teacher_code"]),
        lead_room=RoomCode(row["lead_room_code"]),
        slot=Slot(int(row["weekday"]), _minute(row["start"]), _minute(row["end"]), WEEK_BITS[row["weeks"] or "all"]),
        classes=tuple(map(ClassCode, _codes(row["receiver_class_codes"]))),
        members=tuple(map(TeacherCode, _codes(row["member_teacher_codes"]))),
        ref=row["ref"],
        host_lesson=LessonRow(int(row["host_lesson"])) if row["host_lesson"] else None,
    )


def _read_pair(row: Mapping[str, str]) -> PlannedPair:
    pair = Pair(SchoolCode(row["lead_school_code"]), SchoolCode(row["receive_school_code"]))
    return PlannedPair(pair, frozenset(map(Subject, _codes(row["subjects"]))))


def _read_unmet(row: Mapping[str, str]) -> Unmet:
    halves = round(float(row["missing"]) * 2)
    return Unmet(ClassCode(row["class_code"]), Subject(row["subject"]), halves, row["reason_code"])
