"""Loads the demonstration through the ordinary importer and use cases; a second time it only brings it up to now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from config.demo import COUNTY
from config.settings import Settings
from rooms.clock import Clock
from rooms.counties import load_county, save_county
from rooms.county import County
from rooms.demo.past import DEMO, fill_past
from rooms.demo.people import PASSWORD, PIN, classroom_links, desk_link, teacher_link
from rooms.demo.today import HELD, TAUGHT, DueLesson, due_lesson
from rooms.importing import read_county, sha256_of
from rooms.planning.publish import publish_plan
from rooms.rulesets import load_rules
from rooms.store import Store
from rooms.tables import County as CountyRow
from rooms.tables import PlanVersion

WEEKS_BEHIND = 9
"""Weeks of the term that lie behind the present one."""
MakePlan = Callable[[str], Awaitable[int]]
"""Plans a county and returns the id of the plan version."""
Report = Callable[[str], None]
"""Hears each step as it begins: county, plan, publish, past, today, people."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What whoever starts the demonstration prints. Links are tokens for ``/link/{token}``, good for a week, again and again."""

    county: str
    plan_id: int
    planner: str
    teacher: str
    """The teacher of `due`."""
    classrooms: tuple[str, ...]
    """The receiving rooms of `due`, in the order of its classes."""
    auditor: str
    operator: str
    watching: tuple[str, ...]
    """The receiving rooms of `held`: they can join at once."""
    due: DueLesson
    """Waits for its teacher to start it."""
    held: DueLesson
    """To be opened and held by the synthetic publisher."""
    pin: str
    """Of every assistant."""
    password: str
    """Of every account."""


async def load_demo(
    store: Store, clock: Clock, settings: Settings, make_plan: MakePlan, report: Report = lambda _: None
) -> Demo:
    """Brings the demonstration into the store, or up to now where it is there. `settings.demo` must be on.

    `make_plan` plans the county; the first call plans, later ones keep what is published.
    """
    report("county")
    county = await _county(store, clock)
    published = await _published(store, county.code)
    if published is None:
        report("plan")
        published = await make_plan(county.code)
        report("publish")
        await publish_plan(store, DEMO, clock, county.code, published, county.term_start, backdate=True)
    report("past")
    await fill_past(store, clock, load_rules(settings.attendance_rules), county.code)
    report("today")
    due, held = await due_lesson(store, clock, county, TAUGHT), await due_lesson(store, clock, county, HELD)
    report("people")
    operator = await desk_link(store, clock, settings, county.code, "operator")  # first: it makes the devices
    return Demo(
        county=county.code,
        plan_id=published,
        planner=await desk_link(store, clock, settings, county.code, "planner"),
        teacher=await teacher_link(store, clock, settings, county.code, due.teacher_code),
        classrooms=tuple(await classroom_links(store, clock, settings, county.code, due)),
        auditor=await desk_link(store, clock, settings, county.code, "auditor"),
        operator=operator,
        watching=tuple(await classroom_links(store, clock, settings, county.code, held)),
        due=due,
        held=held,
        pin=PIN,
        password=PASSWORD,
    )


async def _county(store: Store, clock: Clock) -> County:
    """The county of the store; read from its files, and moved to today, where it is not there yet."""
    reading = read_county(COUNTY)
    assert reading.county is not None, [finding.sentence("en") for finding in reading.errors]
    code = reading.county.code
    async with store.read() as session:
        if await session.get(CountyRow, code) is not None:
            return await load_county(session, code)
    county = around(reading.county, clock.now().astimezone(ZoneInfo(reading.county.timezone)).date())
    digest = sha256_of(COUNTY)
    await save_county(store, DEMO, clock, county, file_name="synthetic-county", sha256=digest, synthetic=True)
    return county


def around(county: County, today: date) -> County:
    """The county with all its dates moved by whole weeks, so that `today` lies in the tenth week of its term."""
    monday = today - timedelta(days=today.weekday() + 7 * WEEKS_BEHIND)
    moved = monday - county.term_start
    return replace(
        county,
        term_start=county.term_start + moved,
        term_end=county.term_end + moved,
        calendar=tuple(replace(day, day=day.day + moved) for day in county.calendar),
    )


async def _published(store: Store, county: str) -> int | None:
    async with store.read() as session:
        return await session.scalar(
            select(PlanVersion.id).where(PlanVersion.county == county, PlanVersion.state == "published")
        )
