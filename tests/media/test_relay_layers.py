"""Layers of a track: taps, and subscribers that change between them."""

from __future__ import annotations

import pytest
from media_world import LEAD, ROOM, ScriptedPublisher, join, until

from media.layer import Layer
from media.peer import PAYLOAD_TYPES
from media.relay import Relay
from media.sequence import Kept

H264 = PAYLOAD_TYPES["H264"]


class Listening:
    """A tap that notes numbers, and one that breaks when told so."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.numbers: list[int] = []
        self._breaks = breaks

    def take(self, layer: Layer, kept: Kept, now: float) -> None:
        self.numbers.append(kept.number)
        if self._breaks:
            raise ValueError("no disk")


async def test_taps_hear_every_packet_and_harm_nobody(
    relay: Relay, teacher: ScriptedPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    (layer,) = relay._publications[ROOM, LEAD].layers_of("video")
    good, bad = Listening(), Listening(breaks=True)
    layer.taps |= {good, bad}
    pupil, _ = await join(relay, "pupil")
    teacher.frame(key=True)
    lost = teacher.video_sequence
    teacher.video_sequence += 1
    teacher.frame()
    await until(lambda: H264 in pupil.streams and pupil.streams[H264].packets == 6)
    teacher.video(b"\x41late", sequence=lost)
    await until(lambda: len(good.numbers) == 7)
    first = good.numbers[0]
    assert good.numbers == [first + n for n in (0, 1, 2, 4, 5, 6, 3)], (
        "in order of arrival, numbered in order of sending"
    )
    assert len(bad.numbers) == 1
    assert layer.taps == {good}
    assert "media_tap_failed" in caplog.text
    await pupil.close()
