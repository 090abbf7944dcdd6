"""A lesson that is due now, at any hour and on any day: added by hand beside the published plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.clock import Clock
from rooms.county import County, Room, Teacher
from rooms.demo.past import DEMO
from rooms.planning.changes import NewLesson, add_lesson, excuse_side
from rooms.refusals import Conflict
from rooms.store import Store
from rooms.tables import Occurrence, OccurrenceSide

LENGTH = 40
STILL_TO_GO = timedelta(minutes=12)
"""A lesson with less time left than this is no longer offered as the one that is due."""


@dataclass(frozen=True, slots=True)
class DueClass:
    """A receiving class of a due lesson."""

    side_id: str
    school_code: str
    class_code: str
    room_code: str


@dataclass(frozen=True, slots=True)
class DueLesson:
    """A lesson that can be entered at once."""

    occurrence_id: str
    title: str
    subject: str
    teacher_code: str
    teacher_name: str
    school_code: str
    lead_side_id: str
    starts_at: datetime
    ends_at: datetime
    classes: tuple[DueClass, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """A due lesson to be had: its title tells it from the others."""

    title: str
    subject: str
    school: str
    grades: frozenset[int]
    receivers: tuple[str, ...]
    """Schools to be taken first."""


TAUGHT = Wish("演示课·现在上课", "music", "S01", frozenset({3}), ("V01", "T03", "V07"))
"""The lesson that a person starts from the teacher's desk."""
HELD = Wish("演示课·合成画面", "art", "S02", frozenset({4}), ("V03", "T04", "V05"))
"""The lesson that the synthetic publisher holds, to be joined without a camera."""


async def due_lesson(store: Store, clock: Clock, county: County, wish: Wish) -> DueLesson:
    """The wished lesson that is due now; added where there is none. Earlier ones that nobody held are excused."""
    async with store.read() as session:
        known = await _standing(session, county, wish, clock.now())
    if known is None:
        await _excuse_forgotten(store, clock, county, wish)
        await _add(store, county, wish, clock, await _next_start(store, clock, county, wish))
        async with store.read() as session:
            known = await _standing(session, county, wish, clock.now())
    assert known is not None, "it was just added"
    return known


async def _standing(session: AsyncSession, county: County, wish: Wish, now: datetime) -> DueLesson | None:
    row = await session.scalar(
        select(Occurrence)
        .where(
            Occurrence.county == county.code,
            Occurrence.title == wish.title,
            Occurrence.state.in_(("planned", "ready", "live")),
            Occurrence.ends_at >= now + STILL_TO_GO,
        )
        .order_by(Occurrence.starts_at)
        .limit(1)
    )
    if row is None:
        return None
    sides = (await session.scalars(select(OccurrenceSide).where(OccurrenceSide.occurrence_id == row.id))).all()
    lead = next(side for side in sides if side.side == "lead")
    classes = [
        DueClass(side.id, side.school_code, side.class_code or "", side.room_code or "")
        for side in sorted(sides, key=lambda side: _preference(wish, side.school_code))
        if side.side == "receiver"
    ]
    return DueLesson(
        row.id, row.title, row.subject, row.lead_teacher_code, county.teacher_by_code[row.lead_teacher_code].name,
        row.lead_school_code, lead.id, row.starts_at, row.ends_at, tuple(classes),
    )  # fmt: skip


async def _excuse_forgotten(store: Store, clock: Clock, county: County, wish: Wish) -> None:
    """Lessons of earlier visits that nobody opened must not spoil the figures."""
    async with store.read() as session:
        forgotten = (
            await session.scalars(
                select(OccurrenceSide.id)
                .join(Occurrence, Occurrence.id == OccurrenceSide.occurrence_id)
                .where(
                    Occurrence.county == county.code,
                    Occurrence.title == wish.title,
                    Occurrence.opened_at.is_(None),
                    Occurrence.ends_at <= clock.now(),
                    OccurrenceSide.excuse_reason.is_(None),
                )
            )
        ).all()
    for side in forgotten:
        await excuse_side(store, DEMO, clock, side, reason="other", note="synthetic", county=county.code)


def window(now: datetime, zone: ZoneInfo) -> tuple[datetime, int]:
    """The local day and the minute at which a lesson of `LENGTH` minutes is due now; it never crosses midnight."""
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    start, last = minute // 5 * 5, 24 * 60 - LENGTH
    if start <= last:
        return local, start
    if 24 * 60 - minute >= 20:
        return local, last
    return local + timedelta(days=1), 0


async def _next_start(store: Store, clock: Clock, county: County, wish: Wish) -> datetime:
    """Now; or, where the present one is about to end, its end: its teacher goes on with the next."""
    now = clock.now()
    async with store.read() as session:
        ends = await session.scalar(
            select(func.max(Occurrence.ends_at)).where(
                Occurrence.county == county.code, Occurrence.title == wish.title, Occurrence.state != "cancelled"
            )
        )
    return max(now, ends) if ends and ends < now + STILL_TO_GO else now


async def _add(store: Store, county: County, wish: Wish, clock: Clock, at: datetime) -> None:
    """Adds the lesson with a teacher, a room and up to three classes that are free just then."""
    day, start = window(at, ZoneInfo(county.timezone))
    taken: set[str] = set()
    for _ in range(200):
        teacher, room = next(_leads(county, wish, taken))
        classes = _classes(county, wish, taken)
        lesson = NewLesson(
            county.code, day.date(), start, start + LENGTH, subject=wish.subject, title=wish.title,
            lead_teacher_code=teacher.code, lead_room_code=room.code, class_codes=tuple(classes),
        )  # fmt: skip
        try:
            await add_lesson(store, DEMO, clock, lesson)
        except Conflict as clash:
            if clash.code != "lesson_clash":
                raise
            taken.add(str(clash.facts["code"]))
        else:
            return
    raise RuntimeError("no class of the demonstration is free now")


def _leads(county: County, wish: Wish, taken: set[str]) -> Iterator[tuple[Teacher, Room]]:
    """Teachers of the subject with a room of their school: the wished school first, and specialists before others."""
    able = [
        teacher
        for teacher in county.teachers
        if county.school_by_code[teacher.school_code].leads and wish.subject in teacher.subjects
    ]
    able.sort(key=lambda teacher: (teacher.school_code != wish.school, len(teacher.subjects), teacher.code))
    for teacher in able:
        for room in county.rooms:
            fits = room.can_lead and room.school_code == teacher.school_code
            if fits and not {teacher.code, room.code} & taken:
                yield teacher, room


def _preference(wish: Wish, school: str) -> tuple[int, str]:
    return (wish.receivers.index(school) if school in wish.receivers else len(wish.receivers), school)


def _classes(county: County, wish: Wish, taken: set[str]) -> list[str]:
    """One class each of three receiving schools, of the wished grades, whose class and room are free as far as is known."""
    found: dict[str, str] = {}
    for group in county.classes:
        fits = county.school_by_code[group.school_code].role == "receive" and group.grades & wish.grades
        if fits and group.receiving_room_code and not {group.code, group.receiving_room_code} & taken:
            found.setdefault(group.school_code, group.code)
    return [found[school] for school in sorted(found, key=lambda school: _preference(wish, school))[:3]]
