"""The rules and wishes of a county in words, with its own limits, switches and weights; the wishes of one plan."""

from __future__ import annotations

import asyncio
from typing import Literal

from aiohttp import web
from babel.dates import get_day_names
from pydantic import Field

from api.planner.desk import CountyPath, PlanPath, head_of, plan_of, routes, show
from api.planner.reasons import named
from api.routing import Call, Nothing, Shape
from config.words import Language, say
from rooms.county import HEAVIEST, LARGEST
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.files import clock
from rooms.planning.names import Names, names_of
from rooms.planning.problem import problem_of
from rooms.planning.versions import load_plan
from rooms.policy import policy_lines, reset_policy, set_policy
from scheduler.problem import Slot
from scheduler.wishes import Cause, wishes_of

MOST = 200
"""Causes that one page shows; the greatest come first."""
Limit = Field(None, ge=0, le=LARGEST)
Weight = Field(None, ge=0, le=HEAVIEST)


class Values(Shape):
    """Values of the policy that shall hold; what is left out stays."""

    max_receivers: int | None = Limit
    max_partners_per_lead: int | None = Limit
    max_partners_per_receiver: int | None = Limit
    one_lesson_per_day: bool | None = None
    match_edition: bool | None = None
    require_assistant: bool | None = None
    allow_synchronous: bool | None = None
    min_common_minutes: int | None = Field(None, ge=1, le=480)
    max_remote_per_week: int | None = Limit
    max_remote_per_day: int | None = Limit
    wish_even_load: int | None = Weight
    wish_days_apart: int | None = Weight
    wish_few_pairings: int | None = Weight
    wish_editions_known: int | None = Weight
    wish_few_moves: int | None = Weight
    wish_one_period: int | None = Weight


class Changed(Shape):
    """How many values hold otherwise than before."""

    changed: int


class WishPath(PlanPath):
    wish: Literal["W1", "W2", "W3", "W4", "W5", "W6"]


@routes.get("/planner/{county}/rules", needs="plan.read", summary="Rules and wishes in words", page=True)
async def rules(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, lines = await head_of(session, call), await policy_lines(session, call.path.county)
    return show(call, "rules", head, lines={line.key: line for line in lines}, heaviest=HEAVIEST)


@routes.post("/api/planner/{county}/policy", needs="county.import", summary="Set limits, switches and weights")
async def change(call: Call[CountyPath, Nothing, Values]) -> Changed:
    wanted = {key: int(value) for key, value in call.body.model_dump(exclude_none=True).items()}
    return Changed(changed=await set_policy(call.app.store, call.actor, call.app.clock, call.path.county, wanted))


@routes.post("/api/planner/{county}/policy/reset", needs="county.import", summary="Take back what was set here")
async def reset(call: Call[CountyPath, Nothing, Nothing]) -> Changed:
    return Changed(changed=await reset_policy(call.app.store, call.actor, call.app.clock, call.path.county))


@routes.get(
    "/planner/{county}/plans/{number}/wishes/{wish}", needs="plan.read", summary="A wish and its meetings", page=True
)
async def wish(call: Call[WishPath, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head, version = await head_of(session, call), await plan_of(session, call.path.county, call.path.number)
        found, names = await load_plan(session, version.id), await names_of(session, head.county)
        county = await load_county_in_force(session, head.county)
        before = await load_plan(session, version.previous_id) if version.previous_id is not None else None
    language = call.caller.language
    figures = await asyncio.to_thread(lambda: wishes_of(problem_of(county), found, before))
    figure = next(each for each in figures if each.code == call.path.wish)
    meetings = {meeting.code: meeting for meeting in found.meetings}
    return show(
        call, "wish", head, tab="summary", version=version, plan=found, names=names, figure=figure, meetings=meetings,
        rows=[(each, _words(language, figure.code, each, names)) for each in figure.causes[:MOST]],
    )  # fmt: skip


def _words(language: Language, code: str, cause: Cause, names: Names) -> str:
    """Why a wish is not fulfilled here, in a sentence with names."""
    facts = {name: _fact(language, value, names) for name, value in cause.facts.items()}
    return say(language, f"rules.{code.lower()}_cause", **facts)


def _fact(language: Language, value: object, names: Names) -> object:
    if isinstance(value, Slot):
        return f"{_day(language, value.weekday)} {clock(value.start)}–{clock(value.end)}"
    if isinstance(value, tuple):
        return ("、" if language == "zh_CN" else ", ").join(str(_fact(language, each, names)) for each in value)
    if isinstance(value, str) and value in names.classes:
        return f"{names.school(names.school_of_class(value))} {value}"
    return named(language, names, value)


def _day(language: Language, weekday: int) -> str:
    return str(get_day_names("abbreviated", locale=language)[weekday - 1])
