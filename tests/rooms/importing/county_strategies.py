"""Counties of every shape for property tests: all columns filled and empty, odd characters, rows left out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from rooms import county as c

_LETTERS = "ABZ09-_.·县校,\"' =+@\uff1d\uff0b"
codes = st.text(_LETTERS, min_size=1, max_size=6).map(str.strip).filter(bool)
texts = st.text(_LETTERS + "\t\n;:、", max_size=12).map(str.strip)
names = texts.filter(bool)
keys = st.text("abc音乐", min_size=1, max_size=4)
weeks = st.sampled_from((1, 2, 3))
minutes = st.integers(0, 1439)
grades = st.frozensets(st.integers(1, 12), min_size=1, max_size=4)
halves = st.integers(0, 20)
few = {"max_size": 3}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def unique_codes(smallest: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(codes, min_size=smallest, max_size=4, unique=True).map(sorted)


@st.composite
def counties(draw: st.DrawFn) -> c.County:
    """A county whose codes all exist and whose periods all ring."""
    bell_codes, school_codes = draw(unique_codes()), draw(unique_codes())
    bells = []
    for code in bell_codes:
        start = draw(st.integers(0, 1400))
        bells += [c.Bell(code, day, "1", start, start + draw(st.integers(1, 40)), draw(texts)) for day in (1, 2)]
    schools = tuple(_school(draw, code, school_codes, bell_codes) for code in school_codes)
    one_school, one_subject = st.sampled_from(school_codes), keys
    rooms = tuple(
        c.Room(code, draw(one_school), draw(st.sampled_from(("recording", "receiving"))), draw(st.booleans()), draw(maybe(st.integers(0, 9))), draw(texts), draw(texts), draw(texts))
        for code in draw(unique_codes(0))
    )  # fmt: skip
    one_room = maybe(st.sampled_from([room.code for room in rooms])) if rooms else st.none()
    teachers = tuple(
        c.Teacher(
            code, draw(one_school), draw(names), draw(st.dictionaries(keys, grades | st.just(frozenset()), min_size=1, **few)), draw(texts),
            tuple(sorted(draw(st.sets(keys, **few)))), draw(maybe(st.integers(0, 30))), draw(maybe(st.integers(0, 9))),
        )
        for code in draw(unique_codes())
    )  # fmt: skip
    classes = tuple(
        c.SchoolClass(code, draw(one_school), draw(grades), draw(st.integers(0, 60)), draw(one_room), draw(st.dictionaries(keys, keys, **few)))
        for code in draw(unique_codes())
    )  # fmt: skip
    one_teacher, one_class = st.sampled_from([t.code for t in teachers]), st.sampled_from([g.code for g in classes])
    class_lists = st.lists(one_class, min_size=1, unique=True).map(tuple)
    start = draw(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    given = draw(st.booleans())
    needs = draw(st.dictionaries(st.tuples(one_class, one_subject), st.tuples(halves, st.integers(1, 9)), **few))
    hours = draw(st.dictionaries(st.tuples(st.just("P"), keys, st.integers(1, 12)), halves, min_size=1, max_size=5))
    return c.County(
        code=draw(codes), name=draw(names), term_start=start, term_end=start + timedelta(draw(st.integers(1, 200))),
        city=draw(texts), province=draw(texts), curriculum_plan=draw(st.sampled_from(("", "P"))), timezone="Asia/Shanghai",
        schools=schools, bells=tuple(sorted(bells, key=lambda bell: (bell.bell_code, bell.weekday))), rooms=rooms, teachers=teachers,
        classes=classes, lessons=_lessons(draw, one_school, class_lists, one_teacher, one_room),
        unavailabilities=_unavailabilities(draw, {"school": one_school, "teacher": one_teacher, "class": one_class}),
        curriculum=tuple(c.CurriculumHours(*key, value) for key, value in sorted(hours.items())),
        needs=tuple(c.Need(*key, *value) for key, value in sorted(needs.items())) if given else None,
        communities=tuple(
            c.Community(code, draw(names), draw(keys), draw(keys), draw(one_teacher), tuple(draw(st.lists(one_teacher, min_size=1, unique=True))), draw(weeks), draw(st.integers(1, 480)), draw(st.integers(0, 100).filter(lambda halves: halves not in (1, 2))) / 2)
            for code in draw(unique_codes(0))
        ),
        courses=tuple(
            c.NetworkCourse(code, draw(names), draw(keys), draw(grades), draw(one_teacher), draw(halves), draw(class_lists), draw(maybe(st.integers(1, 480))))
            for code in draw(unique_codes(0))
        ),
        pairings=tuple(
            c.Pairing(*pair, tuple(sorted(draw(st.sets(keys, **few)))), draw(st.booleans()))
            for pair in sorted(draw(st.sets(st.tuples(one_school, one_school), **few)))
        ),
        calendar=tuple(_day(draw, start + timedelta(days)) for days in sorted(draw(st.sets(st.integers(-5, 200), **few)))),
        policy_values=dict(sorted(_policy(draw).items())),
    )  # fmt: skip


def _school(draw: st.DrawFn, code: str, school_codes: list[str], bell_codes: list[str]) -> c.School:
    return c.School(
        code, draw(names), draw(st.sampled_from(("strong", "central_primary", "teaching_point", "junior"))), draw(st.sampled_from(("lead", "receive", "both", "none"))),
        draw(st.sampled_from(bell_codes)), draw(maybe(st.sampled_from(school_codes))), draw(texts), tuple(draw(st.lists(st.sampled_from(c.STAGES), unique=True))),
        draw(maybe(st.floats(0, 10_000, allow_nan=False).map(lambda value: round(value, 6)))), draw(texts), draw(texts),
    )  # fmt: skip


def _lessons(draw: st.DrawFn, school: Any, class_lists: Any, teacher: Any, room: Any) -> tuple[c.LocalLesson, ...]:
    rows = sorted(draw(st.sets(st.integers(1, 8), max_size=5)))
    return tuple(
        c.LocalLesson(row, draw(school), draw(class_lists), draw(keys), draw(st.sampled_from((1, 2))), "1", draw(maybe(teacher)), draw(room), draw(weeks))
        for row in rows
    )  # fmt: skip


def _unavailabilities(draw: st.DrawFn, owners: dict[str, Any]) -> tuple[c.Unavailability, ...]:
    found = []
    for row in sorted(draw(st.sets(st.integers(1, 8), max_size=4))):
        kind: Any = draw(st.sampled_from(sorted(owners)))
        start = draw(minutes)
        window: Any = ("1", None, None) if draw(st.booleans()) else ("", start, draw(st.integers(start + 1, 1440)))
        days = frozenset({1}) | draw(st.frozensets(st.integers(1, 7)))
        found.append(c.Unavailability(row, kind, draw(owners[kind]), days, *window, draw(weeks), draw(texts)))
    return tuple(found)


def _day(draw: st.DrawFn, day: date) -> c.CalendarDay:
    kind: Any = draw(st.sampled_from(("holiday", "makeup", "exam", "closed")))
    follows = draw(st.integers(1, 7)) if kind == "makeup" else draw(maybe(st.integers(1, 7)))
    return c.CalendarDay(day, kind, follows, draw(texts))


def _policy(draw: st.DrawFn) -> dict[str, int]:
    found = draw(st.dictionaries(st.sampled_from(c.POLICY_KEYS), st.integers(0, 50), **few))
    return {key: min(max(value, c.policy_range(key)[0]), c.policy_range(key)[1]) for key, value in found.items()}
