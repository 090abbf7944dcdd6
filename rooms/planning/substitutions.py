"""Substitutions in the store: what a circumstance of some days asks for, accepted in one transaction, and taken back.

A lesson that somebody stands in for, or that moves, is cancelled with its reason and replaced by a new one that names it, as every
make-up lesson is: a later publication of the weekly plan leaves both alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from rooms import tables
from rooms.audit import append
from rooms.clock import Clock
from rooms.counties import load_county
from rooms.county import County
from rooms.planning.changes import NewLesson, add_in, cancel_in, excuse_in, lock_lessons
from rooms.planning.circumstance_rows import check_circumstance, in_force, record, recorded_of
from rooms.planning.circumstances import Circumstance, with_circumstances
from rooms.planning.cover import CANCEL_REASON, NEXT_WEEK, Affected, Option, affected, options, settle
from rooms.planning.diary import Diary, Held
from rooms.planning.occurrences import OccurrenceView, Who, between
from rooms.planning.problem import problem_of
from rooms.planning.restoring import restore_in, welcome_in
from rooms.planning.terms import load_term
from rooms.planning.turns import take_turn
from rooms.refusals import Conflict, Invalid, NotFound, Refusal
from rooms.store import Actor, Store
from scheduler.problem import Problem
from scheduler.terms import Term

LONGEST = 28
"""Days that one dated circumstance may last; who is away for longer belongs to the weekly plan."""
SHOWN = 24
"""Options of a lesson for which the teacher's day is told."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What single days are decided on: the files with the bells of that time, and how the planner sees them."""

    county: County
    problem: Problem
    term: Term


@dataclass(frozen=True, slots=True)
class Proposal:
    """A lesson that is hit, with what could be done about it; the first option is the one that is proposed."""

    hit: Affected
    options: tuple[Option, ...]
    days: Mapping[str, Sequence[Held]]
    """Key of an option with a teacher → that teacher's day as it would be without the lesson; of the first options only."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a circumstance asks for."""

    what: Circumstance
    diary: Diary
    """With every first option entered."""
    rows: tuple[Proposal, ...]


async def load_ground(session: AsyncSession, county: str, day: date) -> Ground:
    """The county as it is on a date. Raises `NotFound` ``county_not_found``."""
    bells = [each for each in await in_force(session, county) if each.kind == "bell_changed" and each.from_date <= day]
    found = with_circumstances(await load_county(session, county), bells)
    return Ground(found, await asyncio.to_thread(problem_of, found), await load_term(session, county))


async def open_diary(
    session: AsyncSession, ground: Ground, first: date, last: date, also: Sequence[Circumstance] = ()
) -> tuple[Diary, list[OccurrenceView]]:
    """The diary of all weeks from a date to another, and the lessons in them; `also` are circumstances not yet told."""
    monday, sunday = first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())
    code = ground.county.code
    lessons = await between(session, Who(code), monday, sunday)
    known = [*await in_force(session, code), *also]
    return await asyncio.to_thread(Diary, ground.county, ground.problem, ground.term, lessons, known), lessons


async def propose(session: AsyncSession, clock: Clock, county: str, what: Circumstance) -> Proposals:
    """What could be done about each lesson that a dated circumstance hits; nothing is changed.

    Refusals: those of `check_circumstance`, `Invalid` ``circumstance_not_dated``, ``circumstance_long`` (fact: days).
    """
    ground = await load_ground(session, county, what.from_date)
    last = _last_day(ground.county, what)
    diary, lessons = await open_diary(session, ground, what.from_date, last + NEXT_WEEK, [what])
    now = clock.now()

    def all_of_them() -> tuple[Proposal, ...]:
        rows = []
        for hit in affected(diary, what, lessons, now):
            found = options(diary, what, hit, now)
            taught = [each for each in found if each.action in ("teacher", "later")][:SHOWN]
            days = {each.key: diary.day_of(("teacher", each.teacher), each.day) for each in taught}
            settle(diary, hit, found[0])
            rows.append(Proposal(hit, tuple(found), days))
        return tuple(rows)

    return Proposals(what, diary, await asyncio.to_thread(all_of_them))


def _last_day(county: County, what: Circumstance) -> date:
    check_circumstance(county, what)
    if what.until_date is None or what.kind not in CANCEL_REASON:
        raise Invalid("circumstance_not_dated")
    if (what.until_date - what.from_date).days >= LONGEST:
        raise Invalid("circumstance_long", days=LONGEST)
    return what.until_date


