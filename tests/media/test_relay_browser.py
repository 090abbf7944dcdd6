"""A real Chromium publishes, watches, drops out, comes back and restarts ICE."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from media_page import chromium, open_page
from media_world import LEAD, ROOM, only
from playwright.async_api import Page
from waiting import SOON, until

from media.clients.synthetic import SyntheticPublisher
from media.events import Disconnected, MediaEvent, MediaSlot, PeerId
from media.ladder import Place, Standing
from media.orders import ChooseRung
from media.relay import Relay
from media.values import RelayConfig

pytestmark = pytest.mark.browser


@pytest.fixture
def config() -> RelayConfig:
    """The usual grace: a browser reports on sound every 2.5 to 7.5 s."""
    return RelayConfig(slot_seconds=1.0)


async def watch(page: Page, name: str, seconds: float = 15.0) -> dict[str, Any]:
    """The stats of a link once pictures and sound grow in it."""
    end, first = time.monotonic() + seconds, None
    while time.monotonic() < end:
        found: dict[str, Any] = await page.evaluate(f"stats('{name}')")
        video, audio = found.get("video", {}), found.get("audio", {})
        now = (video.get("framesDecoded", 0), audio.get("totalAudioEnergy", 0.0))
        if first is None and min(now) > 0:
            first = now
        elif first is not None and now[0] > first[0] + 5 and now[1] > first[1]:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} sees or hears nothing: {found}")


async def apart(page: Page, name: str, seconds: float = 10.0) -> float:
    """Milliseconds between the sender's times of the picture shown and the sound heard, once sender reports have told them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found: dict[str, Any] = await page.evaluate(f"stats('{name}')")
        times = [found.get(kind, {}).get("estimatedPlayoutTimestamp") for kind in ("video", "audio")]
        if all(times):
            return float(times[0] - times[1])
        await asyncio.sleep(0.1)
    raise AssertionError("no clock")


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_class_in_a_real_browser(codec: str, relay: Relay, events: list[MediaEvent]) -> None:
    async with chromium() as browser:
        lead = await open_page(browser, relay)
        await lead.evaluate(f"publish('teacher', '{codec}')")
        await until(lambda: relay.totals().publishers)
        page = await open_page(browser, relay)
        for name in ("one", "two"):
            await page.evaluate(f"subscribe('{name}')")
        for name in ("one", "two"):
            stats = await watch(page, name)
            assert stats["codec"] == f"video/{codec}"
            assert stats["cipher"] == "SRTP_AEAD_AES_128_GCM"
            assert max(stats["video"]["packetsLost"], stats["audio"]["packetsLost"]) <= 5
        assert abs(await apart(page, "one")) < 3000, "sound and picture are on one clock, not decades apart"
        await page.evaluate("restart('one')")
        await watch(page, "one")
        await page.evaluate("links['two'].close()")
        await until(lambda: only(events, Disconnected, peer="two"), seconds=SOON)
        await page.evaluate("subscribe('two')")
        await watch(page, "two")
        await asyncio.sleep(1.2)
        await page.evaluate("subscribe('late')")
        late = await watch(page, "late")
        assert late["pictureAfter"] < 3000, "milliseconds from the offer; a tenth of a second on an idle machine"
        slots = [slot for slot in only(events, MediaSlot, peer="one") if slot.acknowledged]
        assert slots
        assert max((slot.acknowledged or 0) / slot.packets for slot in slots) >= 0.9
    for slot in only(events, MediaSlot):
        assert (slot.acknowledged or 0) <= slot.packets


async def heights(page: Page, wanted: dict[str, int]) -> None:
    """Waits until each link shows a picture of its height."""
    end, found = time.monotonic() + 15, {}
    while found != wanted:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)
        shown = {name: (await page.evaluate(f"stats('{name}')"))["video"] for name in wanted}
        found = {name: video.get("frameHeight") for name, video in shown.items()}


async def longest_stands(page: Page, names: tuple[str, ...], seconds: float) -> dict[str, float]:
    """The longest time for which each link decodes no picture."""
    end = time.monotonic() + seconds
    since, frames, longest = dict.fromkeys(names, time.monotonic()), dict.fromkeys(names, -1), dict.fromkeys(names, 0.0)
    while (now := time.monotonic()) < end:
        for name in names:
            decoded = (await page.evaluate(f"stats('{name}')"))["video"]["framesDecoded"]
            longest[name] = max(longest[name], now - since[name])
            if decoded != frames[name]:
                since[name], frames[name] = now, decoded
        await asyncio.sleep(0.05)
    return longest


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_each_classroom_on_its_own_layer(codec: str, relay: Relay) -> None:
    def stand(name: str, place: Place) -> None:
        """Puts a receiver on the ladder where its line would, and keeps it there."""
        receiver = relay._rooms[ROOM].receivers[PeerId(name)]
        receiver._standing = Standing(place, changed_at=float("inf"))
        receiver.assign(relay.monotonic())

    async with chromium() as browser:
        lead = await open_page(browser, relay)
        await lead.evaluate(f"publish('teacher', '{codec}', 3)")
        await until(lambda: all(v.keyframes for v in relay.snapshot(ROOM).layers if v.kind == "video"))
        page = await open_page(browser, relay)
        for name in ("steady", "less", "least", "ear"):
            await page.evaluate(f"subscribe('{name}')")
        await heights(page, {"steady": 720, "less": 720, "least": 720})
        stand("less", Place("full", 1))
        stand("least", Place("full", 2))
        await relay.carry_out(ChooseRung(ROOM, PeerId("ear"), "audio"))
        await heights(page, {"steady": 720, "less": 360, "least": 180})
        deaf = await page.evaluate("stats('ear')")
        standing = asyncio.create_task(longest_stands(page, ("steady", "less", "least"), 4))
        await asyncio.sleep(1)
        stand("less", Place("full", 2))
        stand("least", Place("full", 0))
        longest = await standing
        for name in ("less", "least"):
            assert longest[name] <= max(1.0, 3 * longest["steady"]), "no frozen second, as far as the machine keeps up"
        await heights(page, {"steady": 720, "less": 180, "least": 720})
        now = await page.evaluate("stats('ear')")
        assert now["video"]["framesDecoded"] == deaf["video"]["framesDecoded"]
        assert now["audio"]["packetsReceived"] > deaf["audio"]["packetsReceived"] + 100
        await relay.carry_out(ChooseRung(ROOM, PeerId("ear"), None))
        await watch(page, "ear")
        for name in ("steady", "less", "least", "ear"):
            stats = await page.evaluate(f"stats('{name}')")
            assert stats["pictureAfter"] < 3000, "milliseconds from the offer; a tenth of a second on an idle machine"
            assert stats["video"]["packetsLost"] <= 5, "changes of layer are no gaps"


async def test_the_synthetic_class_can_be_watched(relay: Relay) -> None:
    publisher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("synthetic"), offer)).sdp

    await publisher.start(post)
    async with chromium() as browser:
        page = await open_page(browser, relay)
        await page.evaluate("subscribe('pupil')")
        stats = await watch(page, "pupil")
        assert stats["video"]["frameHeight"] == 360
    await publisher.close()
