"""The smallest county in which every rule can be kept and broken, and a shorthand for its meetings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scheduler.assemble import missing_of, plan_of
from scheduler.problem import (
    ClassCode,
    Lesson,
    LessonRow,
    Meeting,
    Need,
    Plan,
    Policy,
    Problem,
    Room,
    RoomCode,
    School,
    SchoolClass,
    SchoolCode,
    Slot,
    Subject,
    Teacher,
    TeacherCode,
    Unmet,
)
from scheduler.rules import Case, Rule, Violation
from scheduler.wishes import Cause, Wish
from scheduler.wishes.base import Scene

MUSIC, ART = Subject("music"), Subject("art")
LEAD, WEAK, OTHER = SchoolCode("L"), SchoolCode("W"), SchoolCode("V")
PERIODS = ((480, 520), (530, 570), (600, 645))
WEEK = dict.fromkeys(range(1, 6), PERIODS)


def county(**changes: Any) -> Problem:
    """A lead school with a music teacher (TL) and an art teacher, rooms L1 (2 seats), L2 (3 seats), L9 (cannot lead).

    Two weak schools: classes W3a, W3b, W4 (grades 3, 3, 4) share room W1; V3 of the other school has no room. TW is the teacher of W.
    The lead teacher's own class L3 has music on Monday in the first period (row 1). Everyone else is free.
    """
    schools = {
        LEAD: School(LEAD, True, False, WEEK),
        WEAK: School(WEAK, False, True, WEEK),
        OTHER: School(OTHER, False, True, WEEK),
    }
    rooms = [Room(RoomCode("L1"), LEAD, True, 2), Room(RoomCode("L2"), LEAD, True, None)]
    rooms += [Room(RoomCode("L9"), LEAD, False, None), Room(RoomCode("W1"), WEAK, False, None)]
    grades = frozenset(range(1, 7))
    teachers = [
        Teacher(TeacherCode("TL"), LEAD, {MUSIC: grades}, 4, 2),
        Teacher(TeacherCode("TA"), LEAD, {ART: grades}, 4, 2),
        Teacher(TeacherCode("TW"), WEAK, {MUSIC: grades}, 4, 2),
        Teacher(TeacherCode("TV"), OTHER, {ART: grades}, 4, 2),
    ]
    classes = [
        SchoolClass(ClassCode("L3"), LEAD, frozenset({3}), None, {}),
        SchoolClass(ClassCode("W3a"), WEAK, frozenset({3}), RoomCode("W1"), {MUSIC: "A"}),
        SchoolClass(ClassCode("W3b"), WEAK, frozenset({3}), RoomCode("W1"), {}),
        SchoolClass(ClassCode("W4"), WEAK, frozenset({4}), RoomCode("W1"), {}),
        SchoolClass(ClassCode("V3"), OTHER, frozenset({3}), None, {MUSIC: "B"}),
    ]
    problem = Problem(
        code="small",
        policy=Policy(),
        schools=schools,
        rooms={room.code: room for room in rooms},
        teachers={teacher.code: teacher for teacher in teachers},
        classes={group.code: group for group in classes},
        lessons=(Lesson(LessonRow(1), LEAD, (ClassCode("L3"),), MUSIC, Slot(1, 480, 520), TeacherCode("TL"), None),),
        unavailabilities=(),
        needs=tuple(Need(ClassCode(code), MUSIC, 4) for code in ("W3a", "W3b", "W4", "V3")),
    )
    return replace(problem, **changes)


def meeting(
    day: int = 2,
    start: int = 480,
    end: int = 520,
    classes: Sequence[str] = ("W3a",),
    **changes: Any,
) -> Meeting:
    """A delivery meeting of TL in L1 on Tuesday in the first period with W3a, but for what is said otherwise."""
    slot = Slot(day, start, end, changes.pop("weeks", 3))
    code = changes.pop("code", f"M{day}-{start}-{slot.weeks}-{'+'.join(classes)}")
    plain = Meeting(code, "delivery", MUSIC, TeacherCode("TL"), RoomCode("L1"), slot, tuple(map(ClassCode, classes)))
    return replace(plain, **changes)


def plan(problem: Problem, *meetings: Meeting) -> Plan:
    """The meetings as a plan whose lists and figures are right."""
    reasons = {key: Unmet(key[0], key[1], halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=1, status="feasible")


def broken(rule: type[Rule], problem: Problem, *meetings: Meeting) -> list[str]:
    """The codes of what the rule finds in a plan of these meetings."""
    found: list[Violation] = list(rule().violations(Case(problem, plan(problem, *meetings))))
    assert {violation.rule for violation in found} <= {rule.code}
    return [violation.code for violation in found]


def wished(wish: type[Wish], problem: Problem, *meetings: Meeting, before: Plan | None = None) -> list[Cause]:
    """What the wish finds in a plan of these meetings; its value is the sum of the counts."""
    figure = wish().figure(Scene(problem, plan(problem, *meetings), before))
    assert figure.value == sum(cause.count for cause in figure.causes)
    return list(figure.causes)
