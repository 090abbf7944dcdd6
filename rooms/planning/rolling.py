"""A stored plan rolled over into the county as it is now: first what it would become, then the act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from rooms import tables as t
from rooms.clock import Clock
from rooms.planning.meeting_locks import load_problem
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from scheduler.problem import ClassCode, Plan, Problem, SchoolClass, SchoolCode
from scheduler.roll_over import Followed, RolledOver, follow_classes, roll_over, school_year

Corrections = Mapping[str, str]
"""Old class → the class it is now, as a planner knows better than the codes; empty where it left."""


@dataclass(frozen=True)
class RollOver:
    """What rolling a version over does, or did."""

    old: Plan
    problem: Problem
    before: Mapping[ClassCode, SchoolClass]
    """The classes as they were when the plan was made."""
    up: bool
    """Whether every class is looked for a grade up."""
    followed: Followed
    rolled: RolledOver


async def preview_roll_over(
    session: AsyncSession, county: str, number: int, *, up: bool | None = None, corrections: Corrections | None = None
) -> RollOver:
    """What a version would become in the county as it is now; nothing is changed.

    `up` None: a grade up where a school year has begun since, unless that finds fewer of the classes. Refusals: unknown version,
    `Conflict` ``plan_supposed``, `Invalid` ``class_unknown`` (a correction names a class that is not there).
    """
    version = await _version(session, county, number)
    old, problem = await load_plan(session, version.id), await load_problem(session, county)
    before = await _classes(session, version)
    header = await session.get_one(t.County, county)
    began = school_year(header.term_start) > school_year(version.effective_from or version.created_at.date())
    return await asyncio.to_thread(_rolled, old, problem, before, began if up is None else None, up, corrections or {})


def _rolled(
    old: Plan,
    problem: Problem,
    before: Mapping[ClassCode, SchoolClass],
    began: bool | None,
    up: bool | None,
    corrections: Corrections,
) -> RollOver:
    attended = {code for meeting in old.meetings for code in meeting.classes}
    known = {code: each for code, each in before.items() if code in attended}
    same, risen = (follow_classes(known, problem.classes, up=each) for each in (False, True))
    if up is None:
        up = bool(began) and _found(risen) >= _found(same)
    followed = {**(risen if up else same)}
    for code, now in corrections.items():
        if now and now not in problem.classes:
            raise Invalid("class_unknown", code=now)
        if code in attended:
            followed[ClassCode(code)] = ClassCode(now) if now else None
    return RollOver(old, problem, known, up, followed, roll_over(old, problem, followed))


def _found(followed: Followed) -> int:
    return sum(code is not None for code in followed.values())


async def accept_roll_over(
    store: Store, actor: Actor, clock: Clock, county: str, number: int, *, up: bool, corrections: Corrections
) -> t.PlanVersion:
    """Keeps what `preview_roll_over` shows as the county's next draft. Refusals as there, and ``roll_over_empty`` (nothing fits).

    It is worked out before the transaction, which would keep others waiting, and judged within it by the county as it then is.
    """
    async with store.read() as session:
        done = await preview_roll_over(session, county, number, up=up, corrections=corrections)
    if not done.rolled.kept:
        raise Conflict("roll_over_empty", number=number)
    async with store.write() as session:
        version, problem = await _version(session, county, number), await load_problem(session, county)
        header = await session.get_one(t.County, county)
        return await save_plan(
            session, actor, problem, done.rolled.plan, revision=header.revision, at=clock.now(), previous_id=version.id,
            origin="roll_over",
        )  # fmt: skip


async def _version(session: AsyncSession, county: str, number: int) -> t.PlanVersion:
    table = t.PlanVersion
    wanted = (table.county == county, table.number == number, table.state != "discarded")
    version = await session.scalar(select(table).where(*wanted).options(undefer(table.classes)))
    if version is None:
        raise NotFound
    if version.state == "what_if":
        raise Conflict("plan_supposed", number=number)
    return version


async def _classes(session: AsyncSession, version: t.PlanVersion) -> dict[ClassCode, SchoolClass]:
    """The classes as the version kept them; of one made before they were kept, as the county last had them."""
    if version.classes is not None:
        return {
            ClassCode(code): SchoolClass(ClassCode(code), SchoolCode(school), frozenset(grades), None, {})
            for code, (school, grades) in version.classes.items()
        }
    rows = await session.scalars(select(t.SchoolClass).where(t.SchoolClass.county == version.county))
    return {
        ClassCode(row.code): SchoolClass(ClassCode(row.code), SchoolCode(row.school_code), frozenset(row.grades), None, {})
        for row in rows
    }  # fmt: skip
