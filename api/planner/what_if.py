"""What if: suppositions worked out beside the county's own plan, compared with it, and adopted or discarded on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from aiohttp import web
from pydantic import Field

from api.planner.desk import CountyPath, Head, PlanPath, head_of, routes, show
from api.planner.runs import Started
from api.planner.suppositions import Kind, Supposed, sentences
from api.routing import Call, Nothing, Shape, Text
from rooms.county import POLICY_FLAGS, County
from rooms.planning.circumstance_rows import load_county_in_force
from rooms.planning.hypothesis import MOST, Hypothesis, from_json, to_json
from rooms.planning.names import names_of
from rooms.planning.outlook import Version, running, versions
from rooms.planning.runs import Wish
from rooms.planning.supposed_repair import repair_supposed
from rooms.planning.what_if import adopt, adoptable, discard, supposed_county
from rooms.refusals import Conflict, NotFound

KINDS: tuple[Kind, ...] = (
    "teacher_away", "room_closed", "school_closed", "bells_shifted", "bell_changed", "need_added", "policy", "lead_room",
)  # fmt: skip
POLICIES = (
    "max_receivers", "max_partners_per_lead", "max_partners_per_receiver", "one_lesson_per_day", "match_edition",
    "require_assistant", "allow_synchronous", "min_common_minutes", "max_remote_per_week", "max_remote_per_day",
)  # fmt: skip


class Asked(Shape):
    """A supposition to begin the form with, as other pages link to it."""

    kind: Text = "teacher_away"
    code: Text = ""


class WhatIf(Shape):
    """What is supposed, and how it is worked out. `base` is the version to start from and to compare with; None: the standing one."""

    changes: list[Supposed] = Field(min_length=1, max_length=MOST)
    base: int | None = Field(None, ge=1, le=2**31 - 1)
    seconds: int = Field(30, ge=2, le=3600)
    seed: int = Field(1, ge=0, le=2**31 - 1)


class Supposition(Shape):
    """The what-if that a repair made, and the version it was made from."""

    plan: int
    base: int


class Adopted(Shape):
    """The draft that the what-if became."""

    plan: int


@routes.get("/planner/{county}/what-if", needs="plan.read", summary="Suppose changes; earlier what-ifs", page=True)
async def what_if_page(call: Call[CountyPath, Asked, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        every, run = await versions(session, head.county), await running(session, head.county)
        names = await names_of(session, head.county)
        county = await load_county_in_force(session, head.county) if head.term else None
    numbers = {each.id: each for each in every}
    kept = [
        (
            each,
            sentences(call.caller.language, each.hypothesis, names),
            numbers.get(each.previous_id or 0),
            adoptable(from_json(each.hypothesis or ())),
        )
        for each in every
        if each.supposed
    ]
    bases = [each for each in every if not each.supposed]
    return show(
        call, "what_if", head, bases=bases, base=standing(every), kept=kept, run_id=run, names=names, asked=call.query,
        kinds=KINDS, lists=_lists(county, call), policies=_policies(county),
    )  # fmt: skip


def standing(every: Sequence[Version]) -> Version | None:
    """The published version, else the newest that is a plan of the county itself."""
    real = [each for each in every if not each.supposed]
    return next((each for each in real if each.state == "published"), next(iter(real), None))


def _lists(county: County | None, call: Call[CountyPath, Asked, Nothing]) -> dict[str, list[tuple[str, str]]]:
    """What each kind can be about: code and name."""
    if county is None:
        return {}
    school = {each.code: each.name for each in county.schools}
    used = sorted({each.bell_code for each in county.schools})
    tables = [(code, code) for code in used]
    leads = [each for each in county.schools if each.leads]
    return {
        "teacher_away": [(each.code, f"{school[each.school_code]} {each.name}") for each in county.teachers],
        "room_closed": [(each.code, school[each.school_code]) for each in county.rooms],
        "school_closed": [(each.code, each.name) for each in county.schools],
        "bells_shifted": tables,
        "bell_changed": tables,
        "need_added": [
            (each.code, school[each.school_code])
            for each in county.classes
            if county.school_by_code[each.school_code].receives
        ],
        "policy": [(key, call.say(f"whatif.policy_{key}")) for key in POLICIES],
        "lead_room": [(each.code, each.name) for each in leads],
        "bell_code": [(code, code) for code in sorted({each.bell_code for each in county.bells})],
        "subject": [
            (code, code) for code in sorted({subject for each in county.teachers for subject in each.subjects})
        ],
    }


def _policies(county: County | None) -> dict[str, dict[str, int | bool]]:
    """Policy key → its value now, and whether it is a switch."""
    if county is None:
        return {}
    return {key: {"value": int(getattr(county.policy, key)), "flag": key in POLICY_FLAGS} for key in POLICIES}


@routes.post(
    "/api/planner/{county}/what-ifs", needs="plan.run", summary="Plan a supposed county", status=202, limit="plan"
)
async def start_what_if(call: Call[CountyPath, Nothing, WhatIf]) -> Started:
    hypothesis, base = await _wanted(call)
    previous = base.id if base else None
    wish = Wish(call.body.seconds, call.body.seed, previous_id=previous, hypothesis=to_json(hypothesis))
    return Started(run=await call.app.plan_runs.start(call.actor, call.path.county, wish))


@routes.post(
    "/api/planner/{county}/what-ifs/repair",
    needs="plan.run",
    summary="Repair a plan for a supposed county",
    limit="plan",
)
async def repair_what_if(call: Call[CountyPath, Nothing, WhatIf]) -> Supposition:
    app = call.app
    hypothesis, base = await _wanted(call)
    if base is None:
        raise Conflict("no_plan")
    made = await repair_supposed(app.store, call.actor, app.clock, call.path.county, hypothesis, base.id)
    return Supposition(plan=made.number, base=base.number)


async def _wanted(call: Call[CountyPath, Nothing, WhatIf]) -> tuple[Hypothesis, Version | None]:
    """What is supposed, which fits the county, and the version it starts from."""
    async with call.app.store.read() as session:
        head, code = await head_of(session, call), call.path.county
        county, every = await load_county_in_force(session, code), await versions(session, code)
    hypothesis = tuple(each.value_on(_from(head, county)) for each in call.body.changes)
    supposed_county(county, hypothesis)
    return hypothesis, _base(every, call.body.base)


def _from(head: Head, county: County) -> date:
    """Suppositions hold from today on, within the term."""
    return min(max(head.today, county.term_start), county.term_end)


def _base(every: Sequence[Version], number: int | None) -> Version | None:
    if number is None:
        return standing(every)
    for each in every:
        if each.number == number:
            return each
    raise NotFound


@routes.post(
    "/api/planner/{county}/plans/{number}/adopt", needs="plan.publish", summary="Make a what-if the county's own draft"
)
async def adopt_what_if(call: Call[PlanPath, Nothing, Nothing]) -> Adopted:
    version = await adopt(call.app.store, call.actor, call.app.clock, call.path.county, call.path.number)
    return Adopted(plan=version.number)


@routes.delete("/api/planner/{county}/plans/{number}", needs="plan.run", summary="Discard a what-if")
async def discard_what_if(call: Call[PlanPath, Nothing, Nothing]) -> None:
    await discard(call.app.store, call.actor, call.app.clock, call.path.county, call.path.number)
