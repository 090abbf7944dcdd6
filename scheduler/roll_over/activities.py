"""Communities and network courses of an old plan in the new term: whole or not at all, with whoever is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scheduler.problem import ClassCode, Community, Meeting, NetworkCourse, Problem, TeacherCode
from scheduler.roll_over.judge import Growing, Misfit
from scheduler.roll_over.seats import Carrier, follow_period
from scheduler.rules.base import Case, Resource
from scheduler.rules.courses import could_attend


def carry_activities(growing: Growing, carrier: Carrier, old: Sequence[Meeting], misfits: list[Misfit]) -> None:
    """Adds every activity of the old meetings that the rules let stand beside those that were carried."""
    held: dict[str, list[Meeting]] = {}
    for meeting in old:
        if meeting.ref:
            held.setdefault(meeting.ref, []).append(meeting)
    locked = {meeting.ref for meeting in growing.meetings.values()}
    for ref, meetings in held.items():
        if ref in locked:
            continue
        outcome = _carry(growing, carrier, ref, meetings)
        if isinstance(outcome, Misfit):
            misfits += [replace(outcome, meeting=meeting) for meeting in meetings]
        else:
            growing.add(outcome)


def _carry(growing: Growing, carrier: Carrier, ref: str, meetings: Sequence[Meeting]) -> list[Meeting] | Misfit:
    first = meetings[0]
    activity = _activity(growing.problem, ref)
    if activity is None:
        return Misfit(first, "", "roll_activity_gone", {"activity": ref})
    leader = activity.host if isinstance(activity, Community) else activity.lead_teacher
    if leader != first.lead_teacher:
        return Misfit(first, "", "roll_leader_changed", {"activity": ref, "teacher": leader})
    moved = [_carried(growing, carrier, meeting, activity) for meeting in meetings]
    carried = [meeting for meeting in moved if meeting is not None]
    if len(carried) < len(meetings):
        return Misfit(first, "", "roll_activity_gone", {"activity": ref})
    outcome = _beside(growing, first, carried)
    if isinstance(outcome, Misfit) or not isinstance(activity, Community):
        return outcome
    return _widened(growing, activity, outcome)


def _beside(growing: Growing, first: Meeting, carried: list[Meeting]) -> list[Meeting] | Misfit:
    """These meetings, from the last of which members that have too many meetings by now stay away; else what forbids them."""
    while found := growing.breaches(carried):
        tired = found[0].facts.get("teacher") if found[0].rule == "H9" else None
        places = [place for place, meeting in enumerate(carried) if tired in meeting.members]
        if not places:
            return Misfit(first, "", found[0].code, found[0].facts)
        meeting = carried[places[-1]]
        members = tuple(code for code in meeting.members if code != tired)
        carried = [*carried[: places[-1]], replace(meeting, members=members), *carried[places[-1] + 1 :]]
    return carried


def _widened(growing: Growing, activity: Community, carried: list[Meeting]) -> list[Meeting]:
    """With every further member of the community who is free."""
    for place in range(len(carried)):
        for code in activity.members:
            now = carried[place]
            if code not in now.members and _free(
                growing.case([now], [growing.problem.teachers[code].school]), now, code
            ):
                wider = [*carried[:place], replace(now, members=(*now.members, code)), *carried[place + 1 :]]
                if not growing.breaches(wider):
                    carried = wider
    return carried


def _activity(problem: Problem, ref: str) -> Community | NetworkCourse | None:
    every: tuple[Community | NetworkCourse, ...] = (*problem.communities, *problem.courses)
    return next((each for each in every if each.code == ref), None)


def _carried(growing: Growing, carrier: Carrier, old: Meeting, activity: Community | NetworkCourse) -> Meeting | None:
    """One meeting in the new term, with everybody of the activity who is free by now; None without a room or period."""
    problem = growing.problem
    school = problem.teachers[old.lead_teacher].school
    slot = old.slot if old.family == "master" else follow_period(problem.schools[school], old.slot)
    room = None if slot is None else carrier.room(old, slot)
    if slot is None or room is None:
        return None
    now = replace(old, lead_room=room, slot=slot, classes=(), members=(), host_lesson=None)
    if isinstance(activity, Community):
        case = growing.case([now], {problem.teachers[code].school for code in activity.members})
        came = [code for code in activity.members if code in old.members]
        return replace(now, members=tuple(code for code in came if _free(case, now, code)))
    case = growing.case([now], {problem.classes[code].school for code in activity.audience})
    attended = {carrier.classes.get(code, code) for code in old.classes}
    return replace(now, classes=tuple(code for code in activity.audience if _attends(case, now, code, attended)))


def _free(case: Case, meeting: Meeting, teacher: TeacherCode) -> bool:
    return case.free(Resource("teacher", teacher), meeting)


def _attends(case: Case, meeting: Meeting, code: ClassCode, attended: set[ClassCode | None]) -> bool:
    """A class that is free; where assistants are required only one that attended before, and nobody else is asked to."""
    if could_attend(case, meeting, code):
        return True
    room = case.problem.classes[code].receiving_room
    return (
        case.problem.policy.require_assistant
        and code in attended
        and case.free(Resource("class", code), meeting)
        and (room is None or case.free(Resource("room", room), meeting))
    )
