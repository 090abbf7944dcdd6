"""A finished recording of a lesson: real files, made without waiting for the time to pass."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import small_county as sc
from school_day import SchoolDay

from media.clients.encoding import FRAMES_A_SECOND, VideoEncoder
from media.clients.pattern import HEIGHT, WIDTH, Picture, tone_packets
from media.packets.sequence import Kept
from media.recording.assembly import Assembly
from media.recording.depacketising import depacketiser
from media.recording.folder import Folder, Rendition, contents
from media.recording.reordering import Ordered
from rooms.tables import Recording

SECONDS = 14


def write(folder: Path, source: str, codec: str, began: datetime, first: int, last: int, camera_off: range) -> None:
    """One rendition of the test pattern and the tone from second to second; while the camera is off, sound alone."""
    files = Folder(folder, "room", must_stay_free=0, durable=False)
    rendition = Rendition(files, source, began, None)
    assembly, pictures = Assembly(rendition), depacketiser(codec)
    assert pictures is not None
    encoder, drawing, tone = VideoEncoder(codec, WIDTH, HEIGHT), Picture(), tone_packets()
    number = sounds = 0
    for index in range(first * FRAMES_A_SECOND, last * FRAMES_A_SECOND):
        at = index / FRAMES_A_SECOND
        while first + sounds * 0.02 <= at:
            assembly.sound(tone[sounds % 100], first + sounds * 0.02)
            sounds += 1
        payloads = encoder.encode(drawing.frame(index, began + timedelta(seconds=at)), index, key=False)
        for place, payload in enumerate(payloads, 1):
            number += 1
            kept = Kept(number, 0x80 if place == len(payloads) else 0, index * 6000, payload)
            if int(at) not in camera_off:
                for picture in pictures.put(Ordered(kept, at, after_loss=False)):
                    assembly.picture(codec, picture, at)
    assembly.close()
    rendition.end()
    files.keep_files()
    files.close()


async def recorded(day: SchoolDay, lesson: str, *, codec: str = "H264", camera_off: range = range(0)) -> str:
    """The recording's id; the camera for all its seconds, the screen from the fourth to the eighth."""
    recording, began = uuid.uuid4().hex, day.clock.now()
    folder = day.settings.data_dir / "recordings" / recording
    await asyncio.to_thread(write, folder, "lead", codec, began, 0, SECONDS, camera_off)
    await asyncio.to_thread(write, folder, "screen", codec, began, 4, 8, range(0))
    return await stored(day, lesson, recording)


async def stored(day: SchoolDay, lesson: str, recording: str) -> str:
    """What lies in the recording's folder, as a recording of the lesson that began now."""
    began, held = day.clock.now(), contents(day.settings.data_dir / "recordings" / recording)
    async with day.store.write() as session:
        session.add(
            Recording(
                id=recording,
                occurrence_id=lesson,
                county=sc.COUNTY,
                state="complete",
                started_at=began,
                started_by="account:suyun",
                ended_at=began + timedelta(seconds=held.seconds),
                seconds=round(held.seconds),
                octets=held.octets,
                keep_until=began + timedelta(days=180),
            )
        )
    return recording
