"""From a drawn frame to RTP payloads: H264 constrained baseline (RFC 6184) or VP8 (RFC 7741)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
from av.video.frame import PictureType, VideoFrame

LARGEST_PAYLOAD = 1150
FRAMES_A_SECOND = 15
KEYFRAME_EVERY = 30
"""Frames; also whenever somebody asks."""
_ENCODERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}),
}


class VideoEncoder:
    """Encodes frames of one size, in the calling thread."""

    def __init__(self, codec: str, width: int, height: int) -> None:
        name, options = _ENCODERS[codec]
        context: Any = av.CodecContext.create(name, "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, FRAMES_A_SECOND), FRAMES_A_SECOND
        context.bit_rate, context.gop_size, context.thread_count = 500_000, KEYFRAME_EVERY, 1
        context.options = dict(options)
        self._context = context
        self._split: Callable[[bytes], Iterator[bytes]] = h264_payloads if codec == "H264" else vp8_payloads

    def encode(self, frame: VideoFrame, number: int, *, key: bool) -> list[bytes]:
        """The RTP payloads of a frame; a key picture where asked for."""
        frame.pts = number
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return [payload for packet in self._context.encode(frame) for payload in self._split(bytes(packet))]


def h264_payloads(stream: bytes) -> Iterator[bytes]:
    """Splits an Annex B access unit into single units and FU-A fragments."""
    for unit in units(stream):
        yield from unit_payloads(unit)


def unit_payloads(unit: bytes) -> Iterator[bytes]:
    """A NAL unit as one payload, or as FU-A fragments where it is too large (RFC 6184 §5.6, §5.8)."""
    if len(unit) <= LARGEST_PAYLOAD:
        yield unit
        return
    indicator, kind = unit[0] & 0xE0 | 28, unit[0] & 31
    for at in range(1, len(unit), LARGEST_PAYLOAD - 2):
        piece = unit[at : at + LARGEST_PAYLOAD - 2]
        first, last = at == 1, at + len(piece) == len(unit)
        yield bytes((indicator, first << 7 | last << 6 | kind)) + piece


def units(stream: bytes) -> Iterator[bytes]:
    """The NAL units between start codes (00 00 01); trailing zeros belong to the next start code."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        end = stream.find(b"\0\0\1", at + 3)
        unit = (stream[at + 3 : end] if end >= 0 else stream[at + 3 :]).rstrip(b"\0")
        if unit:
            yield unit
        at = end


def vp8_payloads(frame: bytes) -> Iterator[bytes]:
    """Splits a frame into payloads with the one-byte descriptor; the first is marked as the start of a partition."""
    for at in range(0, len(frame), LARGEST_PAYLOAD - 1):
        yield (b"\x10" if at == 0 else b"\x00") + frame[at : at + LARGEST_PAYLOAD - 1]
