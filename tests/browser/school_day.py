"""A small county on a Tuesday morning: imported from its files, with people, devices and a music lesson due now."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import small_county as sc
from shifted_clock import ShiftedClock
from waiting import PATIENCE

from api.pages import ZONE
from config.settings import Settings
from rooms.counties import save_county
from rooms.importing.reading import read_county
from rooms.people.accounts import NewAccount, RoleAt, create_account
from rooms.people.assistants import create_assistant
from rooms.people.devices import create_device
from rooms.people.links import make_link
from rooms.people.principals import system_principal
from rooms.people.scope import Grant, Principal
from rooms.planning.changes import NewLesson, add_lesson
from rooms.store import SYSTEM, Store
from rooms.tables import County, OrgUnit

PIN = "4826"
PASSWORD = "Clear-Water-8-Bridge"
RULES = """
id = "attendance-browser-test"
minimum_seconds = 12
minimum_percent = 5
round_up_seconds = 1
merge_gap_seconds = 20
largest_shift_seconds = 900
late_after_seconds = 300
early_leave_before_seconds = 300
upload_grace_seconds = 2
require_assistant = true
require_head_count = true
good_slot_percent = 50
"""


@dataclass
class SchoolDay:
    """What a browser test needs to know. `codes` enrol the devices, by room; `accounts` are people's, by login."""

    settings: Settings
    clock: ShiftedClock
    store: Store
    url: str = ""
    relay: tuple[str, int] = ("127.0.0.1", 0)
    codes: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    assistants: dict[str, str] = field(default_factory=dict)
    """School → name of its assistant."""
    actor: Principal | None = None
    server: asyncio.subprocess.Process | None = None

    async def link(self, login: str) -> str:
        """A sign-in link; each works once."""
        return await make_link(self.store, self.clock, self.settings, SYSTEM, account_id=self.accounts[login])

    async def forward_to(self, then: datetime) -> None:
        """It is that time at once, here and on the server."""
        seconds = max(0.0, (then - self.clock.now()).total_seconds())
        self.clock.shift += timedelta(seconds=seconds)
        assert self.server is not None
        assert self.server.stdin is not None
        self.server.stdin.write(f"{seconds}\n".encode())
        await self.server.stdin.drain()

    async def due_lesson(self, seconds: int, *, members: Sequence[str] = ()) -> str:
        """An extra music lesson for both classes, or a session of a community of these teachers, from this minute on, with at least
        so many seconds left; its id."""
        now = self.clock.now().astimezone(ZONE)
        start = now.hour * 60 + now.minute
        minutes = -(-(now.second + seconds) // 60)
        lesson = NewLesson(
            county=sc.COUNTY,
            day=now.date(),
            start=start,
            end=start + minutes,
            subject="music",
            lead_teacher_code=sc.TEACHER,
            lead_room_code=sc.LEAD_ROOM,
            class_codes=() if members else (sc.VILLAGE_CLASS, sc.POINT_CLASS),
            member_codes=tuple(members),
            family="master" if members else "delivery",
        )
        return await add_lesson(self.store, SYSTEM, self.clock, lesson)


def settings_of(folder: Path, store_url: str) -> Settings:
    """Settings of a server with evidence every two seconds and a lesson that counts after twelve."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    return Settings(
        data_dir=folder / "data",
        database_url=store_url,
        port=0,
        media_slot_seconds=2,
        attendance_rules=str(rules),
        rate_limit_scale=10,
        log_level="warning",
    )


async def prepare(settings: Settings, store: Store, folder: Path, shift: float) -> SchoolDay:
    """Imports the county and makes its people, by the use cases that the pages call."""
    clock = ShiftedClock(shift)
    day = SchoolDay(settings, clock, store)
    files = sc.write_small_county(folder / "county", clock.now().astimezone(ZONE).date())
    reading = read_county(files)
    assert reading.county is not None, reading.errors
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files.iterdir()))).hexdigest()
    await save_county(store, SYSTEM, clock, reading.county, file_name="xishan", sha256=digest, synthetic=True)
    async with store.read() as session:
        county = await session.get_one(County, sc.COUNTY)
        unit = await session.get_one(OrgUnit, county.org_id)
        everything = Grant("operator", unit.id, unit.path, frozenset({sc.COUNTY}))
    day.actor = Principal("account", 0, "system", "system", (everything,))
    await _people(day, everything.org_id)
    return day


async def _people(day: SchoolDay, org_id: int) -> None:
    store, clock, by = day.store, day.clock, day.actor
    assert by is not None
    roles = {"planner": "陈计划", "auditor": "周审核", "operator": "吴管理"}
    for role, name in roles.items():
        new = NewAccount(role, name, (RoleAt(role, org_id),))  # type: ignore[arg-type]  # keys are roles
        await _account(day, new)
    for login, name, code in (("suyun", "苏韵", sc.TEACHER), ("tianye", "田野", sc.POINT_TEACHER)):
        teacher = NewAccount(login, name, (RoleAt("lead_teacher", org_id),), teacher=(sc.COUNTY, code))
        await _account(day, teacher)
    for school, room, assistant in ((sc.VILLAGE, sc.VILLAGE_ROOM, "罗建"), (sc.POINT, sc.POINT_ROOM, "田野")):
        made = await create_device(store, clock, by, SYSTEM, sc.COUNTY, school, room, f"{room} 大屏")
        day.codes[room] = made.code
        await create_assistant(store, clock, by, SYSTEM, sc.COUNTY, school, assistant, PIN)
        day.assistants[school] = assistant


async def _account(day: SchoolDay, new: NewAccount) -> None:
    first = await create_account(day.store, day.clock, system_principal(), SYSTEM, new, password=PASSWORD)
    day.accounts[new.login] = first.account_id


@asynccontextmanager
async def serving(day: SchoolDay) -> AsyncIterator[SchoolDay]:
    """The day with a server process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shifted_server", str(day.clock.shift.total_seconds()),
        cwd=Path(__file__).parent, env=environment_of(day.settings),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(90):  # a second's work, on a machine that may be busy
            line = (await process.stdout.readline()).decode().split()
        assert line, "the server did not start"
        day.server = process
        day.url, day.relay = line[0], ("127.0.0.1", int(line[1]))
        yield day
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.communicate()
    assert process.returncode == 0, f"the server ended with {process.returncode}"


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a command of the product finds these settings."""
    given = settings.model_dump(include={"data_dir", "database_url", "port", "media_slot_seconds", "attendance_rules"})
    return {
        **os.environ,
        **{f"SANKE_{name.upper()}": str(value) for name, value in given.items()},
        "SANKE_LOG_LEVEL": settings.log_level,
        "SANKE_RATE_LIMIT_SCALE": str(settings.rate_limit_scale),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
