"""Legal plans changed so that a rule breaks, and with it whatever else the change touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from scheduler.assemble import missing_of
from scheduler.problem import EVEN, ODD, LessonRow, Pair, Plan, Problem
from tests.scheduler.legal import Case, Mutation, again, changed, delivery


def led_by_another(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H1: a colleague who does not teach the subject, or the grade."""
    for meeting in delivery(plan):
        school = problem.teachers[meeting.lead_teacher].school
        for other in problem.teachers.values():
            able = all(problem.qualified(other.code, meeting.subject, code) for code in meeting.classes)
            if other.school == school and not able:
                yield changed(problem, plan, meeting, lead_teacher=other.code, host_lesson=None)


def led_from_elsewhere(problem: Problem, plan: Plan) -> Iterator[Case]:
    for meeting in plan.meetings:
        school = problem.teachers[meeting.lead_teacher].school
        for room in problem.rooms.values():
            if not room.can_lead or room.school != school:
                yield changed(problem, plan, meeting, lead_room=room.code)


def moved_onto_another(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H3: two meetings of a teacher at once."""
    for meeting in delivery(plan):
        for other in delivery(plan):
            if other is not meeting and other.lead_teacher == meeting.lead_teacher:
                yield changed(problem, plan, meeting, slot=other.slot, host_lesson=None)


def hosted_wrongly(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H4: a host lesson that is not this one; one that nobody knows."""
    for meeting in plan.meetings:
        if meeting.host_lesson is None:
            for row in (LessonRow(1), LessonRow(9999)):
                yield changed(problem, plan, meeting, host_lesson=row)


def cut_short(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H5: shorter than allowed, or reaching out of the period."""
    for meeting in plan.meetings:
        slot = meeting.slot
        yield changed(problem, plan, meeting, slot=slot._replace(end=slot.start + 20))
        yield changed(problem, plan, meeting, slot=slot._replace(end=slot.end + 60))


def sharing_a_room(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H6: two meetings at once whose classes receive in one room."""
    room = {code: group.receiving_room for code, group in problem.classes.items()}
    for meeting in delivery(plan):
        for other in delivery(plan):
            shared = {room[code] for code in meeting.classes} & {room[code] for code in other.classes} - {None}
            if other is not meeting and shared:
                yield changed(problem, plan, meeting, slot=other.slot, host_lesson=None)


def crowded(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H7: classes that wanted something else, or that are too many."""
    for meeting in delivery(plan):
        for code in problem.classes:
            if code not in meeting.classes and (code, meeting.subject) not in problem.need_by_key:
                yield changed(problem, plan, meeting, classes=(*meeting.classes, code))
        yield changed(problem, plan, meeting, classes=())


def once_more(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H8: a meeting on one more weekday, for a class that has all it asked for."""
    missing = missing_of(problem, plan.meetings)
    for meeting in delivery(plan):
        if any((code, meeting.subject) not in missing for code in meeting.classes):
            for weekday in range(1, 6):
                slot = meeting.slot._replace(weekday=weekday)
                yield again(problem, [*plan.meetings, replace(meeting, code="X", slot=slot, host_lesson=None)])


def all_to_one(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H9: a teacher takes over what colleagues lead, beyond the limit of the week."""
    for teacher in problem.teachers.values():
        mine = [m for m in delivery(plan) if problem.teachers[m.lead_teacher].school == teacher.school]
        busy = [m for m in plan.meetings if teacher.code in (m.lead_teacher, *m.members)]
        weeks = [sum(bool(m.slot.weeks & week) for m in {*mine, *busy}) for week in (ODD, EVEN)]
        if max(weeks) > teacher.week_limit:
            meetings = [
                replace(m, lead_teacher=teacher.code, host_lesson=None) if m in mine else m for m in plan.meetings
            ]
            yield again(problem, meetings)


def agreement_left_out(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H10: a locked agreement that does not stand; a class that its own school serves."""
    school_of = {code: group.school for code, group in problem.classes.items()}
    used = {
        Pair(problem.teachers[meeting.lead_teacher].school, school_of[code])
        for meeting in delivery(plan)
        for code in meeting.classes
    }
    for standing in problem.pairings:
        if standing.locked and standing.pair not in used:
            yield problem, replace(plan, pairings=tuple(p for p in plan.pairings if p.pair != standing.pair))
    for meeting in delivery(plan):
        for code, school in school_of.items():
            if school == problem.teachers[meeting.lead_teacher].school:
                yield changed(problem, plan, meeting, classes=(code,))


def without_assistants(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H11: as many classes of a school at once as it has teachers, and one more."""
    if not problem.policy.require_assistant:
        return
    for meeting in delivery(plan):
        for school in {problem.classes[code].school for code in meeting.classes}:
            teachers = [teacher for teacher in problem.teachers.values() if teacher.school == school]
            groups = tuple(code for code, group in problem.classes.items() if group.school == school)
            if 0 < len(teachers) < len(groups):
                yield changed(problem, plan, meeting, classes=groups)


def deserted(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H12: a community without members, or in other weeks than its own."""
    for meeting in plan.meetings:
        if meeting.family == "master":
            yield changed(problem, plan, meeting, members=())
            weeks = ODD if meeting.slot.weeks != ODD else EVEN
            yield changed(problem, plan, meeting, slot=meeting.slot._replace(weeks=weeks))


def cut_course(problem: Problem, plan: Plan) -> Iterator[Case]:
    """H13: one meeting less, or a free class left out."""
    for meeting in plan.meetings:
        if meeting.family == "network":
            if sum(m.ref == meeting.ref for m in plan.meetings) > 1:
                yield again(problem, [m for m in plan.meetings if m is not meeting])
            if meeting.classes and not problem.policy.require_assistant:
                yield changed(problem, plan, meeting, classes=meeting.classes[1:])


CHANGED: Mapping[str, Mutation] = {
    "H1": led_by_another,
    "H2": led_from_elsewhere,
    "H3": moved_onto_another,
    "H4": hosted_wrongly,
    "H5": cut_short,
    "H6": sharing_a_room,
    "H7": crowded,
    "H8": once_more,
    "H9": all_to_one,
    "H10": agreement_left_out,
    "H11": without_assistants,
    "H12": deserted,
    "H13": cut_course,
}
