"""The demonstration: the repository's files are what the script writes, the past is believable, a lesson is due at any hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from config.demo import COUNTY
from config.demo.make import write
from config.settings import Settings
from rooms.clock import SystemClock
from rooms.counties import load_county
from rooms.county import County
from rooms.demo import load_demo
from rooms.demo.loading import around
from rooms.demo.today import LENGTH, TAUGHT, due_lesson, window
from rooms.gaps import needs_of
from rooms.importing import read_county
from rooms.judging import recompute
from rooms.planning.problem import problem_of
from rooms.planning.versions import save_plan
from rooms.rulesets import load_rules
from rooms.store import SYSTEM, Store
from rooms.tables import Account, EvidenceEvent, Occurrence, OccurrenceSide, Verdict
from scheduler.activities import place_activities
from scheduler.assemble import delivery_meetings, missing_of, numbered, plan_of
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import Plan, Problem, Unmet
from scheduler.windows import Grid

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class SetClock(SystemClock):
    """A clock that stands where it is set."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


@pytest.fixture(scope="module")
def county() -> County:
    reading = read_county(COUNTY)
    assert [finding.code for finding in reading.findings] == ["no_custodian"]  # one school is made to lack one
    assert reading.county is not None
    return reading.county


def plan_by_greedy(problem: Problem) -> Plan:
    """A quick legal plan: the demonstration's own planning has tests of its own."""
    board = plain_greedy(Offers(problem, Grid(problem)))
    meetings = numbered([*delivery_meetings(board), *place_activities(board)], None)
    reasons = {key: Unmet(*key, halves, "no_common_window") for key, halves in missing_of(problem, meetings).items()}
    most = sum(need.halves * need.priority for need in problem.needs)
    return plan_of(problem, meetings, reasons, bound=most, seconds=1, seed=1, status="feasible")


def test_the_files_are_what_the_script_writes(tmp_path: Path) -> None:
    write(tmp_path)
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in COUNTY.iterdir()}


def test_it_is_marked_synthetic_and_shaped_like_a_county(county: County) -> None:
    assert "虚构" in county.name
    assert "虚构" in county.province
    assert all(school.contact_phone.startswith("000-") for school in county.schools)
    kinds = Counter(school.kind for school in county.schools)
    assert kinds == {"strong": 3, "central_primary": 4, "village_primary": 8, "teaching_point": 6, "junior": 3}
    points = {school.code for school in county.schools if school.kind == "teaching_point"}
    combined = [group for group in county.classes if group.school_code in points and len(group.grades) > 1]
    assert len(combined) >= 5
    assert max(group.size for group in combined) <= 8
    assert county.needs is None
    assert {"music", "art", "english", "science", "handwriting"} <= {need.subject for need in needs_of(county)}


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 11, 22), date(2027, 2, 28)])
def test_the_term_is_laid_around_today(county: County, today: date) -> None:
    moved = around(county, today)
    assert moved.term_start.weekday() == 0
    assert 63 <= (today - moved.term_start).days < 70
    assert [day.day - moved.term_start for day in moved.calendar] == [
        day.day - county.term_start for day in county.calendar
    ]


def test_the_window_of_a_due_lesson_holds_now_or_comes_at_once() -> None:
    for minute in range(24 * 60):
        now = datetime(2026, 11, 22, tzinfo=ZONE) + timedelta(minutes=minute)
        day, start = window(now.astimezone(UTC), ZONE)
        begins = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(minutes=start)
        assert start + LENGTH <= 24 * 60
        assert begins - now <= timedelta(minutes=20)
        assert begins + timedelta(minutes=LENGTH) - now >= timedelta(minutes=20)


async def test_loading_twice_gives_one_county_with_a_past_and_a_lesson_due(store: Store, tmp_path: Path) -> None:
    settings, clock = Settings(demo=True, data_dir=tmp_path), SetClock(datetime.now(UTC))
    steps: list[str] = []

    async def make_plan(code: str) -> int:
        async with store.read() as session:
            problem = problem_of(await load_county(session, code))
        async with store.write() as session:
            return (await save_plan(session, SYSTEM, problem, plan_by_greedy(problem), revision=1, at=clock.now())).id

    first = await load_demo(store, clock, settings, make_plan, steps.append)
    assert steps == ["county", "plan", "publish", "past", "today", "people"]
    counts = await _verdicts(store)
    assert {"VALID", "INVALID", "EXCUSED", "UNEXCUSED"} <= set(counts)
    assert 0.7 < counts["VALID"] / counts.total() < 0.95
    async with store.read() as session:
        marks = list(await session.scalars(select(EvidenceEvent.data).limit(500)))
        over = select(func.count()).where(Occurrence.ends_at <= clock.now(), Occurrence.state == "planned")
        assert (await session.scalar(over)) == 0
        judged = select(Occurrence.id).where(Occurrence.state == "judged").order_by(Occurrence.starts_at).limit(5)
        for occurrence_id in await session.scalars(judged):
            found = await recompute(session, load_rules(settings.attendance_rules), occurrence_id, clock.now())
            stored = await session.execute(
                select(Verdict.side_id, Verdict.verdict).where(Verdict.occurrence_id == occurrence_id)
            )
            assert {side: each.verdict for side, each in found.items()} == {row.side_id: row.verdict for row in stored}
    assert all(data["synthetic"] for data in marks)
    assert first.due.starts_at <= clock.now() + timedelta(minutes=20)
    assert (len(first.due.classes), len(first.held.classes)) == (3, 3)

    second = await load_demo(store, clock, settings, make_plan, steps.append)
    assert steps[6:] == ["county", "past", "today", "people"]
    assert (second.due, second.held, second.plan_id) == (first.due, first.held, first.plan_id)
    assert await _verdicts(store) == counts
    clock.instant += timedelta(hours=3)
    county = await _stored(store)
    third = await due_lesson(store, clock, county, TAUGHT)
    assert third.occurrence_id != first.due.occurrence_id
    async with store.read() as session:
        assert (await session.scalar(select(func.count()).select_from(Account))) == 4
        excuses = await session.scalars(
            select(OccurrenceSide.excuse_reason).where(OccurrenceSide.occurrence_id == first.due.occurrence_id)
        )
        assert set(excuses) == {"other"}  # nobody came: it must not spoil the figures


async def _verdicts(store: Store) -> Counter[str]:
    async with store.read() as session:
        return Counter(await session.scalars(select(Verdict.verdict)))


async def _stored(store: Store) -> County:
    async with store.read() as session:
        return await load_county(session, "DEMO")
