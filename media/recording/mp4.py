"""Fragmented MP4 with H264 and Opus, or Opus alone, written by libavformat without re-encoding."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av

from media.recording.depacketising import Picture
from media.recording.muxing import LAG, SOUND_ONLY_FRAGMENT, Run, Track

_RATES: dict[Track, int] = {"picture": 90_000, "sound": 48_000}
_BASES: dict[Track, Fraction] = {track: Fraction(1, rate) for track, rate in _RATES.items()}
_FLAGS = "empty_moov+default_base_moof+frag_discont+skip_trailer"


class Mp4(Run):
    """`first` is the key picture it begins with; None for sound alone. Raises av.FFmpegError for a key picture that libavformat
    cannot read."""

    extension = "m4s"

    def __init__(self, first: Picture | None) -> None:
        super().__init__(pictures=first is not None)
        self.codecs = f"avc1.{first.parameters[5:8].hex()},opus" if first is not None else "opus"
        self._data = bytearray()
        self._container: Any = av.open(self, "w", format="mp4", options=_options(pictures=first is not None))
        self._streams: dict[Track, Any] = {}
        if first is not None:
            with av.open(io.BytesIO(first.parameters + first.data), format="h264") as read:
                template = read.streams.video[0]  # with the size and the parameter sets
                self._streams["picture"] = self._container.add_stream_from_template(template, opaque=True)
        sound: Any = self._container.add_stream("libopus", rate=48_000)
        sound.layout = "stereo"
        self._streams["sound"] = sound
        for track, stream in self._streams.items():
            stream.time_base = _BASES[track]
            stream.id = 1 if track == "picture" else 2  # the same in every run: some players read only the first header
        self._container.start_encoding()
        self._last: dict[Track, int] = {"picture": -1, "sound": -1}

    def write(self, data: bytes) -> int:
        """libavformat writes here."""
        self._data += data
        return len(data)

    def _put(self, track: Track, data: bytes, at: float, length: float, *, key: bool) -> float:
        rate, packet = _RATES[track], av.Packet(data)
        time = max(round(at * rate), self._last[track] + 1)
        self._last[track] = time
        packet.stream, packet.time_base = self._streams[track], _BASES[track]
        packet.pts = packet.dts = time
        packet.duration = round(length * rate)
        packet.is_keyframe = key
        self._container.mux_one(packet)
        return time / rate

    def _pieces(self) -> list[bytes]:
        """ftyp with moov, then each moof with its mdat (ISO/IEC 14496-12 §4.2)."""
        found: list[bytes] = []
        data, at, begin = self._data, 0, 0
        while at + 8 <= len(data):
            size, kind = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
            if at + size > len(data):
                break
            at += max(8, size)
            if kind in (b"moov", b"mdat"):
                found.append(bytes(data[begin:at]))
                begin = at
        del data[:begin]
        if found and not self.header:
            self.header = found.pop(0)
        return found

    def _finish(self) -> None:
        self._container.close()


def _options(*, pictures: bool) -> dict[str, str]:
    """Absolute times, nothing written at the end, fragments at key pictures."""
    cut = {} if pictures else {"frag_duration": str(int(SOUND_ONLY_FRAGMENT * 1e6))}
    return cut | {
        "movflags": _FLAGS + ("+frag_keyframe" if pictures else ""),
        "use_stream_ids_as_track_ids": "1",
        "avoid_negative_ts": "disabled",
        "max_interleave_delta": str(int(LAG * 2e6)),
    }
