"""Recordings in a real browser: watched again with chapters, and as a way into the running class where UDP does not get out."""

from __future__ import annotations

import pytest
import small_county as sc
from playwright.async_api import Browser, Page, expect
from recorded import SECONDS, recorded
from school_day import SchoolDay
from steps import enrolled, signed_in
from waiting import until

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NO_UDP = """
const answer = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
  const sdp = description.sdp.replace(/^(a=candidate:.* )\\d+( typ host)/gm, "$19$2");
  return answer.call(this, { type: description.type, sdp });
};
"""
"""The relay's candidates lead to the discard port: what a firewall that drops UDP looks like."""
PLAYLIST = """#EXTM3U
#EXT-X-SANKE-BEGAN:2026-09-01T00:00:00.000Z
#EXT-X-SANKE-CODECS:vp8,opus
#EXT-X-MAP:URI="lead-h0.webm"
#EXT-X-PROGRAM-DATE-TIME:2026-09-01T00:00:00.000Z
#EXTINF:6.000,
lead-0.webm
"""
SHOWN = """async () => {
  const { SegmentPlayer } = await import("/static/live/segments.js");
  const video = document.createElement("video");
  const [gone, come] = [new MediaStream(), new MediaStream()];
  const shows = async (arrives) => {
    video.srcObject = gone;
    const player = new SegmentPlayer(video, "/made-up.m3u8", { live: true });
    if (arrives) player.addEventListener("playlist", () => (video.srcObject = come), { once: true });
    player.start();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const shown = [video.srcObject === come, video.src.startsWith("blob:")];
    player.stop();
    return shown;
  };
  return [await shows(false), await shows(true)];
}"""
"""Whether a video shows a session's stream, and whether it shows segments: where only the last picture of a session stood, and where a
new session comes while the playlist is read."""
LEAD = "sanke.players[0].video"


async def plays(page: Page, video: str, past: float, *, sound: bool = True) -> None:
    """The video gets past this time, with pictures and with sound that was decoded."""
    heard = f" && {video}.webkitAudioDecodedByteCount > 100" if sound else ""
    ask = f"({video}.currentTime > {past} && {video}.webkitDecodedFrameCount > 5{heard})"
    await until(lambda: page.evaluate(ask), ask)


async def test_a_recording_is_watched_again(school_day: SchoolDay, browser: Browser) -> None:
    """The camera is off in the middle: sound goes on alone, and the picture comes back."""
    day = school_day
    lesson = await day.due_lesson(seconds=2400)
    recording = await recorded(day, lesson, camera_off=range(3, 9))
    teacher = await signed_in(browser, day, "suyun")
    page = teacher.page
    await page.goto(f"/recordings/{recording}")
    await expect(page.locator("#wait")).to_be_hidden()
    await page.evaluate(f"{LEAD}.playbackRate = 2; {LEAD}.play()")
    await plays(page, LEAD, 1)
    await expect(page.locator("#replay")).to_have_attribute("data-screen", "")
    apart = "Math.abs(sanke.players[1].video.currentTime - sanke.players[0].video.currentTime)"
    await until(
        lambda: page.evaluate(f"sanke.players[1].video.currentTime > 4.5 && {apart} < 0.4"), "screen beside camera"
    )
    await plays(page, LEAD, 9.5)
    await until(lambda: page.evaluate(f"{LEAD}.ended || {LEAD}.currentTime > {SECONDS - 1}"), "it plays to its end")
    await page.evaluate(f"{LEAD}.currentTime = 0.5; {LEAD}.play()")
    await until(
        lambda: page.evaluate(f"{LEAD}.currentTime > 0.8 && {LEAD}.currentTime < 4"),
        "and once more from the beginning",
    )
    webm = await recorded(day, lesson, codec="VP8")
    await page.goto(f"/recordings/{webm}")
    await expect(page.locator("#wait")).to_be_hidden()
    await page.get_by_role("button", name="播放", exact=True).click()
    await plays(page, LEAD, 1)
    assert teacher.errors == []
    await teacher.close()


async def test_a_class_without_udp_watches_over_http(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    teacher = await signed_in(browser, day, "suyun")
    village = await enrolled(browser, day, sc.VILLAGE_ROOM)
    await village.context.add_init_script(NO_UDP)
    lesson = await day.due_lesson(seconds=600)
    await teacher.page.goto(f"/teach/{lesson}")
    await teacher.page.get_by_role("button", name="开始上课").click()
    await village.page.goto(f"/classroom/{lesson}")
    note = village.page.locator("#over-http")
    await expect(note).to_be_visible()
    await expect(note).to_contain_text("不计为到课")
    await plays(village.page, "document.getElementById('video')", 1)
    delay = await village.page.evaluate("sanke.overHttp.delay")
    assert 1 <= delay <= 15
    await expect(village.page.locator("#link-words")).to_contain_text("延迟约")
    await expect(village.page.locator("#recorded")).to_be_hidden()
    await teacher.page.get_by_role("button", name="开始录制").click()
    await expect(village.page.locator("#recorded")).to_be_visible()
    await expect(teacher.page.locator("#record")).to_contain_text("停止录制")
    await teacher.page.get_by_role("button", name="共享课件").click()
    await plays(village.page, "document.getElementById('screen-video')", 0.5, sound=False)
    for screen in (teacher, village):
        await screen.close()


async def test_segments_do_not_take_the_place_of_a_session_that_comes(school_day: SchoolDay, browser: Browser) -> None:
    room = await enrolled(browser, school_day, sc.VILLAGE_ROOM)
    await room.page.route("**/made-up.m3u8", lambda route: route.fulfill(body=PLAYLIST))
    assert await room.page.evaluate(SHOWN) == [[False, True], [True, False]]
    await room.close()
