"""Plan versions in the store: every plan that passed the judge, numbered 1, 2, 3 … within its county."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import append
from rooms.planning.files import summary_of, wish_rows
from rooms.planning.reason_rows import advice_of, advice_rows, unmet_of, unmet_row
from rooms.planning.turns import take_turn
from rooms.refusals import Invalid, NotFound
from rooms.store import Actor
from rooms.tables import MeetingLock, PlanMeeting, PlanPairing, PlanUnmet, PlanVersion
from scheduler.check import check
from scheduler.problem import (
    ClassCode,
    LessonRow,
    Meeting,
    Pair,
    Plan,
    PlannedPair,
    Problem,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)
from scheduler.wishes import wishes_of

Origin = Literal["run", "repair", "hand", "roll_over"]
"""What a version came from; one of a supposed county is a ``what_if``, whatever made it."""


async def save_plan(
    session: AsyncSession,
    actor: Actor,
    problem: Problem,
    plan: Plan,
    *,
    revision: int,
    at: datetime,
    previous_id: int | None = None,
    origin: Origin = "run",
    hypothesis: list[dict[str, Any]] | None = None,
) -> PlanVersion:
    """Stores a plan as the county's next draft, with its audit entry, in the caller's transaction.

    `revision` is that of the county the problem was read from. With a `hypothesis` (of `rooms.planning.hypothesis`, as JSON) the
    plan is a what-if of the county so supposed. Raises `Invalid` ``plan_not_legal`` where `scheduler.check` finds a violation:
    nothing illegal is ever stored.
    """
    violations = await asyncio.to_thread(check, problem, plan)  # a large county takes the better part of a second
    if violations:
        raise Invalid("plan_not_legal", rule=violations[0].rule, count=len(violations))
    previous = None if previous_id is None else await load_plan(session, previous_id)
    wishes = wish_rows(await asyncio.to_thread(wishes_of, problem, plan, previous))
    await take_turn(session, problem.code)
    last = await session.scalar(select(func.max(PlanVersion.number)).where(PlanVersion.county == problem.code))
    version = PlanVersion(
        county=problem.code,
        number=(last or 0) + 1,
        state="draft" if hypothesis is None else "what_if",
        origin=origin if hypothesis is None else "what_if",
        hypothesis=hypothesis,
        classes={code: [each.school, sorted(each.grades)] for code, each in problem.classes.items()},
        county_revision=revision,
        previous_id=previous_id,
        created_at=at,
        created_by=actor.name,
        published_at=None,
        published_by=None,
        effective_from=None,
        summary=summary_of(plan) | {"advice": advice_rows(plan.advice), "wishes": wishes},
    )
    session.add(version)
    await session.flush()
    await _save_rows(session, version.id, plan)
    facts: dict[str, Any] = {"number": version.number, "origin": version.origin, "meetings": len(plan.meetings)}
    facts["served_weighted"] = plan.served_weighted / 2
    await append(session, actor, "plan.save", f"plan:{version.id}", county=problem.code, at=at, facts=facts)
    return version


async def _save_rows(session: AsyncSession, plan_id: int, plan: Plan) -> None:
    meetings = [{"plan_id": plan_id, **meeting_values(meeting)} for meeting in plan.meetings]
    pairings = [
        {
            "plan_id": plan_id,
            "lead_school_code": planned.pair.lead_school,
            "receive_school_code": planned.pair.receive_school,
            "subjects": sorted(planned.subjects),
        }
        for planned in plan.pairings
    ]
    unmet = [unmet_row(plan_id, lack) for lack in plan.unmet]
    if meetings:
        await session.execute(insert(PlanMeeting), meetings)
    if pairings:
        await session.execute(insert(PlanPairing), pairings)
    if unmet:
        await session.execute(insert(PlanUnmet), unmet)


def meeting_values(meeting: Meeting) -> dict[str, Any]:
    """The columns of a weekly meeting."""
    return {
        "code": meeting.code,
        "family": meeting.family,
        "ref": meeting.ref,
        "subject": meeting.subject,
        "lead_teacher_code": meeting.lead_teacher,
        "lead_room_code": meeting.lead_room,
        "weekday": meeting.slot.weekday,
        "start": meeting.slot.start,
        "end": meeting.slot.end,
        "weeks": meeting.slot.weeks,
        "class_codes": list(meeting.classes),
        "member_codes": list(meeting.members),
        "host_lesson": meeting.host_lesson,
    }


async def load_version(session: AsyncSession, plan_id: int) -> PlanVersion:
    """The version's row. Raises `NotFound`."""
    version = await session.get(PlanVersion, plan_id)
    if version is None:
        raise NotFound
    return version