async def substitute(
    store: Store, actor: Actor, clock: Clock, county: str, what: Circumstance, choices: Mapping[str, str]
) -> int:
    """Accepts a decision for every lesson that is hit: all of them or none. Returns the id of the circumstance.

    `choices` are keys of options by occurrence id. Each is judged again, after those before it. Refusals: as `propose`, and
    `Conflict` ``substitution_undecided`` (a lesson without a choice), ``substitution_impossible`` (facts: day, at: what was chosen
    is no longer possible).
    """
    async with store.read() as session:
        ground = await load_ground(session, county, what.from_date)
    last, now = _last_day(ground.county, what), clock.now()
    async with store.write() as session:
        await take_turn(session, county)
        diary, lessons = await open_diary(session, ground, what.from_date, last + NEXT_WEEK, [what])
        effects, all_hit = [], affected(diary, what, lessons, now)
        await lock_lessons(session, [hit.lesson.id for hit in all_hit])
        for hit in all_hit:
            option = _chosen(choices, hit, options(diary, what, hit, now))
            settle(diary, hit, option)
            effects += await _act(session, actor, now, what, hit, option, county)
        row = await record(session, actor, ground.county, what, at=now, effects=effects)
    return row.id


def _chosen(choices: Mapping[str, str], hit: Affected, possible: Sequence[Option]) -> Option:
    lesson = hit.lesson
    at = f"{lesson.start // 60:02}:{lesson.start % 60:02}"
    if hit.begun:
        return possible[0]
    if lesson.id not in choices:
        raise Conflict("substitution_undecided", day=lesson.day, at=at)
    for option in possible:
        if option.key == choices[lesson.id]:
            return option
    raise Conflict("substitution_impossible", day=lesson.day, at=at)


async def _act(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    what: Circumstance,
    hit: Affected,
    option: Option,
    county: str,
) -> list[dict[str, str]]:
    """Does what was chosen; what it did, for `lift`."""
    lesson, reason = hit.lesson, CANCEL_REASON[what.kind]
    told = {"reason": reason, "note": what.reason, "county": county}
    match option.action:
        case "keep":
            return []
        case "excuse":
            for side in hit.sides:
                await excuse_in(session, actor, now, side, **told)
            return [{"did": "excused", "lesson": lesson.id, "side": side} for side in hit.sides]
        case "cancel":
            await cancel_in(session, actor, now, lesson.id, **told)
            return [{"did": "cancelled", "lesson": lesson.id}]
        case _:
            await cancel_in(session, actor, now, lesson.id, **told)
            new = instead_of(lesson, option.day, option.start, option.end, option.teacher, option.room)
            return [{"did": option.action, "lesson": lesson.id, "by": await add_in(session, actor, now, new)}]


def instead_of(lesson: OccurrenceView, day: date, start: int, end: int, teacher: str = "", room: str = "") -> NewLesson:
    """What replaces a lesson: with those who were judged to be there, and so without its excused sides."""
    return NewLesson(
        lesson.county, day, start, end, replaces=lesson.id, kind=lesson.kind, lead_teacher_code=teacher, lead_room_code=room,
        class_codes=tuple(side.class_code for side in lesson.attending if side.class_code),
        member_codes=tuple(side.teacher_code or "" for side in lesson.attending if side.side == "member"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lifted:
    """What lifting a circumstance gave back, and the lessons for which it was too late."""

    restored: int
    left: int


async def lift(store: Store, actor: Actor, clock: Clock, county: str, circumstance_id: int) -> Lifted:
    """Lifts a circumstance: it no longer counts, and what it did to lessons that are still to come is taken back.

    Lifting twice changes nothing. The weekly plan stays; repair it where it should use what is there again. Refusals: `NotFound`.
    """
    now = clock.now()
    async with store.write() as session:
        await take_turn(session, county)
        row = await session.get(tables.Circumstance, circumstance_id, with_for_update=True)
        if row is None or row.county != county:
            raise NotFound
        if row.lifted_at is not None:
            return Lifted(0, 0)
        row.lifted_at, row.lifted_by = now, actor.name
        await session.flush()
        restored = 0
        effects = recorded_of(row).effects
        await lock_lessons(session, [effect[key] for effect in effects for key in ("lesson", "by") if key in effect])
        for effect in effects:
            try:
                async with session.begin_nested():
                    if effect["did"] == "excused":
                        await welcome_in(session, actor, now, effect["side"], county=county)
                    else:
                        await restore_in(session, actor, now, effect["lesson"], county=county)
                restored += 1
            except Refusal:  # it was held meanwhile, or somebody decided otherwise: that stands
                continue
        done = Lifted(restored, len(effects) - restored)
        facts = {"kind": row.kind, "code": row.code, "restored": done.restored, "left": done.left}
        await append(session, actor, "circumstance.lift", f"circumstance:{row.id}", county=county, at=now, facts=facts)
    return done


async def restore(store: Store, actor: Actor, clock: Clock, occurrence_id: str, *, county: str) -> None:
    """Takes one cancellation back, with what was to replace the lesson. Refusals: see `restore_in`."""
    async with store.write() as session:
        await take_turn(session, county)
        await restore_in(session, actor, clock.now(), occurrence_id, county=county)
