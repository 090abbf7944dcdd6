"""A plan carried into a new term: legal there, as much of it as fits, and every loss with a reason that can be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.words import LANGUAGES, say
from scheduler.assemble import delivery_meetings, missing_of, numbered, plan_of
from scheduler.check import check
from scheduler.fit import place_activities
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import (
    ClassCode,
    Lesson,
    LessonRow,
    Lock,
    Meeting,
    Plan,
    Policy,
    Problem,
    RoomCode,
    SchoolClass,
    SchoolCode,
    Slot,
    TeacherCode,
    Unmet,
)
from scheduler.roll_over import RolledOver, follow_classes, roll_over
from scheduler.windows import Grid
from tests.scheduler.counties import random_county
from tests.scheduler.small import ART, LEAD, MUSIC, county, meeting, plan

thorough = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def greedy(problem: Problem) -> Plan:
    board = plain_greedy(Offers(problem, Grid(problem)))
    meetings = numbered([*delivery_meetings(board), *place_activities(board)], None)
    reasons = {key: Unmet(*key, halves, "run_ended") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=0.0, seed=1, status="feasible")


def later(problem: Problem, random: Random) -> Problem:
    """The county a term later: people and needs gone, stricter rules, other bells, one more local lesson."""
    gone = {code for code in problem.teachers if random.random() < 0.15}
    teachers = {code: each for code, each in problem.teachers.items() if code not in gone}
    classes = {code: each for code, each in problem.classes.items() if random.random() < 0.9}
    shift = random.choice((0, 0, 5, 25))
    schools = {
        code: replace(
            school,
            periods={
                day: tuple((start + shift, end + shift) for start, end in periods)
                for day, periods in school.periods.items()
            },
        )
        for code, school in problem.schools.items()
    }
    lessons = tuple(
        replace(each, slot=each.slot._replace(start=each.slot.start + shift, end=each.slot.end + shift))
        for each in problem.lessons
        if each.teacher not in gone and all(code in classes for code in each.classes) and random.random() < 0.9
    )
    return replace(
        problem,
        policy=replace(problem.policy, max_receivers=random.choice((1, 3)), max_partners_per_receiver=random.choice((1, 2))),
        schools=schools,
        teachers=teachers,
        classes=classes,
        lessons=lessons,
        needs=tuple(
            replace(need, halves=max(1, need.halves - random.choice((0, 0, 2))))
            for need in problem.needs
            if need.school_class in classes and random.random() < 0.9
        ),
        unavailabilities=tuple(
            each
            for each in problem.unavailabilities
            if each.code in {*teachers, *classes, *problem.rooms, *problem.schools}
        ),
        communities=tuple(
            replace(each, members=tuple(code for code in each.members if code in teachers))
            for each in problem.communities
            if each.host in teachers and any(code in teachers for code in each.members)
        ),
        courses=tuple(
            replace(each, audience=tuple(code for code in each.audience if code in classes))
            for each in problem.courses
            if each.lead_teacher in teachers
        ),
    )  # fmt: skip


def attendances(meetings: tuple[Meeting, ...] | list[Meeting]) -> Counter[tuple[str, str]]:
    return Counter((each.code, who) for each in meetings if each.family == "delivery" for who in each.classes)


@thorough
@given(st.integers(0, 1 << 30))
def test_a_plan_rolled_over_is_legal_and_every_loss_has_its_reason(seed: int) -> None:
    problem = random_county(seed)
    old, new = greedy(problem), later(problem, Random(seed))
    rolled = roll_over(old, new, {})
    assert check(new, rolled.plan) == []
    lost = Counter((each.meeting.code, who) for each in rolled.misfits for who in _who(each.who, each.meeting))
    assert attendances(list(old.meetings)) == attendances([after for _, after in rolled.kept]) + Counter(
        {key: count for key, count in lost.items() if key[0] in attendances_of_delivery(old)}
    )
    for misfit in rolled.misfits:
        for language in LANGUAGES:
            assert say(language, f"plan.{misfit.reason}", **misfit.facts)


def attendances_of_delivery(old: Plan) -> set[str]:
    return {each.code for each in old.meetings if each.family == "delivery"}


def _who(who: str, meeting: Meeting) -> tuple[str, ...]:
    return (who,) if who else tuple(meeting.classes)


@thorough
@given(st.integers(0, 1 << 30))
def test_into_the_same_county_everything_is_carried(seed: int) -> None:
    problem = random_county(seed)
    old = greedy(problem)
    rolled = roll_over(old, problem, {})
    assert rolled.misfits == ()
    assert {each.code for each in rolled.plan.meetings} == {each.code for each in old.meetings}
    assert (rolled.plan.served_halves, rolled.plan.pairings) == (old.served_halves, old.pairings)
    assert all((before.slot, before.lead_room) == (after.slot, after.lead_room) for before, after in rolled.kept)


@thorough
@given(st.integers(0, 1 << 30))
def test_nothing_that_was_lost_to_a_conflict_would_have_fitted(seed: int) -> None:
    """Each misfit that a rule explains breaks a rule when its seat is put back into the plan."""
    problem = random_county(seed)
    old, new = greedy(problem), later(problem, Random(seed))
    rolled = roll_over(old, new, {})
    for misfit in [each for each in rolled.misfits if each.who and each.reason.startswith("rule_")]:
        back = _put_back(new, rolled, misfit.meeting, ClassCode(misfit.who))
        assert any(each.rule not in ("PAIRINGS", "UNMET", "SUMMARY") for each in check(new, back)), misfit


def _put_back(problem: Problem, rolled: RolledOver, lost: Meeting, who: ClassCode) -> Plan:
    from scheduler.roll_over.seats import Carrier

    (seat,) = [each for each in Carrier(problem, {}).seats(lost, []) if each.who == who]
    there = {each.code: each for each in rolled.plan.meetings}
    base = there.get(lost.code, replace(seat.after, classes=()))
    there[lost.code] = replace(base, classes=(*base.classes, who))
    return plan(problem, *there.values())


# ---------------------------------------------------------------- one reason at a time

OLD = meeting(2, 480, 520, ("W3a", "W3b"), code="D1")


def rolled(problem: Problem, *old: Meeting, classes: Mapping[ClassCode, ClassCode | None] | None = None) -> RolledOver:
    found = roll_over(plan(county(), *old), problem, classes or {})
    assert check(problem, found.plan) == []
    return found


def reasons(found: RolledOver) -> list[tuple[str, str]]:
    return [(each.who, each.reason) for each in found.misfits]


def test_who_is_gone_is_named_and_the_other_class_keeps_its_seat() -> None:
    problem = county()
    without = {code: each for code, each in problem.classes.items() if code != "W3b"}
    needs = tuple(need for need in problem.needs if need.school_class != "W3b")
    found = rolled(county(classes=without, needs=needs), OLD)
    assert reasons(found) == [("W3b", "roll_class_gone")]
    assert [after.classes for _, after in found.kept] == [("W3a",)]
    teachers = {code: each for code, each in problem.teachers.items() if code != "TL"}
    assert reasons(rolled(county(teachers=teachers, lessons=()), OLD)) == [("", "roll_teacher_gone")]


def test_a_need_that_is_met_at_home_now_or_smaller_is_said() -> None:
    problem = county()
    fewer = tuple(replace(need, halves=2) if need.school_class == "W3a" else need for need in problem.needs)
    none = tuple(need for need in problem.needs if need.school_class != "W3a")
    second = replace(OLD, code="D2", slot=Slot(3, 480, 520))
    assert reasons(rolled(county(needs=none), OLD)) == [("W3a", "roll_need_gone")]
    assert reasons(rolled(county(needs=fewer), OLD, second)) == [("W3a", "rule_h8_many")]


def test_a_new_local_lesson_takes_the_class_or_carries_the_meeting() -> None:
    taken = Lesson(LessonRow(9), SchoolCode("W"), (ClassCode("W3a"),), ART, Slot(2, 480, 520), None, None)
    assert reasons(rolled(county(lessons=(taken,)), OLD)) == [("W3a", "rule_h3_class")]
    own = Lesson(LessonRow(4), LEAD, (ClassCode("L3"),), MUSIC, Slot(2, 480, 520), TeacherCode("TL"), None)
    found = rolled(county(lessons=(own,)), OLD)
    assert (found.misfits, found.plan.meetings[0].host_lesson) == ((), 4)
    assert reasons(rolled(county(lessons=(own,), policy=Policy(allow_synchronous=False)), OLD)) == [
        ("W3a", "rule_h3_teacher"),
        ("W3b", "rule_h3_teacher"),
    ]


def test_new_bells_are_followed_where_a_period_overlaps() -> None:
    problem = county()
    for shift, kept in ((10, Slot(2, 490, 530)), (-200, None)):
        schools = {
            code: replace(
                school,
                periods={
                    day: tuple((start + shift, end + shift) for start, end in school.periods[day]) for day in school.periods
                },
            )
            for code, school in problem.schools.items()
        }  # fmt: skip
        early = {
            code: replace(school, periods={day: periods[:1] for day, periods in school.periods.items()})
            for code, school in schools.items()
        }
        found = rolled(county(schools=early, lessons=()), OLD)
        assert [after.slot for _, after in found.kept] == ([kept] if kept else [])
        assert reasons(found) == ([] if kept else [("", "roll_window_gone")])


def test_a_lead_room_that_is_gone_is_replaced_by_a_free_one() -> None:
    problem = county()
    rooms = {code: each for code, each in problem.rooms.items() if code != "L1"}
    found = rolled(county(rooms=rooms), OLD)
    assert [after.lead_room for _, after in found.kept] == ["L2"]
    bare = {code: each for code, each in rooms.items() if code != "L2"}
    assert reasons(rolled(county(rooms=bare), OLD)) == [("", "roll_room_gone")]
    assert RoomCode("L9") in bare


def test_the_larger_service_is_kept_where_two_exclude_each_other() -> None:
    alone = replace(OLD, code="D0", slot=Slot(3, 480, 520), classes=(ClassCode("W4"),))
    found = rolled(county(teachers=_limited(1)), alone, OLD)
    assert [after.code for _, after in found.kept] == ["D1"]
    assert reasons(found) == [("W4", "rule_h9_week")]


def _limited(week: int) -> dict[TeacherCode, object]:
    return {code: replace(each, week_limit=week) if code == "TL" else each for code, each in county().teachers.items()}


def test_a_class_keeps_its_lessons_under_its_new_code() -> None:
    codes = {ClassCode("W3a"): ClassCode("W4"), ClassCode("W3b"): ClassCode("W4")}
    found = rolled(county(), OLD, classes=codes)
    assert [after.classes for _, after in found.kept] == [("W4",)]
    assert reasons(found) == [("W3b", "roll_class_merged")]


def test_what_is_locked_stands_before_the_larger_service() -> None:
    alone = replace(OLD, code="D0", slot=Slot(3, 480, 520), classes=(ClassCode("W4"),))
    found = rolled(county(teachers=_limited(1), locks=(Lock(alone),)), alone, OLD)
    assert [after.code for _, after in found.kept] == ["D0"]
    assert reasons(found) == [("W3a", "rule_h9_week"), ("W3b", "rule_h9_week")]


# ---------------------------------------------------------------- classes


def classes(*found: tuple[str, str, tuple[int, ...]]) -> dict[ClassCode, SchoolClass]:
    return {
        ClassCode(code): SchoolClass(ClassCode(code), SchoolCode(school), frozenset(grades), None, {})
        for code, school, grades in found
    }


def test_classes_whose_codes_carry_the_grade_move_up_by_their_codes() -> None:
    old = classes(*((f"S1-{grade}({n})", "S1", (grade,)) for grade in (3, 4, 6) for n in (1, 2)))
    new = classes(*((f"S1-{grade}({n})", "S1", (grade,)) for grade in (3, 4, 5) for n in (1, 2)))
    assert follow_classes(old, new, up=True) == {
        "S1-3(1)": "S1-4(1)", "S1-3(2)": "S1-4(2)", "S1-4(1)": "S1-5(1)", "S1-4(2)": "S1-5(2)", "S1-6(1)": None, "S1-6(2)": None,
    }  # fmt: skip
    assert follow_classes(old, old, up=False) == {code: code for code in old}


def test_classes_whose_codes_stay_are_found_by_their_codes() -> None:
    old, new = classes(("K7", "S1", (3,)), ("K8", "S1", (1, 2))), classes(("K7", "S1", (4,)), ("K8", "S1", (2, 3)))
    assert follow_classes(old, new, up=True) == {"K7": "K7", "K8": "K8"}


def test_the_only_class_of_a_grade_is_followed_whatever_its_code_and_no_class_twice() -> None:
    old = classes(("a", "S1", (1,)), ("b", "S1", (2,)), ("c", "S2", (1,)))
    new = classes(("x", "S1", (2,)), ("y", "S1", (3,)), ("z", "S2", (5,)))
    assert follow_classes(old, new, up=True) == {"a": "x", "b": "y", "c": None}
