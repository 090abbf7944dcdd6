"""The classroom page's own link (`api/static/live`) in a real Chromium, with the relay behind Playwright's routes instead of a web
server. Whatever the page fetches from `/whip` and `/whep` goes to the relay; its media may go through a bad line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from media_line import BadLine
from media_page import ADDRESS
from playwright.async_api import Browser, Page, Route

from media.errors import NoPublisher
from media.events import PeerId, RoomId, SessionId, SourceName
from media.relay import Relay

ROOM, LEAD = RoomId("room"), SourceName("lead")
STATIC = Path(__file__).parents[2] / "api" / "static"
PAGE = """<!doctype html><title>class</title><script type="application/json" id="view">{}</script>
<video autoplay playsinline></video>
<script type="module">
import { Publisher } from "/static/live/whip.js";
import { Subscriber } from "/static/live/whep.js";
const grant = (door, name) => async () => ({ url: `/${door}/${name}`, token: "t", iceServers: window.iceServers });
window.links = {};
window.publish = async (name) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  const link = (links[name] = new Publisher(grant("whip", name)));
  await link.send(stream);
  link.start();
};
window.subscribe = (name) => {
  const link = (links[name] = new Subscriber(grant("whep", name), document.querySelector("video")));
  link.began = performance.now();
  link.start();
};
window.stats = async (name) => {
  const link = links[name];
  const found = { state: link.state, sessions: link.sessions, restarts: link.restarts };
  for (const s of (await link.pc?.getStats())?.values() ?? []) {
    if (s.type === "inbound-rtp" || s.type === "outbound-rtp") found[s.kind] = s;
    if (s.type === "transport") found.cipher = s.srtpCipher;
    if (s.type === "candidate-pair" && s.nominated) found.local = link.pc && s.localCandidateId;
  }
  if (found.local) {
    const candidate = (await link.pc.getStats()).get(found.local);
    Object.assign(found, { candidate: candidate?.candidateType, relayProtocol: candidate?.relayProtocol });
  }
  return found;
};
window.ready = true;
</script>"""


async def open_link_page(
    browser: Browser, relay: Relay, line: BadLine | None = None, *, ice_servers: Sequence[dict[str, str]] = ()
) -> Page:
    """The page; its ``publish(name)`` and ``subscribe(name)`` make links in ``links``, ``stats(name)`` reads one."""
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()

    async def serve(route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS.rstrip("/")).partition("?")[0]
        if path.startswith("/static/"):
            await route.fulfill(path=STATIC / path.removeprefix("/static/"), content_type="text/javascript")
        elif path.startswith(("/whip/", "/whep/")):
            await _offered(route, path, relay, line)
        elif path.startswith("/media/"):
            await _changed(route, SessionId(path.removeprefix("/media/")), relay, line)
        else:
            await route.fulfill(status=200, content_type="text/html", body=PAGE)

    await page.route("**/*", serve)
    await page.goto(ADDRESS)
    await page.wait_for_function("window.ready")
    await page.evaluate("servers => { window.iceServers = servers; }", list(ice_servers))
    return page


async def _offered(route: Route, path: str, relay: Relay, line: BadLine | None) -> None:
    _, door, name = path.split("/")
    if line is not None:
        await asyncio.sleep(line.there.impairment.delay + line.back.impairment.delay)  # HTTP has the same way
    ask = relay.publish if door == "whip" else relay.subscribe
    try:
        answer = await ask(ROOM, LEAD, PeerId(name), route.request.post_data or "")
    except NoPublisher as error:
        await route.fulfill(status=409, headers={"Retry-After": str(error.retry_after)})
        return
    headers = {"Location": f"/media/{answer.session}", "ETag": f'"{answer.etag}"', "Content-Type": "application/sdp"}
    await route.fulfill(status=201, headers=headers, body=line.through(answer.sdp) if line else answer.sdp)


async def _changed(route: Route, session: SessionId, relay: Relay, line: BadLine | None) -> None:
    if route.request.method == "DELETE":
        await relay.close_session(session)  # even where the page's goodbye by DTLS came first
        await route.fulfill(status=200)
        return
    answer = await relay.restart_ice(session, route.request.post_data or "")
    headers = {"ETag": f'"{answer.etag}"', "Content-Type": "application/trickle-ice-sdpfrag"}
    await route.fulfill(status=200, headers=headers, body=line.through(answer.sdp) if line else answer.sdp)
