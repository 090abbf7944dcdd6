"""`make layers`: Chromium publishes in three sizes and receives: first pictures, changes of layer, thin lines, as JSON.

A first picture is counted from the page's offer. A change of layer is counted until a picture of the new size is decoded, and what
the same link stood still meanwhile. Behind a thin line (a queue of one second, 20 ms each way) it is told where the receiver
stands in the end, how long its picture was frozen, and how many packets of sound were lost in the first and in the second half.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from media_line import BadLine, Impairment
from media_page import ROOM, chromium, open_page
from playwright.async_api import Browser, Page

from media.events import PeerId, RoomId, SourceName
from media.ladder import Place, Standing
from media.relay import Relay
from media.values import Answer, RelayConfig

PLACES = {720: Place("full", 0), 360: Place("full", 1), 180: Place("full", 2)}


class Behind(Relay):
    """A relay whose subscribers are behind a line, where there is one."""

    line: BadLine | None = None

    async def subscribe(
        self, room: RoomId, source: SourceName, peer: PeerId, offer_sdp: str, *, origin: str = ""
    ) -> Answer:
        answer = await super().subscribe(room, source, peer, offer_sdp, origin=origin)
        return replace(answer, sdp=self.line.through(answer.sdp)) if self.line is not None else answer


@asynccontextmanager
async def lesson(browser: Browser, codec: str) -> AsyncIterator[tuple[Behind, Page]]:
    """A class whose lead has been sending for a while, and a page that receives nothing yet."""
    relay = Behind(RelayConfig(), lambda event: None)
    await relay.start()
    lead = await open_page(browser, relay)
    await lead.evaluate(f"publish('teacher', '{codec}', 3)")
    while not all(view.keyframes for view in relay.snapshot(ROOM).layers if view.kind == "video"):
        await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    page = await open_page(browser, relay)
    yield relay, page
    await page.context.close()
    await lead.context.close()
    await relay.close()


async def video(page: Page, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await page.evaluate(f"stats('{name}')"))["video"]
    return found


async def first_pictures(page: Page, joins: int) -> dict[str, int]:
    """Milliseconds from offers to first pictures, one join after the other."""
    took: list[float] = []
    for number in range(joins):
        await page.evaluate(f"subscribe('j{number}')")
        while (after := (await page.evaluate(f"stats('j{number}')"))["pictureAfter"]) is None:
            await asyncio.sleep(0.02)
        took.append(after)
        await page.evaluate(f"links['j{number}'].close()")
        await asyncio.sleep(0.13)
    took.sort()
    return {
        "p50": round(statistics.median(took)),
        "p95": round(took[int(0.95 * len(took)) - 1]),
        "max": round(took[-1]),
    }


async def changes(relay: Relay, page: Page, rounds: int) -> dict[str, Any]:
    """Milliseconds until the new size is seen, and the longest time without a new picture."""
    await page.evaluate("subscribe('p')")
    await asyncio.sleep(3)
    took, stood, lost = [], 0.0, (await video(page, "p"))["packetsLost"]
    for height in [180, 720, 360, 720, 180, 360] * rounds:
        receiver = relay._rooms[ROOM].receivers[PeerId("p")]
        receiver._standing = Standing(PLACES[height], changed_at=float("inf"))
        began = since = time.monotonic()
        receiver.assign(relay.monotonic())
        seen, frames = None, -1
        while time.monotonic() < began + 2.5:
            now = await video(page, "p")
            if now["framesDecoded"] != frames:
                frames, since = now["framesDecoded"], time.monotonic()
            stood = max(stood, time.monotonic() - since)
            if seen is None and now["frameHeight"] == height:
                seen = time.monotonic() - began
            await asyncio.sleep(0.03)
        took.append(round(1000 * seen) if seen is not None else None)
    return {"ms": took, "longest_stand_ms": round(1000 * stood), "lost": (await video(page, "p"))["packetsLost"] - lost}


async def thin(relay: Behind, page: Page, kbit: int, seconds: int) -> dict[str, Any]:
    """A receiver that joins behind a line of so many kbit/s."""
    line = BadLine(
        ("127.0.0.1", relay.port),
        Impairment(delay=0.02),
        Impairment(rate=kbit * 1000, queue=1.0, delay=0.02),
    )
    await line.start()
    relay.line = line
    session = await page.evaluate("subscribe('thin')")
    await asyncio.sleep(seconds / 2)
    half = await page.evaluate("stats('thin')")
    await asyncio.sleep(seconds / 2)
    end, view = await page.evaluate("stats('thin')"), relay.session(session)
    line.close()
    return {
        "kbit_s": kbit,
        "stands": view.rung,
        "height": end["video"].get("frameHeight"),
        "frozen_s": [half["video"].get("totalFreezesDuration"), end["video"].get("totalFreezesDuration")],
        "sound_lost": [half["audio"]["packetsLost"], end["audio"]["packetsLost"] - half["audio"]["packetsLost"]],
    }


async def main(codec: str, joins: int, seconds: int) -> None:
    async with chromium() as browser:
        async with lesson(browser, codec) as (relay, page):
            print(json.dumps({"codec": codec, "first_picture_ms": await first_pictures(page, joins)}), flush=True)
            print(json.dumps({"codec": codec, "change": await changes(relay, page, 1)}), flush=True)
        for kbit in (180, 350):
            async with lesson(browser, codec) as (relay, page):
                print(json.dumps({"codec": codec, "thin": await thin(relay, page, kbit, seconds)}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", choices=("H264", "VP8"), default="H264")
    parser.add_argument("--joins", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=24)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.codec, asked.joins, asked.seconds)))
