"""Two small counties in one store, alike in everything, with somebody for every role: what one may see, the other may not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import aiohttp
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from api.access import session_cookie
from api.server import Running
from rooms.clock import Clock
from rooms.people.passwords import digest, new_token
from rooms.planning.repairs import KEPT, MADE, Made, Wish
from rooms.store import Store
from rooms.tables import (
    Account,
    AccountRole,
    Assistant,
    Base,
    Bell,
    Circumstance,
    County,
    CurriculumHours,
    Device,
    MeetingLock,
    Need,
    Occurrence,
    OccurrenceSide,
    OrgUnit,
    PlanMeeting,
    PlanPairing,
    PlanRun,
    PlanVersion,
    Recording,
    RepairDraft,
    Room,
    RoomEncoder,
    School,
    SchoolClass,
    Session,
    Teacher,
)
from scheduler.problem import Plan
from scheduler.repair import Repaired

ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "Right-Horse-7-Battery"
PIN = "4071"
PAGE = {"Accept": "text/html"}
SUMMARY = {
    "needed": 2, "served": 1, "unmet": 1, "needed_weighted": 10, "served_weighted": 5, "bound": 5, "gap": 0.0,
    "seconds": 1.0, "seed": 1, "status": "feasible", "rules": "formats-h1-h13/1",
}  # fmt: skip
ROLES = ("planner", "lead_teacher", "auditor", "operator")


@cache
def hashed(secret: str) -> str:
    return PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(secret)


@dataclass(slots=True)
class Side:
    """One county: the codes and ids a route may be asked with, and a session token for each role."""

    county: str
    school: str = ""
    receiving_school: str = ""
    room: str = ""
    receiving_room: str = ""
    teacher: str = ""
    school_class: str = ""
    occurrence: str = ""
    recording: str = ""
    lead_side: str = ""
    receiver_side: str = ""
    plan: int = 0
    run: int = 0
    circumstance: int = 0
    lock: int = 0
    draft: str = ""
    device: int = 0
    assistant: int = 0
    encoder: int = 0
    org: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """`here` and `there`: two counties of one province."""

    here: Side
    there: Side


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and the people who may call it."""

    server: Running
    world: World

    @asynccontextmanager
    async def client(self, token: str = "", **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A browser that holds this session's cookie; without one, a stranger."""
        name = session_cookie(self.server.services.settings)
        cookies = {name: token} if token else {}
        jar = aiohttp.CookieJar(unsafe=True)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(
            self.server.local_url, cookies=cookies, cookie_jar=jar, headers=headers, timeout=timeout
        ) as session:
            yield session

    def as_(self, role: str) -> str:
        """The session of a role in `here`."""
        return self.world.here.tokens.get(role, "")


async def make_world(store: Store, clock: Clock) -> World:
    """Writes both counties; a lesson of each is due now."""
    here, there = Side("alpha"), Side("beta")
    async with store.write() as session:
        nation = await unit(session, None, "nation", "中国")
        province = await unit(session, nation, "province", "示范省")
        for side in (here, there):
            await _county(session, side, province, clock.now())
    return World(here, there)


async def unit(
    session: AsyncSession, parent: OrgUnit | None, level: str, name: str, county: str = "", school: str = ""
) -> OrgUnit:
    made = OrgUnit(
        parent_id=parent.id if parent else None, level=level, name=name, path="",
        county=county or None, school_code=school or None,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    made.path = f"{parent.path if parent else '/'}{made.id}/"
    return made


async def _county(session: AsyncSession, side: Side, province: OrgUnit, now: datetime) -> None:
    code = side.county
    city = await unit(session, province, "city", f"{code}市")
    county = await unit(session, city, "county", f"{code}县", code)
    side.org = county.id
    today = now.astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday())
    session.add(
        County(
            code=code, org_id=county.id, name=f"{code}县", term_start=monday - timedelta(weeks=4),
            term_end=monday + timedelta(weeks=16), city=f"{code}市", province="示范省", curriculum_plan="national-2022",
            timezone="Asia/Shanghai", needs_given=True, synthetic=True, revision=1,
        )
    )  # fmt: skip
    await session.flush()
    await _schools(session, side, county)
    await _people(session, side, county, now)
    await _lessons(session, side, now)


async def _schools(session: AsyncSession, side: Side, county: OrgUnit) -> None:
    code = side.county
    side.school, side.receiving_school = f"{code}-s1", f"{code}-s2"
    for school, role, kind in ((side.school, "lead", "strong"), (side.receiving_school, "receive", "teaching_point")):
        org = await unit(session, county, "school", school, code, school)
        session.add(
            School(
                county=code, code=school, name=f"{school}小学", kind=kind, role=role, bell_code="b1",
                parent_school_code=None, township="", stages=["primary"], uplink_mbps=20.0, contact_name="",
                contact_phone="", org_id=org.id,
            )
        )  # fmt: skip
    session.add_all(
        Bell(county=code, bell_code="b1", weekday=day, period=f"p{n}", start=480 + n * 50, end=520 + n * 50, label="")
        for day in range(1, 6)
        for n in range(1, 7)
    )
    session.add(CurriculumHours(county=code, plan_code="national-2022", subject="music", grade=3, halves=4))
    await session.flush()
    side.room, side.receiving_room, side.teacher = f"{code}-r1", f"{code}-r2", f"{code}-t1"
    side.school_class = f"{code}-c1"
    for room, school, leads in ((side.room, side.school, True), (side.receiving_room, side.receiving_school, False)):
        session.add(
            Room(
                county=code, code=room, school_code=school, kind="recording" if leads else "receiving", can_lead=leads,
                max_receivers=3 if leads else None, level="L2", custodian_name="", custodian_phone="",
            )
        )  # fmt: skip
    session.add(
        Teacher(
            county=code, code=side.teacher, school_code=side.school, name=f"{code}李老师", subjects={"music": [1, 2, 3]},
            title="", cohorts=[], max_remote_per_week=None, max_remote_per_day=None,
        )
    )  # fmt: skip
    session.add(
        SchoolClass(
            county=code, code=side.school_class, school_code=side.receiving_school, grades=[3], size=12,
            receiving_room_code=side.receiving_room, editions={},
        )
    )  # fmt: skip
    session.add(Need(county=code, class_code=side.school_class, subject="music", halves=4, priority=5))


async def _people(session: AsyncSession, side: Side, county: OrgUnit, now: datetime) -> None:
    code = side.county
    for role in ROLES:
        account = Account(
            login=f"{role.replace('_', '-')}-{code}", name=f"{code} {role}", password_hash=hashed(PASSWORD),
            teacher_county=code if role == "lead_teacher" else None,
            teacher_code=side.teacher if role == "lead_teacher" else None, created_at=now,
        )  # fmt: skip
        session.add(account)
        await session.flush()
        session.add(AccountRole(account_id=account.id, role=role, org_id=county.id))
        side.accounts[role] = account.id
        side.tokens[role] = open_door(session, now, account_id=account.id)
    device = Device(
        county=code, school_code=side.receiving_school, room_code=side.receiving_room, name=f"{code} 教室", enrolled_at=now,
        created_at=now,
    )  # fmt: skip
    assistant = Assistant(county=code, school_code=side.receiving_school, name="王老师", pin_hash=hashed(PIN))
    encoder = RoomEncoder(
        county=code, school_code=side.school, room_code=side.room, name="录播主机", kind="rtmp", key_digest=b"0" * 32,
        created_at=now,
    )  # fmt: skip
    session.add_all((device, assistant, encoder))
    await session.flush()
    side.device, side.assistant, side.encoder = device.id, assistant.id, encoder.id
    side.tokens["device"] = open_door(session, now, device_id=device.id)


async def _kept(session: AsyncSession, side: Side, now: datetime) -> None:
    """What the planner told and wanted: an absence, a lock, a repair that waits to be accepted."""
    code, today = side.county, now.astimezone(ZONE).date()
    away = Circumstance(
        county=code, kind="teacher_away", code=side.teacher, from_date=today, until_date=today, weekdays=[7], period="",
        weeks=3, bell_code="", subject="", halves=0, priority=5, reason=f"{code} leave", effects=[], by="account:x", at=now,
    )  # fmt: skip
    lock = MeetingLock(
        county=code, origin="automatic", overrides=[], reason="", by="account:x", at=now, code="m1", family="delivery",
        ref="", subject="music", lead_teacher_code=side.teacher, lead_room_code=side.room, weekday=1, start=530, end=570,
        weeks=3, class_codes=[side.school_class], member_codes=[], host_lesson=None,
    )  # fmt: skip
    nothing = Plan((), (), (), 0, 0, 0, 0, 0, 0.0, 1, "feasible")
    made = Made(Wish(), Repaired(nothing, (), forced=0, moved=0, proved=True), followed=0, served_before=0)
    draft = RepairDraft(
        id=uuid.uuid4().hex, county=code, standing_id=side.plan, stamp={}, made=MADE.dump_python(made, mode="json"),
        by="account:x", at=now, expires_at=now + KEPT,
    )  # fmt: skip
    session.add_all((away, lock, draft))
    await session.flush()
    side.circumstance, side.lock, side.draft = away.id, lock.id, draft.id


def open_door(session: AsyncSession, now: datetime, **whose: int) -> str:
    """A session's token, without the work of a sign-in."""
    token = new_token()
    session.add(Session(token_hash=digest(token), created_at=now, used_at=now, address="127.0.0.1", **whose))
    return token


async def _lessons(session: AsyncSession, side: Side, now: datetime) -> None:
    code = side.county
    plan = PlanVersion(
        county=code, number=1, state="published", county_revision=1, created_at=now, created_by="account:x",
        published_at=now, published_by="account:x", effective_from=now.astimezone(ZONE).date(), summary=SUMMARY,
    )  # fmt: skip
    session.add(plan)
    await session.flush()
    side.plan = plan.id
    session.add(
        PlanMeeting(
            plan_id=plan.id, code="m1", family="delivery", ref="", subject="music", lead_teacher_code=side.teacher,
            lead_room_code=side.room, weekday=1, start=530, end=570, weeks=3, class_codes=[side.school_class],
            member_codes=[], host_lesson=None,
        )
    )  # fmt: skip
    session.add(
        PlanPairing(
            plan_id=plan.id, lead_school_code=side.school, receive_school_code=side.receiving_school, subjects=["music"]
        )
    )
    run = PlanRun(
        county=code, county_revision=1, state="done", seed=1, time_limit=5, started_at=now, ended_at=now, by="account:x",
        progress={}, plan_id=plan.id, problem_facts={},
    )  # fmt: skip
    session.add(run)
    await session.flush()
    side.run = run.id
    await _kept(session, side, now)
    side.occurrence, side.lead_side, side.receiver_side = (uuid.uuid4().hex for _ in range(3))
    starts = now - timedelta(minutes=5)
    session.add(
        Occurrence(
            id=side.occurrence, county=code, plan_id=plan.id, meeting_code="m1", family="delivery", kind="lesson", ref="",
            title="音乐", subject="music", day=starts.astimezone(ZONE).date(), week=5, starts_at=starts,
            ends_at=starts + timedelta(minutes=40), lead_school_code=side.school, lead_teacher_code=side.teacher,
            lead_room_code=side.room, state="planned",
        )
    )  # fmt: skip
    await session.flush()
    common = {"occurrence_id": side.occurrence, "county": code}
    rows: list[Base] = [
        OccurrenceSide(
            id=side.lead_side, side="lead", school_code=side.school, teacher_code=side.teacher, room_code=side.room,
            **common,
        ),
        OccurrenceSide(
            id=side.receiver_side, side="receiver", school_code=side.receiving_school, class_code=side.school_class,
            room_code=side.receiving_room, expected=12, **common,
        ),
    ]  # fmt: skip
    side.recording = uuid.uuid4().hex
    rows.append(
        Recording(
            id=side.recording, occurrence_id=side.occurrence, county=code, state="complete", started_at=starts,
            started_by="account:x", ended_at=now, seconds=300, octets=30_000_000, keep_until=now + timedelta(days=100),
        )
    )  # fmt: skip
    session.add_all(rows)
