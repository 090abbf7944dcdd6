"""A whole class recorded in real time, then decoded by ffprobe and watched in Chromium; ``make recording-soak``.

It is no part of the test run: it lasts as long as the class. CLASS_SECONDS in the environment makes it shorter.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from recorded import stored
from school_day import SchoolDay
from steps import signed_in

from media.clients.synthetic import SyntheticPublisher
from media.events import MediaEvent, PeerId, RecordingEnded, RecordingId, RoomId, SourceName
from media.orders import Record
from media.relay import Relay
from media.values import RelayConfig

SECONDS = float(os.environ.get("CLASS_SECONDS", "600"))
ID, ROOM = RecordingId("5" * 32), RoomId("class")
VIDEO = "sanke.players[0].video"


async def record(folder: Path) -> RecordingEnded:
    """A class of SECONDS with its screen shown in the middle."""
    events: list[MediaEvent] = []
    relay = Relay(RelayConfig(folder=folder, must_stay_free=0), events.append)
    await relay.start()
    lead, screen = SyntheticPublisher(video_codecs=("H264",)), SyntheticPublisher(video_codecs=("H264",))

    async def begin(publisher: SyntheticPublisher, source: str) -> None:
        async def post(offer: str) -> str:
            return (await relay.publish(ROOM, SourceName(source), PeerId("teacher"), offer)).sdp

        await publisher.start(post)

    await begin(lead, "lead")
    await relay.carry_out(Record(ROOM, ID))
    await asyncio.sleep(SECONDS / 3)
    await begin(screen, "screen")
    await asyncio.sleep(SECONDS / 3)
    await screen.close()
    await asyncio.sleep(SECONDS / 3)
    await relay.carry_out(Record(ROOM, None))
    await lead.close()
    await relay.close()
    return next(event for event in events if isinstance(event, RecordingEnded))


def probed(path: Path) -> dict[str, dict[str, str]]:
    """What ffprobe decodes of each kind of track; a line of complaint is an error."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=True, timeout=600)
    assert done.stderr == ""
    return {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_whole_class(school_day: SchoolDay, browser: Browser) -> None:
    day = school_day
    lesson = await day.due_lesson(seconds=2400)
    ended = await record(day.settings.data_dir)
    folder = day.settings.data_dir / "recordings" / ID
    found = await asyncio.to_thread(probed, folder / "lead.m3u8")
    pictures, sounds = (int(found[kind]["nb_read_frames"]) for kind in ("video", "audio"))
    print(f"recorded {ended.seconds:.1f} s, {ended.octets} octets; decoded {pictures} pictures, {sounds} sounds")
    assert ended.seconds > SECONDS - 5
    assert pictures > 14.5 * (SECONDS - 5)
    assert sounds > 49.5 * (SECONDS - 5)
    await stored(day, lesson, ID)
    teacher = await signed_in(browser, day, "suyun")
    await teacher.page.goto(f"/recordings/{ID}")
    await expect(teacher.page.locator("#wait")).to_be_hidden()
    await teacher.page.evaluate(f"void {VIDEO}.play()")
    for at in (2.0, SECONDS / 2, SECONDS - 8):
        await teacher.page.evaluate(f"{VIDEO}.currentTime = {at}")
        for _ in range(100):
            await asyncio.sleep(0.2)
            now = await teacher.page.evaluate(f"{VIDEO}.currentTime")
            if now > at + 3:
                break
        heard = await teacher.page.evaluate(f"{VIDEO}.webkitAudioDecodedByteCount")
        shown = await teacher.page.evaluate(f"{VIDEO}.webkitDecodedFrameCount")
        print(
            f"Chromium at {at:.0f} s: got to {now:.1f} s; {shown} pictures and {heard} octets of sound decoded so far"
        )
        assert now > at + 3
    download = await teacher.context.request.get(f"{day.url}/recordings/{ID}/download/lead")
    whole = folder / "whole.mp4"
    whole.write_bytes(await download.body())
    again = await asyncio.to_thread(probed, whole)
    print(f"as one file: {whole.stat().st_size} octets, {again['video']['nb_read_frames']} pictures")
    assert int(again["video"]["nb_read_frames"]) == pictures
    assert teacher.errors == []
