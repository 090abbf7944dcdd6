"""The small county of `conftest` with a second music teacher, and a legal plan of it whose two meetings T1 leads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rooms.planning.meeting_locks import load_problem
from rooms.planning.versions import save_plan
from rooms.store import Actor, Store
from rooms.tables import Teacher
from scheduler.assemble import missing_of, plan_of
from scheduler.problem import ClassCode, Meeting, Plan, Problem, RoomCode, Slot, Subject, TeacherCode, Unmet


def meeting(code: str, day: int, start: int, school_class: str, **changes: Any) -> Meeting:
    """A music lesson of T1 in R1, 40 minutes long."""
    plain: dict[str, Any] = {
        "code": code, "family": "delivery", "subject": Subject("music"), "lead_teacher": TeacherCode("T1"),
        "lead_room": RoomCode("R1"), "slot": Slot(day, start, start + 40), "classes": (ClassCode(school_class),),
    }  # fmt: skip
    return Meeting(**plain | changes)


MONDAY, TUESDAY = meeting("D0001", 1, 570, "K2"), meeting("D0002", 2, 570, "K3")


def plan(problem: Problem, *meetings: Meeting) -> Plan:
    """The meetings as a plan whose lists and figures are right."""
    reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.1, seed=1, status="feasible")


async def stored(store: Store, actor: Actor, at: datetime, *meetings: Meeting) -> int:
    """Adds the teacher and a plan of these meetings as the county's next draft; the version's id."""
    async with store.write() as session:
        if await session.get(Teacher, ("C", "T4")) is None:
            session.add(
                Teacher(
                    county="C", code="T4", school_code="S1", name="孙乐", subjects={"music": []}, title="", cohorts=[]
                )
            )
            await session.flush()
        problem = await load_problem(session, "C")
        return (await save_plan(session, actor, problem, plan(problem, *meetings), revision=1, at=at)).id
