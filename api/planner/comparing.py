"""Two plan versions side by side, on a page and as files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from api.planner.desk import Head, PlanPath, download, head_of, plan_of, routes, show
from api.planner.imports import SHEET
from api.planner.workbooks import CSV, Row, Sheet, book_of, csv_of, subject_name
from api.routing import Call, Nothing, Shape, Text
from config.words import Language, catalogue, say
from rooms.planning.comparison import Comparison, Held, Homes, Load, Service, compare, of_school, spread
from rooms.planning.files import clock, lessons
from rooms.planning.meeting_locks import load_problem
from rooms.planning.names import Names, names_of
from rooms.planning.outlook import Version, versions
from rooms.planning.shifts import Place, Shift
from rooms.planning.versions import load_plan
from scheduler.problem import WEEK_NAMES, Plan, Problem
from scheduler.wishes import WishFigure, wishes_of
from scheduler.wishes.moves import FewMoves


class Compared(Shape):
    """The version to compare with; empty chooses the one this was built on, else the one before it. `school` narrows the lists."""

    to: int | None = None
    school: Text = ""


@dataclass(frozen=True)
class Pair:
    """Two versions, their plans and what differs; `former` is None where the county has no other version."""

    head: Head
    version: Version
    plan: Plan
    names: Names
    others: Sequence[Version]
    former: Version | None
    before: Plan | None
    result: Comparison | None


async def _pair(session: AsyncSession, call: Call[PlanPath, Compared, Nothing]) -> Pair:
    head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
    names = await names_of(session, head.county)
    others = [each for each in await versions(session, head.county) if each.id != version.id]
    former = _former(version, others, call.query.to)
    plan = await load_plan(session, version.id)
    before = await load_plan(session, former.id) if former else None
    result = None
    if before:
        homes = _homes(names)
        result = await asyncio.to_thread(compare, before, plan, homes)
        if call.query.school in names.schools:
            result = of_school(result, call.query.school, homes)
    return Pair(head, version, plan, names, others, former, before, result)


def _former(version: Version, others: Sequence[Version], wanted: int | None) -> Version | None:
    """The version asked for; else the one this was built on; else the newest before it; else any other."""
    for each in others:
        if each.number == wanted:
            return each
    for each in others:
        if wanted is None and each.id == version.previous_id:
            return each
    return next((each for each in others if each.number < version.number), next(iter(others), None))


def _homes(names: Names) -> Homes:
    return Homes(
        {code: group.school_code for code, group in names.classes.items()},
        {code: teacher.school_code for code, teacher in names.teachers.items()},
    )


@routes.get("/planner/{county}/plans/{number}/compare", needs="plan.read", summary="Two plans compared", page=True)
async def compared(call: Call[PlanPath, Compared, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        pair = await _pair(session, call)
        problem = await load_problem(session, pair.head.county) if pair.before else None
    found = pair.result
    wishes = (
        []
        if problem is None or pair.before is None
        else await asyncio.to_thread(_wishes, problem, pair.before, pair.plan)
    )
    return show(
        call, "compare", pair.head, tab="compare", version=pair.version, plan=pair.plan, names=pair.names,
        former=pair.former, others=pair.others, before=pair.before, result=found,
        school=call.query.school if call.query.school in pair.names.schools else "", spreads=_spreads(found), wishes=wishes,
        schools=[each for each in pair.names.schools.values() if not each.retired],
    )  # fmt: skip


def _wishes(problem: Problem, before: Plan, after: Plan) -> list[tuple[WishFigure, WishFigure]]:
    """How far each plan is from each wish, by the county's rules of now; how much moved is told by the comparison itself."""
    figures = zip(wishes_of(problem, before), wishes_of(problem, after), strict=True)
    return [(old, new) for old, new in figures if new.key != FewMoves.key]


def _spreads(found: Comparison | None) -> tuple[object, object] | None:
    if found is None:
        return None
    return spread(load.before for load in found.teachers), spread(load.after for load in found.teachers)


