"""A plan as files: the exchange format's tables as a zip file, and a workbook for people."""

from __future__ import annotations

import asyncio
import io
import tempfile
import zipfile
from pathlib import Path

from aiohttp import web

from api.planner.desk import PlanPath, download, plan_of, routes
from api.planner.imports import SHEET, ZIP
from api.planner.reasons import said
from api.planner.workbooks import Row, Sheet, book_of, subject_name
from api.routing import Call, Nothing
from config.words import Language, say
from rooms.county import County
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.files import clock, lessons, write_plan
from rooms.planning.names import Names, names_of
from rooms.planning.problem import problem_of
from rooms.planning.versions import load_plan
from scheduler.problem import WEEK_NAMES, Plan


@routes.get("/planner/{county}/plans/{number}/plan.zip", needs="plan.read", summary="The plan's files", produces=ZIP)
async def plan_files(call: Call[PlanPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        version = await plan_of(session, call.path.county, call.path.number)
        plan, county = await load_plan(session, version.id), await load_county_in_force(session, call.path.county)
    body = await asyncio.to_thread(_zipped, county, plan)
    return download(body, ZIP, f"{county.code}-plan-{version.number}.zip")


def _zipped(county: County, plan: Plan) -> bytes:
    target = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(prefix="sanke-plan-") as folder,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        write_plan(Path(folder), problem_of(county), plan)
        for path in sorted(Path(folder).iterdir()):
            packed.write(path, path.name)
    return target.getvalue()


@routes.get(
    "/planner/{county}/plans/{number}/plan.xlsx", needs="plan.read", summary="The plan's workbook", produces=SHEET
)
async def plan_workbook(call: Call[PlanPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        version = await plan_of(session, call.path.county, call.path.number)
        plan, names = await load_plan(session, version.id), await names_of(session, call.path.county)
    body = await asyncio.to_thread(workbook, plan, names, call.caller.language)
    return download(body, SHEET, f"{call.path.county}-plan-{version.number}.xlsx")


def workbook(plan: Plan, names: Names, language: Language) -> bytes:
    """The meetings, pairings and unmet lessons of a plan, with names, as an ``.xlsx`` workbook."""
    return book_of(_sheets(plan, names, language), language)


def _sheets(plan: Plan, names: Names, language: Language) -> list[Sheet]:
    return [
        _sheet("meetings", MEETING_COLUMNS, _meetings(plan, names, language)),
        _sheet("pairings", "lead_school receive_school subject", _pairings(plan, names, language)),
        _sheet("unmet", "school class_code subject missing why_and_what", _unmet(plan, names, language)),
    ]


MEETING_COLUMNS = "code family subject weekday start end weeks lead_school lead room attend"


def _sheet(tab: str, columns: str, rows: list[Row]) -> Sheet:
    return Sheet(f"planner.tab_{tab}", tuple(f"planner.{column}" for column in columns.split()), rows)


def _meetings(plan: Plan, names: Names, language: Language) -> list[Row]:
    return [
        (
            m.code,
            say(language, f"common.family_{m.family}"),
            subject_name(language, m.subject),
            m.slot.weekday,
            clock(m.slot.start),
            clock(m.slot.end),
            say(language, f"common.weeks_{WEEK_NAMES[m.slot.weeks]}"),
            names.school(names.school_of_teacher(m.lead_teacher)),
            names.teacher(m.lead_teacher),
            m.lead_room,
            "; ".join(
                [f"{names.school(names.school_of_class(code))} {code}" for code in m.classes]
                + [f"{names.school(names.school_of_teacher(code))} {names.teacher(code)}" for code in m.members]
            ),
        )
        for m in plan.meetings
    ]


def _pairings(plan: Plan, names: Names, language: Language) -> list[Row]:
    return [
        (
            names.school(planned.pair.lead_school),
            names.school(planned.pair.receive_school),
            "; ".join(subject_name(language, code) for code in sorted(planned.subjects)),
        )
        for planned in plan.pairings
    ]


def _unmet(plan: Plan, names: Names, language: Language) -> list[Row]:
    return [
        (
            names.school(names.school_of_class(lack.school_class)),
            lack.school_class,
            subject_name(language, lack.subject),
            lessons(lack.missing_halves),
            said(language, lack, names),
        )
        for lack in plan.unmet
    ]
