"""One encoder in use: its stream is kept published until it is closed, through every end and every failure."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from media.encoders.addresses import Allowed, Resolve, RtspUrl, pin, resolve
from media.encoders.process import News, reading
from media.encoders.values import Connecting, EncoderRefused, Failed, Found, Live, State, Waiting
from media.errors import RelayError

log = logging.getLogger(__name__)

PostOffer = Callable[[str], Awaitable[str]]
"""Carries an offer to the relay and brings the answer back. Raises RelayError where the relay refuses it."""
OnState = Callable[[State], None]
"""Called on the event loop at each change; must be quick and must not raise."""
PAUSES: Sequence[float] = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the next attempt, the last for all further ones."""
STEADY_SECONDS = 20.0
"""After this long live, an end is a new trouble and is mended quickly again."""


class Origin(Protocol):
    """Where a stream comes from: pulled by us, or pushed to us."""

    pushed: bool
    """`job` waits for the encoder to come, however long."""

    def job(self) -> contextlib.AbstractAsyncContextManager[tuple[News, tuple[int, ...]]]:
        """The reading process's job and the descriptors it needs, valid within the block. Raises EncoderRefused."""
        ...


class Pull:
    """An RTSP encoder; its name is resolved and checked anew for each connection."""

    pushed = False

    def __init__(self, url: RtspUrl, allowed: Allowed, resolve: Resolve = resolve) -> None:
        self._url, self._allowed, self._resolve = url, allowed, resolve

    @asynccontextmanager
    async def job(self) -> AsyncIterator[tuple[News, tuple[int, ...]]]:
        """The address to connect to, and the stream there."""
        address = await pin(self._url, self._allowed, self._resolve)
        yield (
            {
                "kind": "rtsp",
                "address": address,
                "port": self._url.port,
                "login": [self._url.user, self._url.password],
                "path": self._url.path,
            },
            (),
        )


async def probe(origin: Origin, patience: float = 30.0) -> Found:
    """What an encoder sends, without publishing it. Raises EncoderRefused, ``not_pushing`` where it did not come in time."""
    try:
        async with (
            asyncio.timeout(patience),
            origin.job() as (job, descriptors),
            reading(job | {"probe": True}, *descriptors) as process,
        ):
            return await process.found()
    except TimeoutError:
        raise EncoderRefused("not_pushing" if origin.pushed else "silent") from None


class Encoder:
    """Keeps one stream published from `start` to `close`."""

    def __init__(
        self, origin: Origin, post_offer: PostOffer, on_state: OnState, *, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._origin, self._post_offer, self._on_state, self._pauses = origin, post_offer, on_state, pauses
        self._task: asyncio.Task[None] | None = None
        self.state: State = Connecting()

    def start(self) -> None:
        """Begins; needs a running loop."""
        self._task = asyncio.create_task(self._keep_on(), name="media-encoder")

    async def close(self) -> None:
        """Ends the stream and its process. May be repeated."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def _become(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)

    async def _keep_on(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._unbroken()
            except EncoderRefused as refused:
                if refused.reason == "address_refused":
                    return self._become(Failed(refused.reason))
                if time.monotonic() - began > STEADY_SECONDS:
                    failures = 0
                pause = self._pauses[min(failures, len(self._pauses) - 1)]
                failures += 1
                log.info("media_encoder_waits reason=%s seconds=%s", refused, pause)
                self._become(Waiting(refused.reason, pause))
                await asyncio.sleep(pause)

    async def _unbroken(self) -> None:
        """As `_run`: an error of ours, or of what stands behind us, is one more reason to try again."""
        try:
            await self._run()
        except EncoderRefused:
            raise
        except Exception:
            log.exception("media_encoder_failed")
            raise EncoderRefused("crashed", "an error of ours") from None

    async def _run(self) -> None:
        """One connection, from its first word to its end, which is always an EncoderRefused."""
        if not isinstance(self.state, Waiting):  # it says more than what follows, until the encoder is there
            self._become(Waiting("not_pushing", 0) if self._origin.pushed else Connecting())
        async with self._origin.job() as (job, descriptors):
            self._become(Connecting())
            async with reading(job | {"probe": False}, *descriptors) as process:
                found = await process.found()
                offer = await process.news()
                try:
                    answer = await self._post_offer(offer["sdp"])
                except RelayError as error:
                    raise EncoderRefused("relay_refused", type(error).__name__) from None
                await process.tell(sdp=answer)
                while True:
                    if (await process.news())["event"] == "live":
                        self._become(Live(found))