@routes.get(
    "/planner/{county}/plans/{number}/compare.xlsx", needs="plan.read", summary="A comparison as a workbook",
    produces=SHEET,
)  # fmt: skip
async def compared_workbook(call: Call[PlanPath, Compared, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        pair = await _pair(session, call)
    sheets = _sheets(pair, call.caller.language)
    body = await asyncio.to_thread(book_of, sheets, call.caller.language)
    return download(body, SHEET, f"{_name(pair)}.xlsx")


@routes.get(
    "/planner/{county}/plans/{number}/compare.csv", needs="plan.read", summary="Changed weekly lessons as CSV",
    produces=CSV,
)  # fmt: skip
async def compared_rows(call: Call[PlanPath, Compared, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        pair = await _pair(session, call)
    language = call.caller.language
    body = await asyncio.to_thread(csv_of, _shift_sheet(pair.result, pair.names, language), language)
    return download(body, CSV, f"{_name(pair)}.csv")


def _name(pair: Pair) -> str:
    other = pair.former.number if pair.former else 0
    return f"{pair.head.county}-plan-{pair.version.number}-and-{other}"


# ---------------------------------------------------------------- the sheets


def _sheets(pair: Pair, language: Language) -> list[Sheet]:
    found, names = pair.result, pair.names
    if found is None:
        return [_shift_sheet(None, names, language)]
    services, loads = "needed_before needed_after served_before served_after gained", "before after difference"
    of_schools: list[Row] = [(names.school(row.code), *_service(row)) for row in found.schools]
    of_subjects: list[Row] = [(subject_name(language, row.code), *_service(row)) for row in found.subjects]
    led: list[Row] = [(names.school(load.code), *_load(load)) for load in found.lead_schools]
    return [
        _shift_sheet(found, names, language),
        _sheet("changed_classes", "school class_code subject before after", _gains(found, names, language)),
        _sheet("by_school", f"school {services}", of_schools),
        _sheet("by_subject", f"subject {services}", of_subjects),
        _sheet("tab_pairings", "change lead_school receive_school", _pairs(found, names, language)),
        _sheet("teacher_loads", f"school lead {loads}", _teachers(found, names)),
        _sheet("lead_loads", f"lead_school {loads}", led),
        _sheet("tab_activities", "family activity before after", _activities(found, names, language)),
    ]


def _sheet(title: str, columns: str, rows: list[Row]) -> Sheet:
    def key(name: str) -> str:
        return f"compare.{name}" if f"compare.{name}" in catalogue("en") else f"planner.{name}"

    return Sheet(key(title), tuple(map(key, columns.split())), rows)


SHIFTS = "change family subject school who before lead_before room_before after lead_after room_after"


def _shift_sheet(found: Comparison | None, names: Names, language: Language) -> Sheet:
    rows = [_shift(shift, names, language) for shift in found.shifts] if found else []
    return _sheet("changed_lessons", SHIFTS, rows)


def _shift(shift: Shift, names: Names, language: Language) -> Row:
    member = shift.family == "master"
    school = names.school_of_teacher(shift.who) if member else names.school_of_class(shift.who)
    return (
        say(language, f"compare.shift_{shift.change}"),
        say(language, f"common.family_{shift.family}"),
        subject_name(language, shift.subject),
        names.school(school),
        names.teacher(shift.who) if member else shift.who,
        *_place(shift.before, names, language),
        *_place(shift.after, names, language),
    )


def _place(place: Place | None, names: Names, language: Language) -> tuple[str, str, str]:
    if place is None:
        return "", "", ""
    return _when(place, language), names.teacher(place.teacher), place.room


def _when(place: Place, language: Language) -> str:
    slot = place.slot
    weeks = "" if slot.halves == 2 else f" ({say(language, f'common.weeks_{WEEK_NAMES[slot.weeks]}')})"
    return f"{slot.weekday} {clock(slot.start)}-{clock(slot.end)}{weeks}"


def _service(row: Service) -> tuple[int | float, ...]:
    return tuple(map(lessons, (row.needed_before, row.needed_after, row.served_before, row.served_after, row.gained)))


def _load(load: Load) -> tuple[int | float, ...]:
    return tuple(map(lessons, (load.before, load.after, load.after - load.before)))


def _pairs(found: Comparison, names: Names, language: Language) -> list[Row]:
    kinds = (("added", found.pairs_added), ("removed", found.pairs_removed), ("kept", found.pairs_kept))
    return [
        (say(language, f"compare.pair_{kind}"), names.school(pair.lead_school), names.school(pair.receive_school))
        for kind, pairs in kinds
        for pair in pairs
    ]


def _gains(found: Comparison, names: Names, language: Language) -> list[Row]:
    return [
        (
            names.school(names.school_of_class(gain.school_class)),
            gain.school_class,
            subject_name(language, gain.subject),
            lessons(gain.before),
            lessons(gain.after),
        )
        for gain in found.gains
    ]


def _teachers(found: Comparison, names: Names) -> list[Row]:
    return [
        (names.school(names.school_of_teacher(load.code)), names.teacher(load.code), *_load(load))
        for load in found.teachers
    ]


def _activities(found: Comparison, names: Names, language: Language) -> list[Row]:
    def held(side: Held) -> str:
        times = "; ".join(_when(place, language) for place in side.places)
        return f"{times} ({side.attend})" if side.places else say(language, "planner.not_held")

    return [
        (say(language, f"common.family_{row.family}"), names.activity(row.ref), held(row.before), held(row.after))
        for row in found.activities
    ]
