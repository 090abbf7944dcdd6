"""The classroom page's own link in a real Chromium over a bad line: it repairs sound, follows a new address, and restarts ICE."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from media_line import BadLine, Impairment
from media_link import LEAD, ROOM, open_link_page
from media_page import chromium
from media_world import only
from playwright.async_api import Page
from waiting import until

from media.clients.synthetic import SyntheticPublisher
from media.events import Connected, MediaEvent, PeerId
from media.relay import Relay

pytestmark = pytest.mark.browser


async def audio(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("stats('pupil')")
    return found | found.get("audio", {})


async def heard(page: Page, more_than: int, seconds: float = 10.0) -> dict[str, Any]:
    """The stats once more than so many packets of sound have come."""
    for _ in range(int(seconds / 0.05)):
        found = await audio(page)
        if found.get("packetsReceived", 0) > more_than:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_the_page_lives_on_a_bad_line(relay: Relay, events: list[MediaEvent]) -> None:
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    line = BadLine(("127.0.0.1", relay.port), Impairment(loss=0.15, delay=0.075), seed=11)
    await line.start()
    async with chromium() as browser:
        page = await open_link_page(browser, relay, line)
        await page.evaluate("subscribe('pupil')")
        found = await heard(page, 120)
        assert found["cipher"] == "SRTP_AEAD_AES_128_GCM"
        assert found["nackCount"] > 0
        assert found["packetsReceived"] / (found["packetsReceived"] + found["packetsLost"]) > 0.92, (
            "0.85 without repair"
        )
        await page.wait_for_function("links.pupil.pc.getReceivers()[0].jitterBufferTarget > 200")

        line.become(loss=0.0)
        for times in (1, 2):
            line.rebind()
            await until(lambda n=times: len(line.gaps) == n)
        assert max(line.gaps) < 3.0
        found = await audio(page)
        assert found["sessions"] == 1
        await heard(page, found["packetsReceived"] + 50)

        session = only(events, Connected, peer="pupil")[0].session
        before = relay.session(session).etag
        line.cut = True
        await until(lambda: relay.session(session).etag != before)
        line.cut = False
        now = await audio(page)
        found = await heard(page, now["packetsReceived"] + 50)
        assert (found["sessions"], len(only(events, Connected, peer="pupil"))) == (1, 1), (
            "the session outlived the outage"
        )
        await until_restarted(page)
    await teacher.close()
    line.close()


async def until_restarted(page: Page) -> None:
    """The page saw that the relay answers under the new credentials."""
    for _ in range(100):
        found = await audio(page)
        if found["restarts"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_room_that_moves_unseen_is_a_new_session_all_the_same(relay: Relay) -> None:
    """The link is connected all along, while the old worker still sends: what was said of the old session is said again."""
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        await page.evaluate("subscribe('pupil')")
        await heard(page, 50)
        await page.evaluate("""() => {
          window.told = [];
          for (const name of ["state", "session"]) links.pupil.addEventListener(name, () => told.push(name));
          window.dispatchEvent(new Event("relay-moved"));
        }""")
        await page.wait_for_function("links.pupil.sessions === 2")
        assert await page.evaluate("told") == ["session"]
    await teacher.close()


async def test_a_move_without_a_ticket_at_first_keeps_the_old_session(relay: Relay) -> None:
    """No worker has announced itself yet, so no ticket is given: the old worker sends on meanwhile."""
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        await page.evaluate("subscribe('pupil')")
        await heard(page, 50)
        await page.evaluate("""() => {
          const link = links.pupil;
          const { grant, pc } = link;
          window.told = [];
          link.addEventListener("state", () => told.push(link.state));
          link.grant = async () => {
            told.push(pc.connectionState);
            if (told.length < 3) throw new Error("no ticket yet");
            return grant();
          };
          window.dispatchEvent(new Event("relay-moved"));
        }""")
        await page.wait_for_function("links.pupil.sessions === 2")
        assert await page.evaluate("told") == ["connected"] * 3
        assert (await audio(page))["state"] == "connected"
    await teacher.close()


async def test_a_link_that_begins_anew_while_it_leaves_is_there_afterwards(relay: Relay) -> None:
    """A camera that is closed and opened again at once, while a ticket is waited for on a slow line."""
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        await page.evaluate("subscribe('pupil')")
        await heard(page, 50)
        await page.evaluate("""() => {
          const link = links.pupil;
          Promise.all([link.stop(), link.stop()]);
          link.start();
        }""")
        await page.wait_for_function("links.pupil.sessions === 2")
        await page.evaluate("() => { links.pupil.stop(); links.pupil.start(); return links.pupil.stop(); }")
        assert await page.evaluate("[links.pupil.state, links.pupil.pc]") == ["closed", None]
    await teacher.close()


VOICE = """async () => {
  const { Voice } = await import("/static/live/voice.js");
  window.tracks = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    if (wanted.audio && window.unplugged) throw new DOMException("", "NotFoundError");
    const stream = await ask(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.voice = new Voice(() => "");
  window.running = () => tracks.filter((each) => each.readyState === "live").map((each) => each.kind).sort();
}"""


async def test_no_camera_stays_open_that_was_closed(relay: Relay) -> None:
    """Whoever is asked for a permission presses twice, or has thought better of it."""
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        await page.evaluate(VOICE)
        await page.evaluate("Promise.all([voice.start(), voice.start()])")
        assert await page.evaluate("running()") == ["audio", "video"]
        await page.evaluate("voice.stop()")
        assert await page.evaluate("running()") == []
        await page.evaluate("Promise.all([voice.start(), voice.stop()])")
        assert await page.evaluate("[running(), voice.open]") == [[], False]
        await page.evaluate("Promise.all([voice.start(), voice.stop(), voice.start()])")
        assert await page.evaluate("[running(), voice.open]") == [["audio", "video"], True]


async def test_a_microphone_that_was_missing_can_be_opened_beside_the_camera(relay: Relay) -> None:
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        await page.evaluate(VOICE)
        await page.evaluate("() => { window.unplugged = true; return voice.start(); }")
        assert await page.evaluate("running()") == ["video"]
        await page.evaluate("() => { window.unplugged = false; return voice.start(); }")
        assert await page.evaluate("running()") == ["audio", "video"]
        assert await page.evaluate("voice.devices") == {"camera": True, "microphone": True}


@pytest.mark.parametrize(("status", "left"), [(503, 1), (401, 1), (429, 1), (409, 0)])
async def test_evidence_is_forgotten_only_where_it_is_refused_for_good(relay: Relay, status: int, left: int) -> None:
    """Whose sign-in ran out while the line was down hands it in afterwards."""
    async with chromium() as browser:
        page = await open_link_page(browser, relay)
        kept = await page.evaluate(
            """async (status) => {
              const { Kept } = await import("/static/live/kept.js");
              window.fetch = async () => Response.json({ status, code: "refused" }, { status });
              const kept = new Kept("one");
              kept.add("head_count", { present: 40 }, Date.now());
              await kept.handIn();
              return JSON.parse(localStorage.getItem(kept.place) ?? "[]").length;
            }""",
            status,
        )
        assert kept == left
