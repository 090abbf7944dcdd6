"""A plan version becomes dated lessons from a date on.

Lessons of the former version that stand unchanged in the new one keep their id (and their calendar UID); the others are removed
where nothing happened to them yet, else cancelled as superseded. What has begun is never touched. Publishing twice changes nothing.
Lessons to come, those added by hand too, follow a class into the receiving room, and to the size, that the files give it by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.clashes import Clash, clashes, engagements
from rooms.planning.dating import (
    LessonKey,
    People,
    Planned,
    load_people,
    planned_lessons,
    rows_of,
    takes_of,
)
from rooms.planning.occurrences import SUPERSEDED
from rooms.planning.standing import StandingLesson, standing_lessons
from rooms.planning.terms import load_term
from rooms.planning.turns import take_turn
from rooms.planning.weekly import WeeklyChange, WeeklyEntry, weekly_changes
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.store import Actor, Store
from rooms.tables import Base, Occurrence, OccurrenceSide, PlanMeeting, PlanVersion

T = TypeVar("T")

__all__ = ["Clash", "Publication", "WeeklyChange", "preview_publication", "publish_plan"]


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing does, or did."""

    plan_id: int
    effective_from: date
    added: int
    """Dated lessons inserted."""
    removed: int
    kept: int
    superseded: int
    """Cancelled because something had happened to them already."""
    schools: Mapping[str, tuple[WeeklyChange, ...]]
    """School code → its changes; schools without any are left out."""
    clashes: tuple[Clash, ...]
    """Lessons added by hand that the new version's lessons collide with."""
    reseated: tuple[str, ...]
    """Classes with another receiving room or size than their lessons to come were dated with."""


@dataclass(frozen=True)
class _Lessons:
    """What becomes of the lessons of a term."""

    add: Sequence[Planned]
    keep: Sequence[tuple[StandingLesson, Planned]]
    remove: Sequence[str]
    supersede: Sequence[str]


@dataclass(frozen=True)
class _Change:
    """The rows to touch."""

    version: PlanVersion
    before: PlanVersion | None
    lessons: _Lessons
    people: People
    seen: Publication


async def preview_publication(
    session: AsyncSession, clock: Clock, county: str, plan_id: int, effective_from: date, *, backdate: bool = False
) -> Publication:
    """What publishing would do; nothing is changed. Refusals as `publish_plan`."""
    return (await _change(session, clock.now(), county, plan_id, effective_from, backdate)).seen


async def publish_plan(
    store: Store,
    actor: Actor,
    clock: Clock,
    county: str,
    plan_id: int,
    effective_from: date,
    *,
    backdate: bool = False,
) -> Publication:
    """Publish a version from a date on. Only with `backdate` (demonstrations, a late start) are lessons before now inserted.

    An older version may be published again. Refusals: `NotFound` ``plan_unknown``, `Conflict` ``plan_supposed`` (a what-if), `Invalid` ``effective_outside_term``
    (facts: first, last), `Invalid` ``plan_outdated`` (facts: kind, code: the county no longer has what the plan names).
    """
    now = clock.now()
    async with store.write() as session:
        await take_turn(session, county)
        change = await _change(session, now, county, plan_id, effective_from, backdate)
        seen, version = change.seen, change.version
        same = version.state == "published" and version.effective_from == effective_from
        if same and not (seen.added or seen.removed or seen.superseded or seen.reseated):
            return seen
        await _write_lessons(session, actor, now, county, change)
        await _reseat(session, now, county, change)
        if change.before is not None and change.before.id != version.id:
            change.before.state = "superseded"
        version.state, version.effective_from = "published", effective_from
        version.published_at, version.published_by = now, actor.name
        facts = {"from": effective_from.isoformat(), "added": seen.added, "removed": seen.removed, "kept": seen.kept}
        facts |= {"superseded": seen.superseded, "number": version.number, "backdated": backdate}
        facts |= {"reseated": len(seen.reseated)}
        await append(session, actor, "plan.publish", f"plan:{plan_id}", county=county, at=now, facts=facts)
    return seen


