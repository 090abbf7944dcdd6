"""The parent's side of one reading process: its start, its news, its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from media.encoders.values import REASONS, EncoderRefused, Found

START_SECONDS = 20.0
"""From its start until it says what it found: it opens within 8 s, and imports take a while on a busy machine."""
QUIET_SECONDS = 12.0
"""It says each second that it is well; after this silence it hangs."""
LONGEST_NEWS = 64 * 1024
News = dict[str, Any]


class Reading:
    """A running process. `news` raises EncoderRefused ``crashed`` when it fell over or hangs, else the reason it gives."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tell(self, **facts: object) -> None:
        """One line for the process."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(facts).encode() + b"\n")
            await self._process.stdin.drain()

    async def news(self, patience: float = QUIET_SECONDS) -> News:
        """The next piece of news."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(patience):
                line = await self._process.stdout.readline()
            news: News = json.loads(line)
            reason = news["reason"] if news["event"] == "refused" else None
        except (TimeoutError, ValueError, LookupError, TypeError):
            raise EncoderRefused("crashed", "it hangs or fell over") from None
        if reason is None:
            return news
        raise EncoderRefused(reason if reason in REASONS else "crashed", str(news.get("text", ""))[:200])

    async def found(self) -> Found:
        """What the stream is."""
        news = await self.news(START_SECONDS)
        try:
            return Found(**{name: value for name, value in news.items() if name != "event"})
        except TypeError:
            raise EncoderRefused("crashed", "it says what nobody asked") from None


@asynccontextmanager
async def reading(job: News, *descriptors: int) -> AsyncIterator[Reading]:
    """Starts a process with a job; it is gone when the block is left. It inherits the named descriptors and nothing else:
    no open file, no setting, no secret of the environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media.encoders.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        pass_fds=descriptors, limit=LONGEST_NEWS, start_new_session=True,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert process.stdin is not None
    try:
        found = Reading(process)
        await found.tell(**job)
        yield found
    finally:
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await _gone(process)


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Waits for a killed process, which takes milliseconds; whoever is cancelled once more meanwhile leaves none behind."""
    waiting = asyncio.create_task(process.wait(), name="media-encoder-process-end")
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
