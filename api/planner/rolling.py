"""A version rolled over into the county as it is now: what stays, what no longer fits and why, and the act."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from aiohttp import web
from pydantic import Field, Json

from api.planner.breaches import breach
from api.planner.desk import PlanPath, download, head_of, plan_of, routes, show
from api.planner.imports import SHEET
from api.planner.workbooks import Row, Sheet, book_of, subject_name
from api.routing import Call, Code, Nothing, Shape, Text
from config.words import Language, say
from rooms.planning.files import clock
from rooms.planning.names import Names, names_of
from rooms.planning.rolling import RollOver, accept_roll_over, preview_roll_over
from scheduler.problem import WEEK_NAMES, ClassCode, Meeting, SchoolClass, Slot
from scheduler.roll_over import Misfit, RolledOver

Line = tuple[Misfit, str]
"""A misfit, and why in a sentence."""


class Chosen(Shape):
    """Whether classes are a grade up (empty: as the dates tell), and which old class is another one now, as a JSON object."""

    up: Literal["", "0", "1"] = ""
    corrections: Json[dict[Code, Text]] = Field(default_factory=dict, validate_default=False)


class Accept(Shape):
    """As the preview was chosen. `corrections`: old class → the class it is now; empty where it left."""

    up: bool
    corrections: dict[Code, Text] = Field(default_factory=dict, max_length=5000)


class Accepted(Shape):
    """The draft that was made."""

    plan: int


async def _preview(call: Call[PlanPath, Chosen, Nothing]) -> tuple[RollOver, Names]:
    up = None if call.query.up == "" else call.query.up == "1"
    async with call.app.store.read() as session:
        names = await names_of(session, call.path.county)
        found = await preview_roll_over(
            session, call.path.county, call.path.number, up=up, corrections=call.query.corrections
        )
    return found, names


@routes.get(
    "/planner/{county}/plans/{number}/roll-over", needs="plan.read", summary="What a plan becomes in the county of now",
    page=True,
)  # fmt: skip
async def roll_over_page(call: Call[PlanPath, Chosen, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
    found, names = await _preview(call)
    changed = _changed(found.rolled)
    return show(
        call, "roll_over", head, tab="roll_over", version=version, plan=found.old, names=names, found=found,
        groups=_groups(call.caller.language, found.rolled.misfits, names), changed=changed,
        moved=sum(one.slot != two.slot for one, two in changed),
        roomed=sum(one.lead_room != two.lead_room for one, two in changed),
        mapping=_mapping(found), corrections=call.query.corrections,
    )  # fmt: skip


def _changed(rolled: RolledOver) -> list[tuple[Meeting, Meeting]]:
    """Kept meetings at another time or in another lead room."""
    return [(one, two) for one, two in rolled.kept if (one.slot, one.lead_room) != (two.slot, two.lead_room)]


def _groups(language: Language, misfits: Sequence[Misfit], names: Names) -> list[tuple[str, list[Line]]]:
    """Misfits by their kind of reason, the most frequent first."""
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for each in misfits:
        groups[group_of(each.reason)].append((each, breach(language, each.reason, each.facts, names)))
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def group_of(reason: str) -> str:
    """``roll_need_gone`` → ``need_gone``; of a rule its number, ``rule_h3_class`` → ``h3``."""
    return reason.removeprefix("roll_") if reason.startswith("roll_") else reason.split("_")[1]


def _mapping(found: RollOver) -> list[tuple[SchoolClass, ClassCode | None, list[SchoolClass]]]:
    """Old class, the class it is now, and the classes that it could be; those without one first."""
    there: defaultdict[str, list[SchoolClass]] = defaultdict(list)
    for each in found.problem.classes.values():
        there[each.school].append(each)
    rows = [(old, found.followed.get(code), there[old.school]) for code, old in found.before.items()]
    return sorted(rows, key=lambda row: (row[1] is not None, row[0].school, row[0].code))


@routes.get(
    "/planner/{county}/plans/{number}/roll-over.xlsx", needs="plan.read", summary="A roll-over as a workbook",
    produces=SHEET,
)  # fmt: skip
async def roll_over_workbook(call: Call[PlanPath, Chosen, Nothing]) -> web.Response:
    found, names = await _preview(call)
    language = call.caller.language
    lost = [_lost(language, each, names) for each in found.rolled.misfits]
    kept = [_kept(language, one, two, names) for one, two in found.rolled.kept]
    sheets = [
        _sheet("sheet_lost", "code subject lead who before reason", lost),
        _sheet("sheet_kept", "code subject lead who before after room_before room_after", kept),
    ]
    body = await asyncio.to_thread(book_of, sheets, language)
    return download(body, SHEET, f"{call.path.county}-plan-{call.path.number}-roll-over.xlsx")


def _sheet(title: str, columns: str, rows: Sequence[Row]) -> Sheet:
    elsewhere: Mapping[str, str] = {"subject": "planner.subject", "lead": "planner.lead"}
    return Sheet(f"rollover.{title}", tuple(elsewhere.get(each, f"rollover.{each}") for each in columns.split()), rows)


def _lost(language: Language, each: Misfit, names: Names) -> Row:
    meeting = each.meeting
    who = names.teacher(each.who) if meeting.family == "master" else each.who
    return (
        meeting.code,
        subject_name(language, meeting.subject),
        names.teacher(meeting.lead_teacher),
        who or say(language, "rollover.whole"),
        _when(language, meeting.slot),
        breach(language, each.reason, each.facts, names),
    )


def _kept(language: Language, before: Meeting, after: Meeting, names: Names) -> Row:
    return (
        after.code,
        subject_name(language, after.subject),
        names.teacher(after.lead_teacher),
        "; ".join([*after.classes, *map(names.teacher, after.members)]),
        _when(language, before.slot),
        _when(language, after.slot),
        before.lead_room,
        after.lead_room,
    )


def _when(language: Language, slot: Slot) -> str:
    weeks = say(language, f"common.weeks_{WEEK_NAMES[slot.weeks]}")
    return f"{slot.weekday} {clock(slot.start)}-{clock(slot.end)} {weeks}"


@routes.post(
    "/api/planner/{county}/plans/{number}/roll-over",
    needs="plan.run",
    summary="Keep a roll-over as a draft",
    limit="plan",
)
async def roll_over(call: Call[PlanPath, Nothing, Accept]) -> Accepted:
    app, wanted = call.app, call.body
    version = await accept_roll_over(
        app.store,
        call.actor,
        app.clock,
        call.path.county,
        call.path.number,
        up=wanted.up,
        corrections=wanted.corrections,
    )
    return Accepted(plan=version.number)
