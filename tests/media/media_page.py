"""A page with a publisher and a subscriber, without a web server: Python answers its offers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, Route, async_playwright

from media.events import PeerId, RoomId, SessionId, SourceName
from media.relay import Relay

ROOM, LEAD = RoomId("room"), SourceName("lead")
ADDRESS = "https://class.test/"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
PAGE = """<!doctype html><title>class</title><script>
const links = {};
const SIZES = [
  {rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 126_000}, {rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 432_000},
  {rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_242_000}];
async function publish(name, codec, sizes = 1) {
  const size = sizes > 1 ? {width: 1280, height: 720, frameRate: 25} : {width: 640, height: 360};
  const stream = await navigator.mediaDevices.getUserMedia({video: size, audio: true});
  const link = links[name] = new RTCPeerConnection();
  link.addTransceiver(stream.getAudioTracks()[0], {direction: 'sendonly'});
  const several = sizes > 1 ? {sendEncodings: SIZES.slice(-sizes)} : {};
  const video = link.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', ...several});
  if (codec) video.setCodecPreferences(
    RTCRtpSender.getCapabilities('video').codecs.filter(c => c.mimeType === 'video/' + codec));
  await link.setLocalDescription();
  const answer = await answerOffer('publish', name, link.localDescription.sdp);
  await link.setRemoteDescription({type: 'answer', sdp: answer.sdp});
  return answer.session;
}
async function subscribe(name) {
  const link = links[name] = new RTCPeerConnection();
  link.began = performance.now();
  const video = document.createElement('video');
  video.autoplay = true; video.srcObject = new MediaStream();
  document.body.append(video);
  link.ontrack = event => video.srcObject.addTrack(event.track);
  video.requestVideoFrameCallback(() => { link.pictureAfter = performance.now() - link.began; });
  link.addTransceiver('audio', {direction: 'recvonly'});
  link.addTransceiver('video', {direction: 'recvonly'});
  await link.setLocalDescription();
  const answer = await answerOffer('subscribe', name, link.localDescription.sdp);
  await link.setRemoteDescription({type: 'answer', sdp: answer.sdp});
  return answer.session;
}
async function stats(name) {
  const found = {pictureAfter: links[name].pictureAfter || null, ice: links[name].iceConnectionState};
  (await links[name].getStats()).forEach(s => {
    if (s.type === 'inbound-rtp' || s.type === 'outbound-rtp') found[s.kind] = s;
    if (s.type === 'codec' && s.mimeType.startsWith('video')) found.codec = s.mimeType;
    if (s.type === 'transport') found.cipher = s.srtpCipher;
  });
  return found;
}
async function restart(name) {
  const link = links[name];
  link.restartIce();
  await link.setLocalDescription(await link.createOffer({iceRestart: true}));
  const lines = link.localDescription.sdp.split('\\r\\n');
  const credentials = ['ice-ufrag', 'ice-pwd'].map(a => lines.find(line => line.startsWith('a=' + a)));
  const fragment = await restartFragment(name, credentials.join('\\r\\n') + '\\r\\n');
  const take = a => fragment.split('\\r\\n').find(line => line.startsWith('a=' + a));
  const sdp = link.remoteDescription.sdp.replace(/a=ice-ufrag:.*/g, take('ice-ufrag')).replace(/a=ice-pwd:.*/g, take('ice-pwd'));
  await link.setRemoteDescription({type: 'answer', sdp});
}
</script>"""


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A fresh headless browser with made-up camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=[*FLAGS, *flags]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def open_page(browser: Browser, relay: Relay, answers: list[str] | None = None) -> Page:
    """A page whose offers the relay answers; the name given by the page is the peer's id."""
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()
    sessions: dict[str, SessionId] = {}

    async def serve(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body=PAGE)

    async def answer_offer(kind: str, name: str, offer: str) -> dict[str, Any]:
        door = relay.publish if kind == "publish" else relay.subscribe
        answer = await door(ROOM, LEAD, PeerId(name), offer)
        sessions[name] = answer.session
        if answers is not None:
            answers.append(answer.sdp)
        return {"sdp": answer.sdp, "session": answer.session}

    async def restart_fragment(name: str, fragment: str) -> str:
        return (await relay.restart_ice(sessions[name], fragment)).sdp

    await page.route("**/*", serve)
    await page.expose_function("answerOffer", answer_offer)
    await page.expose_function("restartFragment", restart_fragment)
    await page.goto(ADDRESS)
    return page
