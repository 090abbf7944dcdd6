"""A small tree to hold roles in, and a clock that tests move."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest

from config.settings import Settings
from rooms.people.accounts import NewAccount, RoleAt, create_account
from rooms.people.permissions import Role
from rooms.people.principals import account_principal, system_principal
from rooms.people.scope import Principal
from rooms.store import SYSTEM, Store
from rooms.tables import Account, County, OrgUnit, Room, School, Teacher

PASSWORD = "Schoolyard-7"


@dataclass
class MovedClock:
    at: datetime = field(default_factory=lambda: datetime(2026, 9, 1, 8, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


class Tree(NamedTuple):
    """Ids of the units: a city with two counties, two schools in the first, a point below the second school."""

    city: int
    a: int
    b: int
    a1: int
    a2: int
    point: int


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def settings() -> Settings:
    return Settings(demo=False)


@pytest.fixture
async def tree(store: Store) -> Tree:
    async with store.write() as session:
        city = OrgUnit(level="city", name="市", path="/1/")
        session.add(city)
        await session.flush()
        city.path = f"/{city.id}/"
        ids = [city.id]
        places = [("county", "甲县", "a", None, 0), ("county", "乙县", "b", None, 0)]
        places += [
            ("school", "一小", "a", "a1", 1),
            ("school", "二小", "a", "a2", 1),
            ("point", "二小教学点", "a", "ap", 4),
        ]
        units = [city]
        for level, name, county, school, parent in places:
            unit = OrgUnit(
                level=level, name=name, path="", county=county, school_code=school, parent_id=units[parent].id
            )
            session.add(unit)
            await session.flush()
            unit.path = f"{units[parent].path}{unit.id}/"
            units.append(unit)
            ids.append(unit.id)
        for code, unit in (("a", units[1]), ("b", units[2])):
            session.add(
                County(
                    code=code,
                    org_id=unit.id,
                    name=unit.name,
                    term_start=date(2026, 9, 1),
                    term_end=date(2027, 1, 20),
                    city="市",
                    province="省",
                    curriculum_plan="p",
                    timezone="Asia/Shanghai",
                    needs_given=False,
                )
            )
        await session.flush()
        for county, code in (("a", "a1"), ("a", "a2"), ("a", "ap"), ("b", "b1")):
            session.add(
                School(
                    county=county,
                    code=code,
                    name=code,
                    kind="central",
                    role="both",
                    bell_code="x",
                    township="",
                    stages=[],
                    contact_name="",
                    contact_phone="",
                )
            )
        await session.flush()
        session.add(
            Room(
                county="a",
                code="r1",
                school_code="a1",
                kind="receiving",
                can_lead=False,
                level="L1",
                custodian_name="",
                custodian_phone="",
            )
        )
        session.add(Teacher(county="a", code="t1", school_code="a1", name="李薇", subjects={}, title="", cohorts=[]))
        session.add(Teacher(county="b", code="t9", school_code="b1", name="赵明", subjects={}, title="", cohorts=[]))
        return Tree(*ids)


class People:
    """Makes accounts with a known password and reads their principals."""

    def __init__(self, store: Store, clock: MovedClock) -> None:
        self.store, self.clock = store, clock

    async def make(self, login: str, *roles: tuple[Role, int], teacher: tuple[str, str] | None = None) -> Principal:
        new = NewAccount(login, login.title(), tuple(RoleAt(*each) for each in roles), teacher)
        made = await create_account(self.store, self.clock, system_principal(), SYSTEM, new, password=PASSWORD)
        async with self.store.read() as session:
            return await account_principal(session, await session.get_one(Account, made.account_id))


@pytest.fixture
def people(store: Store, clock: MovedClock) -> People:
    return People(store, clock)
