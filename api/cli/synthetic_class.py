"""A class of the demonstration that needs no teacher: the test pattern, published through the ordinary doors as a browser would."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import structlog
from yarl import URL

from api.media import SDP
from api.server import Running
from media.clients.synthetic import SyntheticPublisher
from rooms.counties import load_county
from rooms.demo.people import teacher_link
from rooms.demo.today import HELD, TAUGHT, DueLesson, due_lesson

log = structlog.get_logger("demo")

ZONE = ZoneInfo("Asia/Shanghai")
AGAIN_SECONDS = 5.0
"""After a failure, or when the class was closed by somebody, before the next attempt."""
LOOK_AHEAD_SECONDS = 60.0
"""How often a new lesson is laid out where the one that is due runs out."""


class SyntheticClass:
    """Holds the demonstration's synthetic class, one after the other, and sees to it that another always waits for a teacher."""

    def __init__(self, server: Running, county: str) -> None:
        self._server, self._county = server, county
        self._tasks: list[asyncio.Task[None]] = []
        self.on_air = asyncio.Event()
        """Set once the picture is in the room."""

    async def start(self) -> None:
        """Begins; returns when the first picture is in the room, or could not be brought there in 15 s (it is tried again)."""
        self._tasks = [
            asyncio.create_task(self._hold_on(), name="demo-synthetic-class"),
            asyncio.create_task(self._look_ahead(), name="demo-next-lesson"),
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.on_air.wait(), 15)

    async def close(self) -> None:
        """Ends the class's picture."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hold_on(self) -> None:
        while True:
            try:
                await self._hold(await self._due())
            except Exception as error:
                status = getattr(error, "status", None)  # the error's text would show the teacher's cookie
                log.warning("synthetic_class_interrupted", why=type(error).__name__, status=status)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _due(self) -> DueLesson:
        services = self._server.services
        async with services.store.read() as session:
            county = await load_county(session, self._county)
        return await due_lesson(services.store, services.clock, county, HELD)

    async def _look_ahead(self) -> None:
        services = self._server.services
        while True:
            await asyncio.sleep(LOOK_AHEAD_SECONDS)
            try:
                async with services.store.read() as session:
                    county = await load_county(session, self._county)
                await due_lesson(services.store, services.clock, county, TAUGHT)
            except Exception:  # the next look finds a lesson
                log.exception("next_lesson_not_made")

    async def _hold(self, lesson: DueLesson) -> None:
        """Opens the class as its teacher and publishes until its planned end, or until the class is closed."""
        services = self._server.services
        link = await teacher_link(services.store, services.clock, services.settings, self._county, lesson.teacher_code)
        async with aiohttp.ClientSession(
            self._server.local_url, cookie_jar=aiohttp.CookieJar(unsafe=True), raise_for_status=True
        ) as teacher:
            async with teacher.post(f"/link/{link}", allow_redirects=False):
                pass
            async with teacher.post(f"/api/live/{lesson.occurrence_id}/open"):
                pass
            await self._publish(teacher, lesson)

    async def _publish(self, teacher: aiohttp.ClientSession, lesson: DueLesson) -> None:
        async def post_offer(offer: str) -> str:
            async with teacher.post(f"/api/live/{lesson.occurrence_id}/join", json={}) as answer:
                ticket: dict[str, Any] = await answer.json()
            headers = {"Authorization": f"Bearer {ticket['token']}", "Content-Type": SDP}
            async with teacher.post(URL(ticket["url"], encoded=True), data=offer.encode(), headers=headers) as answer:
                return await answer.text()

        clock = self._server.services.clock
        publisher = SyntheticPublisher(now=lambda: clock.now().astimezone(ZONE))
        await publisher.start(post_offer)
        self.on_air.set()
        try:
            left = (lesson.ends_at - clock.now()).total_seconds()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(publisher.ended.wait(), max(1.0, left))
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            await publisher.close()