async def _change(
    session: AsyncSession, now: datetime, county: str, plan_id: int, effective_from: date, backdate: bool
) -> _Change:
    version = await session.get(PlanVersion, plan_id)
    if version is None or version.county != county:
        raise NotFound("plan_unknown", plan=plan_id)
    if version.state in ("what_if", "discarded"):
        raise Conflict("plan_supposed", number=version.number)
    term = await load_term(session, county)
    if not term.first <= effective_from <= term.last:
        raise Invalid("effective_outside_term", first=term.first, last=term.last)
    people = await load_people(session, county)
    await _check_names(session, plan_id, people)
    wanted = await planned_lessons(session, county, plan_id, effective_from)
    standing = await standing_lessons(session, county, effective_from)
    found = await asyncio.to_thread(_matched, wanted, standing, None if backdate else now)
    before = await session.scalar(
        select(PlanVersion).where(PlanVersion.county == county, PlanVersion.state == "published")
    )
    seen = Publication(
        plan_id,
        effective_from,
        len(found.add),
        len(found.remove),
        len(found.keep),
        len(found.supersede),
        weekly_changes(
            await _entries(session, before.id, people) if before else [], await _entries(session, plan_id, people)
        ),
        await _clashes(session, now, county, effective_from, found.add, people),
        await _reseated(session, now, county, effective_from, people),
    )
    return _Change(version, before, found, people, seen)


def _matched(wanted: Sequence[Planned], standing: Sequence[StandingLesson], after: datetime | None) -> _Lessons:
    """Which lessons of the plan stand already; with `after`, none that began before it is inserted or taken away."""
    left = {id(lesson): lesson for lesson in wanted if after is None or lesson.starts_at > after}
    by_key: dict[LessonKey, list[Planned]] = {}
    for lesson in reversed(wanted):
        by_key.setdefault(lesson.key, []).append(lesson)
    keep: list[tuple[StandingLesson, Planned]] = []
    gone: list[StandingLesson] = []
    for each in standing:
        same = by_key.get(each.key)
        if same:
            match = same.pop()
            left.pop(id(match), None)
            keep.append((each, match))
        elif each.state in ("planned", "ready") and (after is None or each.starts_at > after):
            gone.append(each)
    remove, supersede = ([each.id for each in gone if each.touched == touched] for touched in (False, True))
    return _Lessons(list(left.values()), keep, remove, supersede)


async def _check_names(session: AsyncSession, plan_id: int, people: People) -> None:
    """A plan names teachers, rooms and classes; a re-import may have dropped one."""
    for meeting in await session.scalars(select(PlanMeeting).where(PlanMeeting.plan_id == plan_id)):
        for kind, code in sorted(
            {("teacher", code) for code in [meeting.lead_teacher_code, *meeting.member_codes]}
            | {("class", code) for code in meeting.class_codes}
            | {("room", meeting.lead_room_code)}
        ):
            if people.lacks(kind, code):
                raise Invalid("plan_outdated", kind=kind, code=code)


async def _entries(session: AsyncSession, plan_id: int, people: People) -> list[WeeklyEntry]:
    found: list[WeeklyEntry] = []
    for meeting in await session.scalars(select(PlanMeeting).where(PlanMeeting.plan_id == plan_id)):
        window = (meeting.weekday, meeting.start, meeting.end, meeting.weeks)
        attend = [(people.classes[code].school_code, code) for code in meeting.class_codes if code in people.classes]
        attend += [(people.school_of_teacher.get(code, ""), code) for code in meeting.member_codes]
        for school, code in [(people.school_of_teacher.get(meeting.lead_teacher_code, ""), ""), *attend]:
            found.append(WeeklyEntry(school, meeting.family, meeting.subject, meeting.lead_teacher_code, code, window))
    return found


