"""Plan versions: the list, and one version in all its aspects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from aiohttp import web

from api.planner.desk import CountyPath, PlanPath, head_of, plan_of, routes, show
from api.planner.grids import Block, Column, Grid, grid, side_by_side
from api.planner.reasons import helps, said_apart
from api.routing import Call, Nothing, Shape, Text
from config.words import catalogue
from rooms.planning.meeting_locks import locks_on
from rooms.planning.names import Names, names_of, periods_of
from rooms.planning.outlook import running, versions
from rooms.planning.timetable import Period
from rooms.planning.versions import load_plan
from scheduler.problem import Meeting, Plan


class Filter(Shape):
    """Which meetings are shown; empty shows all."""

    family: Literal["", "delivery", "master", "network"] = ""
    subject: Text = ""
    school: Text = ""
    weekday: Literal["", "1", "2", "3", "4", "5", "6", "7"] = ""


class Because(Shape):
    """Only the lessons that are missing for this reason; empty shows all."""

    reason: Text = ""


class WeekOf(Shape):
    """Whose week of the plan is drawn: a lead school, a lead teacher or a receiving school."""

    by: Literal["lead", "teacher", "receive"] = "lead"
    code: Text = ""


@routes.get("/planner/{county}/plans", needs="plan.read", summary="Plan versions, and a new planning run", page=True)
async def plans(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        found = await versions(session, head.county)
        run = await running(session, head.county)
    seconds = call.app.settings.plan_time_limit_seconds
    return show(call, "plans", head, versions=found, run_id=run, seconds=seconds)


@routes.get("/planner/{county}/plans/{number}", needs="plan.read", summary="A plan version: its figures", page=True)
async def plan(call: Call[PlanPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
    reasons = Counter(lack.reason for lack in found.unmet)
    return show(
        call, "plan", head, tab="summary", version=version, plan=found, names=names, reasons=reasons.most_common(), reason_name=_reason_name(call),
        families=Counter(meeting.family for meeting in found.meetings), held=_held(found), loads=_loads(found, names),
    )  # fmt: skip


def _reason_name(call: Call[Any, Any, Any]) -> Callable[[str], str]:
    """A short name for a reason of the ``plan`` catalogue; one without a name stands by its code."""
    words = catalogue(call.caller.language)

    def name(code: str) -> str:
        return words.get(f"planner.reason_{code.removeprefix('place_')}", code)

    return name


def _held(plan: Plan) -> Mapping[str, int]:
    """Communities and network courses that are held, by family."""
    refs = {(meeting.family, meeting.ref) for meeting in plan.meetings if meeting.ref}
    return Counter(family for family, _ in refs)


def _loads(plan: Plan, names: Names) -> list[tuple[str, int, int, int]]:
    """Lead schools: code, meetings a week in halves, class-lessons in halves, receiving schools; the busiest first."""
    meetings: Counter[str] = Counter()
    lessons: Counter[str] = Counter()
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for meeting in plan.meetings:
        if meeting.family == "delivery":
            school = names.school_of_teacher(meeting.lead_teacher)
            meetings[school] += meeting.slot.halves
            lessons[school] += meeting.slot.halves * len(meeting.classes)
            partners[school].update(map(names.school_of_class, meeting.classes))
    return [(code, count, lessons[code], len(partners[code])) for code, count in meetings.most_common()]


@routes.get("/planner/{county}/plans/{number}/meetings", needs="plan.read", summary="The weekly meetings", page=True)
async def meetings(call: Call[PlanPath, Filter, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
        locks = await locks_on(session, head.county, found.meetings)
    rows = [meeting for meeting in found.meetings if _matches(meeting, call.query, names)]
    subjects = sorted({meeting.subject for meeting in found.meetings})
    return show(
        call, "meetings", head, tab="meetings", version=version, plan=found, names=names, rows=rows,
        chosen=call.query, subjects=subjects, schools=_schools(found, names), locks=locks,
    )  # fmt: skip


def _matches(meeting: Meeting, wanted: Filter, names: Names) -> bool:
    return (
        wanted.family in ("", meeting.family)
        and wanted.subject in ("", meeting.subject)
        and wanted.weekday in ("", str(meeting.slot.weekday))
        and (not wanted.school or wanted.school in _schools_of(meeting, names))
    )


def _schools_of(meeting: Meeting, names: Names) -> set[str]:
    return {
        names.school_of_teacher(meeting.lead_teacher),
        *map(names.school_of_class, meeting.classes),
        *map(names.school_of_teacher, meeting.members),
    }


def _schools(plan: Plan, names: Names) -> list[str]:
    return sorted({code for meeting in plan.meetings for code in _schools_of(meeting, names) if code})


@routes.get("/planner/{county}/plans/{number}/week", needs="plan.read", summary="The plan as a week", page=True)
async def week(call: Call[PlanPath, WeekOf, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
        choices = _choices(found, names, call.query.by)
        code = call.query.code if call.query.code in choices else next(iter(choices), "")
        school = names.school_of_teacher(code) if call.query.by == "teacher" else code
        periods = await periods_of(session, head.county, school)
        locks = await locks_on(session, head.county, found.meetings)
    some = [meeting for meeting in found.meetings if code in _whose(meeting, names, call.query.by)]
    return show(
        call, "plan_week", head, tab="week", version=version, plan=found, names=names, by=call.query.by, code=code,
        choices=list(choices.items()), grid=_grid(some, periods), locks=locks,
    )  # fmt: skip


def _whose(meeting: Meeting, names: Names, by: str) -> set[str]:
    if by == "teacher":
        return {meeting.lead_teacher, *meeting.members}
    if by == "lead":
        return {names.school_of_teacher(meeting.lead_teacher)}
    return {*map(names.school_of_class, meeting.classes)}


def _choices(plan: Plan, names: Names, by: str) -> dict[str, str]:
    """Code → name of everybody who has a week of this kind."""
    codes = sorted({code for meeting in plan.meetings for code in _whose(meeting, names, by) if code})
    if by == "teacher":
        return {code: f"{names.school(names.school_of_teacher(code))} · {names.teacher(code)}" for code in codes}
    return {code: names.school(code) for code in codes}


def _grid(some: Sequence[Meeting], periods: Mapping[int, tuple[Period, ...]]) -> Grid[Meeting]:
    last = max([5, *periods, *(meeting.slot.weekday for meeting in some)])
    days: list[Column[Meeting]] = []
    for weekday in range(1, last + 1):
        blocks = [Block(m.slot.start, m.slot.end, m) for m in some if m.slot.weekday == weekday]
        days.append(Column(weekday, side_by_side(blocks), periods.get(weekday, ())))
    return grid(days)


@routes.get("/planner/{county}/plans/{number}/unmet", needs="plan.read", summary="Unmet lessons and why", page=True)
async def unmet(call: Call[PlanPath, Because, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
    language = call.caller.language
    rows = [(lack, said_apart(language, lack, names)) for lack in found.unmet if call.query.reason in ("", lack.reason)]
    return show(
        call, "unmet", head, tab="unmet", version=version, plan=found, names=names, rows=rows,
        advice=[helps(language, each, names) for each in found.advice],
        reason=call.query.reason, reason_name=_reason_name(call),
    )  # fmt: skip


@routes.get("/planner/{county}/plans/{number}/pairings", needs="plan.read", summary="Who leads whom", page=True)
async def pairings(call: Call[PlanPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
    leads = defaultdict(list)
    for planned in found.pairings:
        leads[planned.pair.lead_school].append(planned)
    carried = _carried(found, names)
    return show(
        call, "pairings", head, tab="pairings", version=version, plan=found, names=names, leads=leads, carried=carried
    )


def _carried(plan: Plan, names: Names) -> Mapping[tuple[str, str], int]:
    """(lead school, receiving school) → class-lessons a week, in halves."""
    found: Counter[tuple[str, str]] = Counter()
    for meeting in plan.meetings:
        if meeting.family == "delivery":
            lead = names.school_of_teacher(meeting.lead_teacher)
            for code in meeting.classes:
                found[lead, names.school_of_class(code)] += meeting.slot.halves
    return found


@routes.get(
    "/planner/{county}/plans/{number}/activities", needs="plan.read", summary="Communities and courses", page=True
)
async def activities(call: Call[PlanPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
    held = defaultdict(list)
    for meeting in found.meetings:
        if meeting.ref:
            held[meeting.ref].append(meeting)
    return show(call, "activities", head, tab="activities", version=version, plan=found, names=names, held=held)