async def load_plan(session: AsyncSession, plan_id: int) -> Plan:
    """A stored plan as it was saved. Raises `NotFound`."""
    version = await load_version(session, plan_id)
    pairings = await session.scalars(select(PlanPairing).where(PlanPairing.plan_id == plan_id))
    unmet = await session.scalars(select(PlanUnmet).where(PlanUnmet.plan_id == plan_id))
    return _plan_of(version.summary, await load_meetings(session, plan_id), tuple(pairings), tuple(unmet))


async def load_meetings(session: AsyncSession, plan_id: int) -> tuple[Meeting, ...]:
    """The weekly meetings of a stored plan, in order of time."""
    order = PlanMeeting.weekday, PlanMeeting.start, PlanMeeting.code
    rows = await session.scalars(select(PlanMeeting).where(PlanMeeting.plan_id == plan_id).order_by(*order))
    return tuple(map(meeting_of, rows))


def meeting_of(row: PlanMeeting | MeetingLock) -> Meeting:
    """A weekly meeting from its columns."""
    return Meeting(
        code=row.code,
        family=row.family,  # type: ignore[arg-type] # written by meeting_values from a Family
        subject=Subject(row.subject),
        lead_teacher=TeacherCode(row.lead_teacher_code),
        lead_room=RoomCode(row.lead_room_code),
        slot=Slot(row.weekday, row.start, row.end, row.weeks),
        classes=tuple(map(ClassCode, row.class_codes)),
        members=tuple(map(TeacherCode, row.member_codes)),
        ref=row.ref,
        host_lesson=None if row.host_lesson is None else LessonRow(row.host_lesson),
    )


def _plan_of(
    summary: Mapping[str, Any],
    meetings: tuple[Meeting, ...],
    pairings: Sequence[PlanPairing],
    unmet: Sequence[PlanUnmet],
) -> Plan:
    planned = [
        PlannedPair(
            Pair(SchoolCode(row.lead_school_code), SchoolCode(row.receive_school_code)),
            frozenset(map(Subject, row.subjects)),
        )
        for row in pairings
    ]
    lacks = map(unmet_of, unmet)
    return Plan(
        meetings=meetings,
        pairings=tuple(sorted(planned, key=lambda planned: planned.pair)),
        unmet=tuple(sorted(lacks, key=lambda lack: (lack.school_class, lack.subject))),
        needed_halves=round(summary["needed"] * 2),
        served_halves=round(summary["served"] * 2),
        needed_weighted=round(summary["needed_weighted"] * 2),
        served_weighted=round(summary["served_weighted"] * 2),
        bound_weighted=round(summary["bound"] * 2),
        seconds=summary["seconds"],
        seed=summary["seed"],
        status=summary["status"],
        rules=summary["rules"],
        advice=advice_of(summary.get("advice", ())),
    )


async def list_versions(session: AsyncSession, county: str) -> list[PlanVersion]:
    """The county's versions, newest first."""
    order = PlanVersion.number.desc()
    return list(await session.scalars(select(PlanVersion).where(PlanVersion.county == county).order_by(order)))
