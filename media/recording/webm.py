"""WebM with VP8 and Opus (RFC 8794, RFC 9559), for the recordings of rooms that have no H264.

Written by hand, because libavformat begins a cluster at every key picture only in a file of a single track.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import itemgetter

from media.recording.depacketising import Picture
from media.recording.muxing import OPUS_HEAD, Run, Track

_NUMBERS: dict[Track, int] = {"picture": 1, "sound": 2}
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


class WebM(Run):
    """`first` is the key picture it begins with; None for sound alone."""

    extension = "webm"

    def __init__(self, first: Picture | None) -> None:
        super().__init__(pictures=first is not None)
        self.codecs = "vp8,opus" if first is not None else "opus"
        size = struct.unpack("<HH", first.parameters) if first is not None else ()
        self.header = _header([each & 0x3FFF for each in size])
        self._blocks: list[tuple[int, Track, bytes, bool]] = []
        self._last: dict[Track, int] = {"picture": -1, "sound": -1}
        self._written = -1
        self._finished = False

    def _put(self, track: Track, data: bytes, at: float, length: float, *, key: bool) -> float:
        time = max(round(at * 1000), self._last[track] + 1, self._written)
        self._last[track] = time
        self._blocks.append((time, track, data, key))
        return time / 1000

    def _pieces(self) -> list[bytes]:
        """A cluster is complete when the next one's beginning is there, and all the sound before it."""
        found: list[bytes] = []
        for key in list(self._starts)[1:]:
            if (self.sound_until or 0.0) < key and not self._finished:
                break
            found.append(self._cluster(round(key * 1000)))
        return [*found, self._cluster(None)] if self._finished and self._blocks else found

    def _cluster(self, until: int | None) -> bytes:
        """Takes the blocks before this time out, in the order of their times."""
        mine = [each for each in self._blocks if until is None or each[0] < until]
        self._blocks = self._blocks[len(mine) :] if until is None else [e for e in self._blocks if e[0] >= until]
        mine.sort(key=itemgetter(0))
        start, self._written = mine[0][0], mine[-1][0]
        blocks = [
            _element("A3", struct.pack(">BhB", 0x80 | _NUMBERS[track], time - start, 0x80 if key else 0) + data)
            for time, track, data, key in mine
        ]
        return _element("1F43B675", _number("E7", start) + b"".join(blocks))

    def _finish(self) -> None:
        self._finished = True


def _element(identifier: str, data: bytes) -> bytes:
    """EBML: identifier, size in eight octets, data."""
    return bytes.fromhex(identifier) + (1 << 56 | len(data)).to_bytes(8, "big") + data


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _header(size: Sequence[int]) -> bytes:
    """Everything before the first cluster; `size` is the picture's width and height, empty where there is none."""
    ebml = (
        _number("4286", 1) + _number("42F7", 1) + _number("42F2", 4) + _number("42F3", 8)
        + _element("4282", b"webm") + _number("4287", 4) + _number("4285", 2)
    )  # fmt: skip
    info = _number("2AD7B1", 1_000_000) + _element("4D80", b"sanke") + _element("5741", b"sanke")
    picture = (
        _number("D7", 1) + _number("73C5", 1) + _number("83", 1) + _element("86", b"V_VP8")
        + _element("E0", _number("B0", size[0]) + _number("BA", size[1]))
    ) if size else b""  # fmt: skip
    sound = (
        _number("D7", 2) + _number("73C5", 2) + _number("83", 2) + _element("86", b"A_OPUS")
        + _element("63A2", OPUS_HEAD) + _number("56BB", 80_000_000)
        + _element("E1", _element("B5", struct.pack(">f", 48_000)) + _number("9F", 2))
    )  # fmt: skip
    tracks = b"".join(_element("AE", track) for track in (picture, sound) if track)
    segment = _element("1549A966", info) + _element("1654AE6B", tracks)
    return _element("1A45DFA3", ebml) + bytes.fromhex("18538067") + _UNKNOWN_SIZE + segment
