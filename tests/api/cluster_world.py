"""A real cluster: a web server without media, relay workers as processes of their own, Redis, either database."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import aiohttp
from api_world import Side, Site, World, make_world
from class_of_clients import Client
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from waiting import until

from api.server import running
from api.services import Services
from config.settings import Settings
from media.events import RoomId
from rooms.tables import EvidenceEvent, Occurrence, OccurrenceSide

VIEWERS, SHARE = 5, 5
Process = subprocess.Popen[str]


class Row(NamedTuple):
    """A committed row of evidence."""

    event: str
    kind: str
    side: str
    at: datetime
    until: datetime | None
    session: str


@dataclass
class Crew:
    """Relay workers as processes of their own, by the address they announce; they outlive a test where it leaves them alive."""

    store_url: str
    redis_url: str
    folder: Path
    workers: dict[str, Process] = field(default_factory=dict)
    world: World | None = None

    async def start(self, **settings: str) -> str:
        """One more worker; its address."""
        environment = os.environ | {
            "SANKE_DATABASE_URL": self.store_url, "SANKE_REDIS_URL": self.redis_url, "SANKE_DATA_DIR": str(self.folder),
            "SANKE_LOG_LEVEL": os.environ.get("WORKER_LOG", "error"), "SANKE_MEDIA_SLOT_SECONDS": "1", "PYTHONUNBUFFERED": "1",
            "SANKE_RATE_LIMIT_SCALE": "100", "SANKE_RELAY_ROOM_SHARE": str(SHARE),
        } | {f"SANKE_{name.upper()}": value for name, value in settings.items()}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", "from api.cli import main; main()", "relay", "--port", "0"],
            env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        while line := await asyncio.to_thread(process.stdout.readline):
            if found := re.search(r"http://[\d.]+:\d+", line):
                self.workers[found[0]] = process
                return found[0]
        raise AssertionError("the worker ended before it was ready")

    async def at_least(self, count: int) -> None:
        """So many workers, all alive."""
        for url in [url for url, process in self.workers.items() if process.poll() is not None]:
            del self.workers[url]
        await asyncio.gather(*(self.start() for _ in range(count - len(self.workers))))

    async def end(self, url: str, how: signal.Signals) -> int:
        """Ends a worker; its exit status."""
        process = self.workers.pop(url)
        process.send_signal(how)
        await asyncio.to_thread(process.communicate)
        return process.returncode

    def close(self) -> None:
        for process in self.workers.values():
            process.kill()
        for process in self.workers.values():
            process.communicate()
        self.workers.clear()


@dataclass
class Cluster:
    """The web server of this process, its crew, and a class of this test alone."""

    site: Site
    redis: Redis
    crew: Crew
    room: RoomId
    lead: str
    """The lead's side."""

    @property
    def services(self) -> Services:
        return self.site.server.services

    @property
    def workers(self) -> dict[str, Process]:
        return self.crew.workers

    async def origin(self) -> str:
        """The address of the worker that has the class; empty where none has."""
        worker = (await self.services.placement.find(self.room)).origin_worker
        return worker.url if worker is not None else ""

    async def evidence(self) -> list[Row]:
        """Every committed row of the relay's evidence: id, what, whose, from, until."""
        row = EvidenceEvent
        asked = (
            select(row.event_id, row.kind, row.side_id, row.at, row.until, row.data)
            .where(row.source == "relay", row.occurrence_id == self.room)
            .order_by(row.at)
        )
        async with self.services.store.read() as session:
            return [Row(*each[:5], each[5]["session"]) for each in await session.execute(asked)]

    def client(self, http: aiohttp.ClientSession, side: str, role: str) -> Client:
        return Client(http, self.services.joins, self.site.server.local_url, self.room, side, role)  # type: ignore[arg-type]  # by name

    @asynccontextmanager
    async def class_in_session(
        self, viewers: int = VIEWERS, *, patience: float = 5.0
    ) -> AsyncIterator[tuple[Client, list[Client]]]:
        """A lead that sends and classrooms that receive, each coming back by itself."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience)))
            lead = self.client(http, self.lead, "publish")
            classes = [self.client(http, side, "subscribe") for side in await self.sides(viewers)]
            tasks = [asyncio.create_task(each.run()) for each in (lead, *classes)]
            try:
                yield lead, classes
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
            for result in ended:
                if isinstance(result, Exception):
                    raise result

    @asynccontextmanager
    async def moving(self, *clients: Client) -> AsyncIterator[None]:
        """The clients hear on the bus, as pages do over their WebSocket, that their worker changes."""

        async def hear() -> None:
            async with self.services.bus.subscribe(f"live:{self.room}") as messages:
                async for message in messages:
                    if message.get("type") == "moved":
                        for each in clients:
                            each.moved.set()

        task = asyncio.create_task(hear())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def sides(self, count: int) -> list[str]:
        """Receiving sides of the class; as many as wanted."""
        here = self.site.world.here
        async with self.services.store.write() as session:
            found = list(
                await session.scalars(
                    select(OccurrenceSide.id).where(
                        OccurrenceSide.occurrence_id == self.room, OccurrenceSide.side == "receiver"
                    )
                )
            )
            for number in range(len(found), count):
                made = OccurrenceSide(
                    id=uuid.uuid4().hex, occurrence_id=self.room, county=here.county, side="receiver",
                    school_code=here.receiving_school, class_code=f"c{number}", room_code=f"r{number}", expected=10,
                )  # fmt: skip
                session.add(made)
                found.append(made.id)
        return found[:count]


@asynccontextmanager
async def clustered(crew: Crew, *, workers: int = 2) -> AsyncIterator[Cluster]:
    """A web server in this process and workers beside it."""
    settings = Settings(
        data_dir=crew.folder, database_url=crew.store_url, redis_url=SecretStr(crew.redis_url), relay_in_process=False,
        port=0, plan_jobs=0, log_level="error", rate_limit_scale=100, relay_room_share=SHARE,
    )  # fmt: skip
    redis = Redis.from_url(crew.redis_url)
    try:
        async with running(settings) as server:
            store, clock = server.services.store, server.services.clock
            if crew.world is None:
                crew.world = await make_world(store, clock)
            async with store.write() as session:
                room, lead = await lesson(session, crew.world.here, clock.now())
            await crew.at_least(workers)
            watch = server.services.watch
            await until(lambda: {each.url for each in watch.workers} == set(crew.workers))
            yield Cluster(Site(server, crew.world), redis, crew, RoomId(room), lead)
    finally:
        await redis.aclose()


async def lesson(session: AsyncSession, here: Side, now: datetime) -> tuple[str, str]:
    """One more lesson that is due, with its lead's and the device's side; the ids of the lesson and of the lead's side."""
    room, lead, receiver = (uuid.uuid4().hex for _ in range(3))
    starts = now - timedelta(minutes=5)
    session.add(
        Occurrence(
            id=room, county=here.county, plan_id=here.plan, meeting_code="m1", family="delivery", kind="lesson", ref="",
            title="音乐", subject="music", day=starts.date(), week=5, starts_at=starts, ends_at=starts + timedelta(minutes=40),
            lead_school_code=here.school, lead_teacher_code=here.teacher, lead_room_code=here.room, state="planned",
        )
    )  # fmt: skip
    await session.flush()
    common = {"occurrence_id": room, "county": here.county}
    sides = (
        OccurrenceSide(
            id=lead, side="lead", school_code=here.school, teacher_code=here.teacher, room_code=here.room, **common
        ),
        OccurrenceSide(
            id=receiver, side="receiver", school_code=here.receiving_school, class_code=here.school_class,
            room_code=here.receiving_room, expected=12, **common,
        ),
    )  # fmt: skip
    session.add_all(sides)
    return room, lead
