"""A meeting placed or moved by hand: a new version where it keeps every rule, or, with a reason, where somebody overrides the rules it breaks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables as t
from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.meeting_locks import load_problem, lock_in, locks_of
from rooms.planning.places import Places, overridable
from rooms.planning.repairs import behind
from rooms.planning.turns import take_turn
from rooms.planning.versions import load_plan, save_plan
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from scheduler.assemble import missing_of, plan_of
from scheduler.problem import (
    ClassCode,
    Lock,
    Meeting,
    Plan,
    Problem,
    RoomCode,
    Slot,
    Subject,
    TeacherCode,
    Unmet,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be placed: a standing meeting by its code, or a lesson that a class lacks."""

    meeting: str = ""
    school_class: str = ""
    subject: str = ""
    weeks: int = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it is to go. `joined`: into this standing meeting."""

    teacher: str
    room: str
    slot: Slot
    host_lesson: int | None = None
    joined: str = ""


@dataclass(frozen=True)
class Bench:
    """A plan with its problem and the places of one piece."""

    plan_id: int
    number: int
    revision: int
    """Of the county's files that the version was made for."""
    problem: Problem
    plan: Plan
    places: Places


async def load_bench(session: AsyncSession, county: str, plan_id: int, piece: Piece) -> Bench:
    """What a piece could be placed on.

    Refusals: `NotFound` ``plan_unknown``, `Invalid` ``meeting_unknown``, ``place_activity`` (communities and courses are placed by the planner
    alone), ``place_nothing`` (the class asks for no such lesson, or has all of them), `Conflict` ``plan_behind``.
    """
    version = await session.get(t.PlanVersion, plan_id)
    if version is None or version.county != county:
        raise NotFound("plan_unknown", plan=plan_id)
    if await behind(session, version):
        raise Conflict("plan_behind", number=version.number)
    problem, plan = await load_problem(session, county), await load_plan(session, plan_id)
    wanted = _wanted(problem, plan, piece)
    return Bench(
        version.id,
        version.number,
        version.county_revision,
        problem,
        plan,
        Places(problem, plan, wanted, piece.meeting or None),
    )


def _wanted(problem: Problem, plan: Plan, piece: Piece) -> Meeting:
    if piece.meeting:
        standing = next((meeting for meeting in plan.meetings if meeting.code == piece.meeting), None)
        if standing is None:
            raise Invalid("meeting_unknown", code=piece.meeting)
        if standing.family != "delivery":
            raise Invalid("place_activity")
        return standing
    key = (ClassCode(piece.school_class), Subject(piece.subject))
    if key not in missing_of(problem, plan.meetings):
        raise Invalid("place_nothing", code=piece.school_class)
    taken = {meeting.code for meeting in plan.meetings}
    code = next(code for code in (f"D{number:04}" for number in count(1)) if code not in taken)
    nowhere = Slot(1, 0, 0, piece.weeks)
    return Meeting(code, "delivery", key[1], TeacherCode(""), RoomCode(""), nowhere, (key[0],))


async def place(
    store: Store,
    actor: Actor,
    clock: Clock,
    county: str,
    plan_id: int,
    piece: Piece,
    spot: Spot,
    *,
    anyway: bool = False,
    reason: str = "",
    lock: bool = True,
) -> t.PlanVersion:
    """Places a piece and returns the new version. What breaks rules is placed only `anyway`, with a reason, and is locked then.

    Refusals: as `load_bench`, and `Invalid` ``code_unknown``, ``place_reason`` (a reason is missing), ``plan_not_legal``, `Conflict`
    ``place_breaks`` and ``place_never`` (fact: rules).
    """
    now = clock.now()
    async with store.read() as session:
        bench = await load_bench(session, county, plan_id, piece)
        meeting = put(bench, piece, spot)
    breaches = await asyncio.to_thread(bench.places.breaches, meeting, spot.joined or None)
    rules = frozenset(breach.rule for breach in breaches)
    if never := sorted({breach.rule for breach in breaches if not overridable(breach)}):
        raise Conflict("place_never", rules="、".join(never))
    if rules and not anyway:
        raise Conflict("place_breaks", rules="、".join(sorted(rules)))
    if rules and not reason.strip():
        raise Invalid("place_reason")
    async with store.write() as session:
        await take_turn(session, county)
        if await behind(session, await session.get_one(t.PlanVersion, plan_id)):
            raise Conflict("plan_behind", number=bench.number)
        await _release(session, county, bench.plan, piece, spot)
        if rules or lock:
            await lock_in(session, actor, now, county, [Lock(meeting, overrides=rules)], reason=reason)
        return await _saved(session, actor, now, county, bench, piece, spot, meeting, rules)


def put(bench: Bench, piece: Piece, spot: Spot) -> Meeting:
    """The meeting as it would be held at a spot. Refusals: `Invalid` ``code_unknown``, ``meeting_unknown``."""
    problem = bench.problem
    for kind, code, known in (("teacher", spot.teacher, problem.teachers), ("room", spot.room, problem.rooms)):
        if code not in known:
            raise Invalid("code_unknown", kind=kind, code=code)
    wanted = bench.places.wanted
    if spot.joined:
        standing = next((each for each in bench.plan.meetings if each.code == spot.joined), None)
        if standing is None or standing.family != "delivery":
            raise Invalid("meeting_unknown", code=spot.joined)
        return replace(standing, classes=tuple(dict.fromkeys((*standing.classes, *wanted.classes))))
    host = next((row for row in problem.lesson_by_row if row == spot.host_lesson), None)
    teacher, room = TeacherCode(spot.teacher), RoomCode(spot.room)
    return replace(wanted, lead_teacher=teacher, lead_room=room, slot=spot.slot, host_lesson=host)


async def _release(session: AsyncSession, county: str, plan: Plan, piece: Piece, spot: Spot) -> None:
    """A lock of the meeting that moves, or that is joined, goes with its old form."""
    gone = [meeting for meeting in plan.meetings if meeting.code in (piece.meeting, spot.joined)]
    ids = [kept.id for kept in await locks_of(session, county) if any(kept.holds(meeting) for meeting in gone)]
    if ids:
        await session.execute(delete(t.MeetingLock).where(t.MeetingLock.id.in_(ids)))


async def _saved(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    county: str,
    bench: Bench,
    piece: Piece,
    spot: Spot,
    meeting: Meeting,
    rules: frozenset[str],
) -> t.PlanVersion:
    problem = await load_problem(session, county)
    left = [each for each in bench.plan.meetings if each.code not in (piece.meeting, spot.joined)]
    meetings = sorted([*left, meeting], key=lambda each: (each.slot, each.code))
    reasons = {(lack.school_class, lack.subject): lack for lack in bench.plan.unmet}
    for key, halves in missing_of(problem, meetings).items():
        reasons.setdefault(key, Unmet(*key, halves, "run_ended"))
    extra = sum(meeting.slot.halves * problem.need_by_key[code, meeting.subject].priority for code in meeting.classes)
    plan = plan_of(
        problem, meetings, reasons, bound=bench.plan.bound_weighted + (extra if rules else 0), seconds=bench.plan.seconds,
        seed=bench.plan.seed, status="feasible",
    )  # fmt: skip
    version = await save_plan(
        session, actor, problem, plan, revision=bench.revision, at=now, previous_id=bench.plan_id,
        origin="hand",
    )  # fmt: skip
    facts = {"meeting": meeting.code, "moved": bool(piece.meeting), "overridden": sorted(rules)}
    await append(session, actor, "plan.place", f"plan:{version.id}", county=county, at=now, facts=facts)
    return version
