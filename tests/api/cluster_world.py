"""A real cluster: a web server without media, relay workers as processes of their own, Redis, either database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
from api_world import Site, make_world
from class_of_clients import Client
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import select
from test_serve import line_with

from api.server import running
from api.services import Services
from config.settings import Settings
from media.events import RoomId
from rooms.tables import EvidenceEvent, OccurrenceSide

VIEWERS = 5
Process = asyncio.subprocess.Process


class Row(NamedTuple):
    """A committed row of evidence."""

    event: str
    kind: str
    side: str
    at: datetime
    until: datetime | None
    session: str


@dataclass
class Cluster:
    """The web server of this process, and workers by the address they announce."""

    site: Site
    settings: Settings
    redis: Redis
    workers: dict[str, Process] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return self.site.server.services

    @property
    def room(self) -> RoomId:
        return RoomId(self.site.world.here.occurrence)

    async def start_worker(self, **settings: str) -> str:
        """One more worker; its address."""
        known = self.settings
        environment = os.environ | {
            "SANKE_DATABASE_URL": known.database_url, "SANKE_REDIS_URL": known.redis_url.get_secret_value(),
            "SANKE_DATA_DIR": str(known.data_dir), "SANKE_LOG_LEVEL": "error", "SANKE_LANGUAGE": "en",
            "SANKE_MEDIA_SLOT_SECONDS": "1", "PYTHONUNBUFFERED": "1", "SANKE_RATE_LIMIT_SCALE": "100",
        } | {f"SANKE_{name.upper()}": value for name, value in settings.items()}  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from api.cli import main; main()", "relay", "--port", "0",
            env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        url = await line_with(process, r"http://[\d.]+:\d+")
        self.workers[url] = process
        return url

    async def end_worker(self, url: str, how: signal.Signals) -> int:
        process = self.workers.pop(url)
        process.send_signal(how)
        await process.communicate()
        assert process.returncode is not None
        return process.returncode

    async def origin(self) -> str:
        """The address of the worker that has the class; empty where none has."""
        worker = (await self.services.placement.find(self.room)).origin_worker
        return worker.url if worker is not None else ""

    async def evidence(self) -> list[Row]:
        """Every committed row of the relay's evidence: id, what, whose, from, until."""
        row = EvidenceEvent
        asked = (
            select(row.event_id, row.kind, row.side_id, row.at, row.until, row.data)
            .where(row.source == "relay")
            .order_by(row.at)
        )
        async with self.services.store.read() as session:
            return [Row(*each[:5], each[5]["session"]) for each in await session.execute(asked)]

    def client(self, http: aiohttp.ClientSession, side: str, role: str) -> Client:
        return Client(http, self.services.joins, self.site.server.local_url, self.room, side, role)  # type: ignore[arg-type]  # by name

    @asynccontextmanager
    async def class_in_session(self, viewers: int = VIEWERS) -> AsyncIterator[tuple[Client, list[Client]]]:
        """A lead that sends and classrooms that receive, each coming back by itself."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)))
            lead = self.client(http, self.site.world.here.lead_side, "publish")
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
async def clustered(
    store_url: str, redis_url: str, folder: Path, *, workers: int = 2, **other: object
) -> AsyncIterator[Cluster]:
    """A web server in this process and workers beside it."""
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    settings = Settings(
        data_dir=folder / "data", database_url=store_url, redis_url=SecretStr(redis_url), relay_in_process=False,
        port=0, plan_jobs=0, log_level="error", rate_limit_scale=100, **other,
    )  # fmt: skip
    async with running(settings) as server:
        world = await make_world(server.services.store, server.services.clock)
        made = Cluster(Site(server, world), settings, redis)
        try:
            await asyncio.gather(*(made.start_worker() for _ in range(workers)))
            yield made
        finally:
            for url in list(made.workers):
                await made.end_worker(url, signal.SIGKILL)
            await redis.flushall()
            await redis.aclose()
