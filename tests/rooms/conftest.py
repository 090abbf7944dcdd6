"""A small county in the store, a plan of three meetings, and a clock that a test moves."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rooms.store import Actor, Store
from rooms.tables import (
    Bell,
    CalendarDay,
    Community,
    County,
    CurriculumHours,
    LocalLesson,
    OrgUnit,
    PlanMeeting,
    PlanVersion,
    Room,
    School,
    SchoolClass,
    Teacher,
)
from scheduler.problem import ALL_WEEKS, ODD

PLANNER = Actor("account:planner", "planner", "192.0.2.1")
COUNTY = "C"


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> HandClock:
    """Sunday 30 August 2026, noon in Shanghai: two days before the term."""
    return HandClock(datetime(2026, 8, 30, 4, 0, tzinfo=UTC))


@pytest.fixture
def planner() -> Actor:
    return PLANNER


def county_rows() -> list[Any]:
    """A lead school, a central primary that receives, and its teaching point; bells that differ; a term with a holiday."""
    lead_bell = [("1", 520, 560), ("2", 570, 610), ("3", 635, 680)]
    rural_bell = [("1", 510, 550), ("2", 560, 600), ("3", 630, 675)]
    return [
        OrgUnit(id=1, level="nation", name="中国", path="/1/"),
        OrgUnit(id=2, parent_id=1, level="county", name="试验县", path="/1/2/", county=COUNTY),
        County(
            code=COUNTY,
            org_id=2,
            name="试验县",
            term_start=date(2026, 9, 1),
            term_end=date(2026, 10, 30),
            city="",
            province="",
            curriculum_plan="P",
            timezone="Asia/Shanghai",
            needs_given=False,
            synthetic=True,
        ),
        *[_school(*row) for row in (
            ("S1", "实验小学", "strong", "lead", "B1", None, "城关镇"),
            ("S2", "东山中心小学", "central_primary", "both", "B2", None, "东山镇"),
            ("S3", "石桥教学点", "teaching_point", "receive", "B2", "S2", "东山镇"),
        )],
        *[
            Bell(county=COUNTY, bell_code=code, weekday=weekday, period=name, start=start, end=end, label="")
            for code, bell in (("B1", lead_bell), ("B2", rural_bell))
            for weekday in range(1, 6)
            for name, start, end in bell
        ],
        *[
            Room(county=COUNTY, code=code, school_code=school, kind=kind, can_lead=kind == "recording", level="L2",
                 custodian_name=custodian, custodian_phone="")
            for code, school, kind, custodian in (
                ("R1", "S1", "recording", "赵"), ("R2", "S2", "receiving", "钱"), ("R3", "S3", "receiving", ""),
            )
        ],
        *[
            Teacher(county=COUNTY, code=code, school_code=school, name=name, subjects={subject: []}, title="", cohorts=[])
            for code, school, name, subject in (
                ("T1", "S1", "李音", "music"), ("T2", "S1", "王画", "art"), ("T3", "S2", "周村", "chinese"),
            )
        ],
        *[
            SchoolClass(county=COUNTY, code=code, school_code=school, grades=grades, size=size, receiving_room_code=room,
                        editions={})
            for code, school, grades, size, room in (
                ("K1", "S1", [3], 45, None), ("K2", "S2", [3], 30, "R2"), ("K3", "S3", [1, 2], 5, "R3"),
            )
        ],
        LocalLesson(county=COUNTY, row=1, school_code="S2", class_codes=["K2"], subject="chinese", weekday=1, period="1",
                    teacher_code="T3", weeks=ALL_WEEKS),
        LocalLesson(county=COUNTY, row=2, school_code="S2", class_codes=["K2"], subject="art", weekday=2, period="3",
                    teacher_code="T3", weeks=ODD),
        *[
            CurriculumHours(county=COUNTY, plan_code="P", subject=subject, grade=grade, halves=halves)
            for grade in (1, 2, 3)
            for subject, halves in (("music", 2), ("art", 2), ("chinese", 2))
        ],
        Community(county=COUNTY, code="Y1", name="音乐共同体", subject="music", stage="primary", host_teacher_code="T1",
                  member_teacher_codes=["T3"], weeks=ODD, length_min=60, min_attendance_pct=50),
        CalendarDay(county=COUNTY, day=date(2026, 9, 28), kind="holiday", note="国庆"),
        CalendarDay(county=COUNTY, day=date(2026, 9, 20), kind="makeup", follows_weekday=1, note=""),
    ]  # fmt: skip


def _school(code: str, name: str, kind: str, role: str, bell: str, parent: str | None, township: str) -> School:
    return School(
        county=COUNTY,
        code=code,
        name=name,
        kind=kind,
        role=role,
        bell_code=bell,
        parent_school_code=parent,
        township=township,
        stages=["primary"],
        contact_name="校长",
        contact_phone="0000",
    )


Meeting = tuple[str, str, str, str, int, int, int, int, Sequence[str], Sequence[str]]
MUSIC: Meeting = ("M1", "delivery", "music", "T1", 1, 570, 610, ALL_WEEKS, ("K2", "K3"), ())
ART: Meeting = ("M2", "delivery", "art", "T2", 4, 570, 610, ODD, ("K2",), ())
CIRCLE: Meeting = ("M3", "master", "music", "T1", 3, 960, 1020, ODD, (), ("T3",))


def plan_rows(plan_id: int, meetings: Sequence[Meeting]) -> list[Any]:
    """A draft version with its meetings."""
    at = datetime(2026, 8, 29, tzinfo=UTC)
    version = PlanVersion(
        id=plan_id,
        county=COUNTY,
        number=plan_id,
        state="draft",
        county_revision=1,
        created_at=at,
        created_by="p",
        summary={},
    )
    return [version] + [
        PlanMeeting(
            plan_id=plan_id,
            code=code,
            family=family,
            ref="Y1" if family == "master" else "",
            subject=subject,
            lead_teacher_code=teacher,
            lead_room_code="R1",
            weekday=weekday,
            start=start,
            end=end,
            weeks=weeks,
            class_codes=list(classes),
            member_codes=list(members),
        )
        for code, family, subject, teacher, weekday, start, end, weeks, classes, members in meetings
    ]


async def add_rows(store: Store, *groups: Sequence[Any]) -> None:
    """Writes rows in the order given, so that what is referred to comes first."""
    async with store.write() as session:
        for group in groups:
            for row in group:
                session.add(row)
                await session.flush()


@pytest.fixture
async def unplanned_county(store: Store) -> str:
    """The county without any plan; its code."""
    await add_rows(store, county_rows())
    return COUNTY


@pytest.fixture
async def county(store: Store, unplanned_county: str) -> str:
    """The county with plan 1 as a draft; its code."""
    await add_rows(store, plan_rows(1, [MUSIC, ART, CIRCLE]))
    return unplanned_county


@pytest.fixture
def add_plan(store: Store) -> Callable[[int, Sequence[Meeting]], Awaitable[None]]:
    """Adds another draft version with its meetings."""

    async def add(plan_id: int, meetings: Sequence[Meeting]) -> None:
        await add_rows(store, plan_rows(plan_id, meetings))

    return add


@pytest.fixture
def redis_to_stop(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A Redis of this test alone: its URL, how to stop it and how to start it again."""
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: apt-get install redis-server"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                return
            time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def stop() -> None:
        server = running.pop()
        server.kill()
        server.wait(10)

    start()
    yield f"redis://127.0.0.1:{port}/0", stop, start
    while running:
        stop()
