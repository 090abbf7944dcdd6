"""Dated lessons as people ask for them: one by its id, those due now, those of a day or a week.

Reading only; changes are in `rooms.planning.changes`. Views are frozen values with names filled in, ordered by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.tables import County, Occurrence, OccurrenceSide, School, SchoolClass, Teacher, Verdict

SUPERSEDED = "superseded"
"""Cancel reason of a lesson whose plan version was replaced after something had happened to it."""


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of a lesson with its names, head-counts and verdict. `side` is ``lead``, ``receiver`` or ``member``."""

    id: str
    side: str
    school_code: str
    school_name: str
    class_code: str | None
    grades: tuple[int, ...]
    teacher_code: str | None
    teacher_name: str | None
    room_code: str | None
    expected: int
    excuse_reason: str | None
    verdict: str | None
    """VALID, INVALID, EXCUSED, UNEXCUSED, UNJUDGED; None before it was judged."""
    reason: str | None
    """Code of the ``verdict`` catalogue: say ``verdict.reason_<code>``."""
    head_count: int | None


@dataclass(frozen=True, slots=True)
class OccurrenceView:
    """A dated lesson. Instants are UTC; `day`, `start` and `end` (minutes since local midnight) are the county's."""

    id: str
    county: str
    plan_id: int | None
    """None: added by hand."""
    family: str
    kind: str
    ref: str
    title: str
    subject: str
    day: date
    week: int
    start: int
    end: int
    starts_at: datetime
    ends_at: datetime
    state: str
    """planned, ready, live, ended, judged, cancelled."""
    opened_at: datetime | None
    closed_at: datetime | None
    shift_seconds: int
    cancel_reason: str | None
    cancel_note: str | None
    replaces_id: str | None
    replaced_by: tuple[str, ...]
    sides: tuple[SideView, ...]
    """The lead first, then receivers and members by school and class."""

    @property
    def lead(self) -> SideView:
        """Who teaches, or hosts."""
        return self.sides[0]

    @property
    def receivers(self) -> tuple[SideView, ...]:
        """Those who attend: receiving classes, or a community's members."""
        return self.sides[1:]

    @property
    def attending(self) -> tuple[SideView, ...]:
        """Those of them who are not excused."""
        return tuple(side for side in self.receivers if side.excuse_reason is None)


@dataclass(frozen=True, slots=True)
class Who:
    """Whose lessons: every given field must match. Schools and rooms match on either side, lead or receiving."""

    county: str
    schools: frozenset[str] | None = None
    teacher: str | None = None
    room: str | None = None

    def condition(self) -> ColumnElement[bool]:
        """The same as an SQL condition on occurrences."""
        wanted: list[ColumnElement[bool]] = []
        if self.schools is not None:
            wanted.append(OccurrenceSide.school_code.in_(self.schools) if self.schools else false())
        if self.teacher is not None:
            wanted.append(OccurrenceSide.teacher_code == self.teacher)
        if self.room is not None:
            wanted.append(OccurrenceSide.room_code == self.room)
        of_county = Occurrence.county == self.county
        sides = [Occurrence.id.in_(select(OccurrenceSide.occurrence_id).where(each)) for each in wanted]
        return and_(of_county, *sides)


async def occurrence(session: AsyncSession, occurrence_id: str) -> OccurrenceView | None:
    """One lesson with all its sides, or None."""
    found = await select_occurrences(session, Occurrence.id == occurrence_id)
    return found[0] if found else None


async def between(session: AsyncSession, who: Who, first: date, last: date) -> list[OccurrenceView]:
    """The lessons on the county's dates `first` to `last`, both included; cancelled ones too, superseded ones not."""
    return await select_occurrences(session, and_(who.condition(), Occurrence.day.between(first, last), standing()))


async def due_now(
    session: AsyncSession, who: Who, now: datetime, *, early: timedelta, late: timedelta = timedelta(minutes=30)
) -> list[OccurrenceView]:
    """Lessons people may enter now: live, or not ended and from `early` before the start until `late` after the end."""
    near = and_(
        Occurrence.state.in_(("planned", "ready", "ended")),
        Occurrence.starts_at <= now + early,
        Occurrence.ends_at > now - late,
    )
    found = await select_occurrences(session, and_(who.condition(), or_(Occurrence.state == "live", near)))
    return [lesson for lesson in found if lesson.state != "ended" or lesson.ends_at > now]


