"""An encoder's sound as Opus: decoded and encoded once, or passed on where it is Opus already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import av

RATE = 48_000
SAMPLES = 960
"""20 ms, the length that browsers send too."""
BITS_A_SECOND = {1: 40_000, 2: 64_000}
"""By channels: enough for speech in a room, and for music."""


class Sound(NamedTuple):
    """A packet of Opus: 20 ms, or as long as the encoder made it where it is passed on. `time` counts 1/48,000 s of the encoder's clock."""

    time: int
    payload: bytes


class Transcoder:
    """Turns frames of any rate and form into Opus frames of 20 ms."""

    def __init__(self, channels: int) -> None:
        layout = "stereo" if channels > 1 else "mono"
        encoder: Any = av.CodecContext.create("libopus", "w")
        encoder.sample_rate, encoder.layout, encoder.format = RATE, layout, "s16"
        encoder.bit_rate = BITS_A_SECOND[min(channels, 2) or 1]
        encoder.options = {"application": "audio", "frame_duration": "20"}
        self._encoder = encoder
        self._resampler = av.AudioResampler(format="s16", layout=layout, rate=RATE, frame_size=SAMPLES)

    def take(self, frame: Any) -> Iterator[Sound]:
        """The packets that this frame completes."""
        for each in self._resampler.resample(frame):
            for packet in self._encoder.encode(each):
                yield Sound(int(packet.pts * packet.time_base * RATE), bytes(packet))
