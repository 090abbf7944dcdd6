"""A class whose clients come back by themselves, by the rules of the pages: silence, a new ticket, another worker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from api.join import Join, JoinRole, JoinTokens
from api.media import SDP
from media.clients.counting import CountOnlySubscriber
from media.clients.synthetic import SyntheticPublisher
from media.wire.aiortc_bridge import HandshakeFailed

WATCH = 0.25
PATIENCE = {"publish": 4.0, "subscribe": 2.0}
"""Seconds of silence before the line is doubted, as in the pages."""


class Turned(Exception):
    """The door said no for now."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass
class Client:
    """One side of the class. `url` is the web server's; the worker's it learns from the answer (307)."""

    http: aiohttp.ClientSession
    joins: JoinTokens
    url: str
    room: str
    side: str
    role: JoinRole
    sessions: int = 0
    worker: str = ""
    heard_at: float = field(default_factory=time.monotonic)
    """When media last came, or the relay last reported."""
    back_at: float = 0.0
    """When media first came, or the relay first reported, in the newest session."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._session() as heard:
                    attempt = 0
                    await self._watch(heard)
            except (Turned, aiohttp.ClientError, HandshakeFailed, TimeoutError, OSError) as error:
                status = error.status if isinstance(error, Turned) else 0
                attempt += 1
                await asyncio.sleep(1.0 if status == 409 else min(5.0, 0.3 * 2**attempt) * random.uniform(0.75, 1.25))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Callable[[], int]]:
        async with AsyncExitStack() as stack:
            heard: Callable[[], int]
            if self.role == "publish":
                publisher = SyntheticPublisher()
                stack.push_async_callback(publisher.close)
                await publisher.start(self._post)
                heard = lambda: publisher.heard  # noqa: E731  # two lines of the same shape
            else:
                subscriber = CountOnlySubscriber(report_every=0.5)
                stack.push_async_callback(subscriber.close)
                await subscriber.connect(await self._post(subscriber.offer()))
                heard = lambda: subscriber.packets  # noqa: E731  # two lines of the same shape
            self.sessions += 1
            yield heard

    async def _post(self, offer: str) -> str:
        """Asks the web server, and the worker it names: a browser's page does so by its ticket."""
        token = self.joins.issue(Join(self.room, self.side, "lead", self.role, "test"))
        door = "whip" if self.role == "publish" else "whep"
        address = f"{self.url}/{door}/{self.room}/lead"
        headers = {"Content-Type": SDP, "Authorization": f"Bearer {token}"}
        for _ in range(3):
            async with self.http.post(address, data=offer, headers=headers, allow_redirects=False) as answer:
                text = await answer.text()
                if answer.status == 307:
                    address = answer.headers["Location"]
                    continue
                if answer.status != 201:
                    raise Turned(answer.status)
                self.worker = address.split("/w")[0]
                return text
        raise Turned(307)

    async def _watch(self, heard: Callable[[], int]) -> None:
        before, silent = 0, time.monotonic()
        self.back_at = 0.0
        while time.monotonic() - silent < PATIENCE[self.role]:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.moved.wait(), WATCH)
                self.moved.clear()
                return
            if (now := heard()) != before:
                before, silent = now, time.monotonic()
                self.heard_at, self.back_at = silent, self.back_at or silent