async def coming(session: AsyncSession, who: Who, now: datetime, *, count: int = 5) -> list[OccurrenceView]:
    """The next lessons that begin after `now`, cancelled ones left out."""
    ahead = and_(who.condition(), Occurrence.starts_at > now, Occurrence.state != "cancelled")
    first = select(Occurrence.id).where(ahead).order_by(Occurrence.starts_at, Occurrence.id).limit(count)
    return await select_occurrences(session, Occurrence.id.in_(first))


def standing() -> ColumnElement[bool]:
    """Leaves out what a later plan version replaced."""
    return or_(Occurrence.cancel_reason.is_(None), Occurrence.cancel_reason != SUPERSEDED)


async def zone_of(session: AsyncSession, county: str) -> ZoneInfo:
    """The county's time zone."""
    name = await session.scalar(select(County.timezone).where(County.code == county))
    return ZoneInfo(name or "Asia/Shanghai")


async def select_occurrences(session: AsyncSession, condition: ColumnElement[bool]) -> list[OccurrenceView]:
    """The lessons that meet a condition on `Occurrence`, in order of time, with all their sides."""
    ids = select(Occurrence.id).where(condition)
    lessons = (
        await session.scalars(select(Occurrence).where(condition).order_by(Occurrence.starts_at, Occurrence.id))
    ).all()
    if not lessons:
        return []
    sides: dict[str, list[SideView]] = {}
    for occurrence_id, side in await _sides(session, OccurrenceSide.occurrence_id.in_(ids)):
        sides.setdefault(occurrence_id, []).append(side)
    replaced: dict[str, list[str]] = {}
    for replacing, original in await session.execute(
        select(Occurrence.id, Occurrence.replaces_id).where(Occurrence.replaces_id.in_(ids)).order_by(Occurrence.id)
    ):
        replaced.setdefault(str(original), []).append(replacing)
    zones = {code: await zone_of(session, code) for code in {lesson.county for lesson in lessons}}
    return [
        _view(lesson, zones[lesson.county], sides.get(lesson.id, ()), replaced.get(lesson.id, ())) for lesson in lessons
    ]


async def _sides(session: AsyncSession, condition: ColumnElement[bool]) -> list[tuple[str, SideView]]:
    rows = await session.execute(
        select(OccurrenceSide, School.name, SchoolClass.grades, Teacher.name, Verdict)
        .outerjoin(School, and_(School.county == OccurrenceSide.county, School.code == OccurrenceSide.school_code))
        .outerjoin(
            SchoolClass,
            and_(SchoolClass.county == OccurrenceSide.county, SchoolClass.code == OccurrenceSide.class_code),
        )
        .outerjoin(Teacher, and_(Teacher.county == OccurrenceSide.county, Teacher.code == OccurrenceSide.teacher_code))
        .outerjoin(Verdict, Verdict.side_id == OccurrenceSide.id)
        .where(condition)
    )
    found = [
        (
            side.occurrence_id,
            SideView(
                side.id,
                side.side,
                side.school_code,
                school or side.school_code,
                side.class_code,
                tuple(grades or ()),
                side.teacher_code,
                teacher,
                side.room_code,
                side.expected,
                side.excuse_reason,
                verdict.verdict if verdict else None,
                verdict.reason if verdict else None,
                verdict.head_count if verdict else None,
            ),
        )
        for side, school, grades, teacher, verdict in rows
    ]
    return sorted(found, key=lambda pair: _order(pair[1]))


def _order(side: SideView) -> tuple[bool, str, str, str, str]:
    return (side.side != "lead", side.school_code, side.class_code or "", side.teacher_code or "", side.id)


def _view(lesson: Occurrence, zone: ZoneInfo, sides: Sequence[SideView], replaced_by: Sequence[str]) -> OccurrenceView:
    start, end = (_minute(instant, zone) for instant in (lesson.starts_at, lesson.ends_at))
    return OccurrenceView(
        lesson.id,
        lesson.county,
        lesson.plan_id,
        lesson.family,
        lesson.kind,
        lesson.ref,
        lesson.title,
        lesson.subject,
        lesson.day,
        lesson.week,
        start,
        end if end > start else end + 24 * 60,
        lesson.starts_at,
        lesson.ends_at,
        lesson.state,
        lesson.opened_at,
        lesson.closed_at,
        lesson.shift_seconds,
        lesson.cancel_reason,
        lesson.cancel_note,
        lesson.replaces_id,
        tuple(replaced_by),
        tuple(sides),
    )


def _minute(instant: datetime, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    return local.hour * 60 + local.minute