async def _clashes(
    session: AsyncSession, now: datetime, county: str, first: date, add: Sequence[Planned], people: People
) -> tuple[Clash, ...]:
    by_hand = await engagements(
        session,
        and_(
            Occurrence.county == county,
            Occurrence.day >= first,
            Occurrence.plan_id.is_(None),
            Occurrence.ends_at > now,
        ),
    )
    days = {each.day for each in by_hand}
    found = [
        clash
        for lesson in add
        if lesson.day in days
        for clash in clashes(lesson.starts_at, lesson.ends_at, takes_of(lesson.meeting, people), by_hand)
    ]
    return tuple(dict.fromkeys(found))


def _to_come(county: str, first: date, now: datetime) -> ColumnElement[bool]:
    waits = Occurrence.state.in_(("planned", "ready", "cancelled"))  # what is cancelled may be restored
    return and_(Occurrence.county == county, Occurrence.day >= first, Occurrence.starts_at > now, waits)


async def _reseated(session: AsyncSession, now: datetime, county: str, first: date, people: People) -> tuple[str, ...]:
    side = OccurrenceSide
    seats = await session.execute(
        select(side.class_code, side.room_code, side.expected)
        .join(Occurrence, Occurrence.id == side.occurrence_id)
        .where(_to_come(county, first, now), side.class_code.is_not(None))
        .distinct()
    )
    found = {
        code
        for code, room, size in seats
        if code and not people.lacks("class", code)
        and (room, size) != (people.classes[code].receiving_room_code, people.classes[code].size)
    }  # fmt: skip
    return tuple(sorted(found))


async def _reseat(session: AsyncSession, now: datetime, county: str, change: _Change) -> None:
    lessons = select(Occurrence.id).where(_to_come(county, change.seen.effective_from, now))
    for code in change.seen.reseated:
        group = change.people.classes[code]
        await session.execute(
            update(OccurrenceSide)
            .where(OccurrenceSide.class_code == code, OccurrenceSide.occurrence_id.in_(lessons))
            .values(room_code=group.receiving_room_code, expected=group.size)
        )


async def _write_lessons(session: AsyncSession, actor: Actor, now: datetime, county: str, change: _Change) -> None:
    for chunk in _chunks(change.lessons.remove):
        await session.execute(delete(OccurrenceSide).where(OccurrenceSide.occurrence_id.in_(chunk)))
        await session.execute(delete(Occurrence).where(Occurrence.id.in_(chunk)))
    for chunk in _chunks(change.lessons.supersede):
        await session.execute(
            update(Occurrence)
            .where(Occurrence.id.in_(chunk))
            .values(state="cancelled", cancel_reason=SUPERSEDED, cancelled_at=now, cancelled_by=actor.name)
        )
    kept: dict[str, list[str]] = {}
    for standing, lesson in change.lessons.keep:
        if (standing.plan_id, standing.meeting_code) != (change.version.id, lesson.meeting.code):
            kept.setdefault(lesson.meeting.code, []).append(standing.id)
    for code, ids in kept.items():
        moved = update(Occurrence).where(Occurrence.id.in_(ids))
        await session.execute(moved.values(plan_id=change.version.id, meeting_code=code))
    tables = Base.metadata.tables  # past the unit of work: a term has tens of thousands of lessons
    for lessons in _chunks(change.lessons.add):  # between two of them the classes that this process relays go on
        rows = [rows_of(county, change.version.id, lesson, change.people) for lesson in lessons]
        await session.execute(insert(tables["occurrences"]), [row for row, _ in rows])
        await session.execute(insert(tables["occurrence_sides"]), [side for _, sides in rows for side in sides])


def _chunks(all_of_them: Sequence[T], size: int = 500) -> list[Sequence[T]]:
    return [all_of_them[start : start + size] for start in range(0, len(all_of_them), size)]
