"""The test pattern and the tone: synthetic, and visibly so."""

from __future__ import annotations

import math
from array import array
from datetime import datetime
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from media.clients.lettering import character, letters

WIDTH, HEIGHT = 640, 360
INK, PAPER, GREY = 235, 34, 110
BARS = ((180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114))
"""Y, U, V of seven colours, at three quarters of full brightness."""
TONES = (392.0, 494.0, 587.0, 494.0)
"""Hertz; half a second each, so that the sound is plainly a signal and not a voice."""
LOUDNESS = 5000
RATE = 48_000
SAMPLES = 960


class Picture:
    """Draws the frames of the pattern."""

    def __init__(self) -> None:
        self._luma = bytearray([PAPER]) * (WIDTH * HEIGHT)
        self._chroma = [bytearray([tint]) * (WIDTH * HEIGHT // 4) for tint in (138, 122)]
        self._bars()
        for index, name in enumerate("合成演示"):
            self._draw(character(name, 76), 40 + 88 * index, 34, INK)
        self._draw(letters("SYNTHETIC", 5), 40, 132, GREY)

    def _bars(self) -> None:
        width = WIDTH // len(BARS) // 2 * 2
        for index, (luma, *tints) in enumerate(BARS):
            left = index * width
            right = WIDTH if index == len(BARS) - 1 else left + width
            for y in range(200, 270):
                self._luma[y * WIDTH + left : y * WIDTH + right] = bytes([luma]) * (right - left)
            for plane, tint in zip(self._chroma, tints, strict=True):
                for y in range(100, 135):
                    row = y * WIDTH // 2
                    plane[row + left // 2 : row + right // 2] = bytes([tint]) * ((right - left) // 2)

    def _draw(self, rows: list[bytes], left: int, top: int, ink: int, into: bytearray | None = None) -> None:
        luma = self._luma if into is None else into
        table = bytes([PAPER, ink]) + bytes(254)
        for y, row in enumerate(rows, top):
            luma[y * WIDTH + left : y * WIDTH + left + len(row)] = row.translate(table)

    def frame(self, index: int, at: datetime) -> VideoFrame:
        """The index-th frame, with the time `at` as a clock and a block that moves."""
        luma = bytearray(self._luma)
        self._draw(letters(at.strftime("%H:%M:%S"), 6), 300, 292, INK, luma)
        left = index * 8 % (WIDTH - 40)
        for y in range(180, 194):
            luma[y * WIDTH + left : y * WIDTH + left + 40] = bytes([INK]) * 40
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, data in zip(frame.planes, (luma, *self._chroma), strict=True):
            plane.update(_padded(data, plane.width, plane.line_size))
        return frame


def _padded(data: bytearray, width: int, line_size: int) -> bytes:
    if line_size == width:
        return bytes(data)
    gap = bytes(line_size - width)
    return b"".join(data[at : at + width] + gap for at in range(0, len(data), width))


def tone_packets() -> list[bytes]:
    """Two seconds of the tone as 100 Opus packets of 20 ms; they can be repeated without end."""
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.format, context.layout, context.bit_rate = RATE, "s16", "mono", 24_000
    packets: list[bytes] = []
    for number in range(101):  # the encoder holds one packet back at first
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.sample_rate, frame.pts = RATE, number * SAMPLES
        start = number % 100 * SAMPLES
        samples = array("h", (_sample(at) for at in range(start, start + SAMPLES)))
        frame.planes[0].update(samples.tobytes())
        packets += [bytes(packet) for packet in context.encode(frame)]
    packets += [bytes(packet) for packet in context.encode(None)]
    return packets[:100]


def _sample(at: int) -> int:
    step = RATE // 2
    tone, within = TONES[at // step % len(TONES)], at % step
    swell = math.sin(math.pi * within / step)
    return int(LOUDNESS * swell * math.sin(2 * math.pi * tone * within / RATE))
