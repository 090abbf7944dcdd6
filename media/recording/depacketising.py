"""From RTP payloads back to what was encoded: H264 (RFC 6184), VP8 (RFC 7741), Opus (RFC 7587).

A picture comes out whole or not at all, and after a loss none comes out before the next key picture: freeze, do not tear.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from media.packets import rtp
from media.recording.reordering import Ordered

LARGEST_PICTURE = 4 << 20
"""Octets; a longer one is an error or an attack."""
_START = b"\0\0\0\1"
_SLICE, _IDR, _SPS, _PPS, _DELIMITER, _STAP_A, _FU_A = 1, 5, 7, 8, 9, 24, 28


class Picture(NamedTuple):
    """One encoded picture."""

    timestamp: int
    at: float
    """When its last packet arrived, monotonic seconds."""
    data: bytes
    """H264: Annex B, without access unit delimiters. VP8: the frame."""
    key: bool
    parameters: bytes
    """What a file's header must say of the stream: H264 parameter sets (Annex B), VP8 width and height. A change of it
    begins a new header. Of a picture that is no key picture: empty."""


class Depacketiser(Protocol):
    """Packets in order in, pictures out."""

    def put(self, packet: Ordered) -> list[Picture]: ...


def depacketiser(codec: str) -> Depacketiser | None:
    """The one for a video codec; None for a codec that is not recorded."""
    return H264() if codec == "H264" else VP8() if codec == "VP8" else None


class H264:
    """Single NAL units, STAP-A and FU-A (packetization mode 1) into access units."""

    def __init__(self) -> None:
        self._units: list[bytes] = []
        self._fragments: list[bytes] | None = None
        self._size = 0
        self._timestamp = -1
        self._at = 0.0
        self._damaged = True  # until a key picture begins
        self._ended = True  # the last packet ended a picture
        self._parameters: dict[int, bytes] = {}

    def put(self, packet: Ordered) -> list[Picture]:
        """The pictures this packet completes: one by its marker, or one before it that ended without."""
        kept, found = packet.kept, []
        if not kept.payload:
            return []
        if kept.timestamp != self._timestamp:
            if not packet.after_loss:
                found += self._take()
            self._drop()
            self._ended, self._timestamp = True, kept.timestamp
        if packet.after_loss:
            self._drop()
            self._damaged, self._ended = True, False
        if self._damaged and rtp.starts_keyframe("H264", kept.payload):
            # after a loss, only the parameter sets tell that nothing of the key picture is missing
            self._damaged = not (self._ended or _SPS in _kinds(kept.payload))
        self._ended, self._at = bool(kept.marker), packet.at
        if self._damaged:
            return found
        if not self._add(kept.payload):
            self._drop()
            self._damaged = True
        elif kept.marker:
            found += self._take()
        return found

    def _drop(self) -> None:
        self._units, self._fragments, self._size = [], None, 0

    def _add(self, payload: bytes) -> bool:
        """Takes the units of a payload; False where it is malformed."""
        self._size += len(payload)
        kind = payload[0] & 31
        if self._size > LARGEST_PICTURE:
            return False
        if kind == _FU_A:
            return self._add_fragment(payload)
        if self._fragments is not None:
            return False
        if kind == _STAP_A:
            units = _aggregated(payload)
            self._units += units or []
            return bool(units)
        if not 1 <= kind <= 23:
            return False
        self._units.append(payload)
        return True

    def _add_fragment(self, payload: bytes) -> bool:
        if len(payload) < 3:
            return False
        header = payload[1]
        if header & 0x80:
            if self._fragments is not None:
                return False
            self._fragments = [bytes((payload[0] & 0xE0 | header & 31,))]
        if self._fragments is None:
            return False
        self._fragments.append(payload[2:])
        if header & 0x40:
            self._units.append(b"".join(self._fragments))
            self._fragments = None
        return True

    def _take(self) -> list[Picture]:
        """The picture gathered, if there is a whole one."""
        units = [unit for unit in self._units if unit[0] & 31 != _DELIMITER]
        whole = bool(units) and self._fragments is None and not self._damaged
        if self._fragments is not None:
            self._damaged = True
        self._drop()
        kinds = {unit[0] & 31 for unit in units}
        if not whole or not kinds & {_SLICE, _IDR}:
            return []
        key = _IDR in kinds
        if key:
            found = {kind: b"".join(_START + u for u in units if u[0] & 31 == kind) for kind in (_SPS, _PPS)}
            self._parameters.update({kind: joined for kind, joined in found.items() if joined})
            if len(self._parameters) < 2:
                self._damaged = True
                return []
        data = b"".join(_START + unit for unit in units)
        parameters = self._parameters[_SPS] + self._parameters[_PPS] if key else b""
        return [Picture(self._timestamp, self._at, data, key, parameters)]


def _aggregated(payload: bytes) -> list[bytes] | None:
    """The units of a STAP-A; None where it is malformed."""
    at, units = 1, []
    while at < len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2], "big")
        if at + 2 >= end or end > len(payload):
            return None
        units.append(payload[at + 2 : end])
        at = end
    return units


def _kinds(payload: bytes) -> set[int]:
    kind = payload[0] & 31
    return {unit[0] & 31 for unit in _aggregated(payload) or []} if kind == _STAP_A else {kind}


class VP8:
    """Payloads with the descriptor of RFC 7741 §4.2 into frames."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._timestamp = -1
        self._at = 0.0
        self._damaged = True

    def put(self, packet: Ordered) -> list[Picture]:
        """The picture this packet completes by its marker, if any."""
        kept = packet.kept
        if not kept.payload:
            return []
        start = _vp8_descriptor(kept.payload)
        begins = start is not None and kept.payload[0] & 0x17 == 0x10
        if packet.after_loss or start is None or (kept.timestamp != self._timestamp and not begins):
            self._damaged, self._parts = True, []
        if kept.timestamp != self._timestamp:
            if self._parts:  # the picture before it lacks its end
                self._damaged = True
            self._parts, self._size, self._timestamp = [], 0, kept.timestamp
        if self._damaged and begins and rtp.starts_keyframe("VP8", kept.payload):
            self._damaged = False
        self._size += len(kept.payload)
        if self._damaged or self._size > LARGEST_PICTURE:
            self._damaged, self._parts = True, []
            return []
        self._parts.append(kept.payload[start:])
        self._at = packet.at
        return [self._take()] if kept.marker else []

    def _take(self) -> Picture:
        data, self._parts = b"".join(self._parts), []
        key = not data[0] & 1
        return Picture(self._timestamp, self._at, data, key, data[6:10] if key else b"")


def _vp8_descriptor(payload: bytes) -> int | None:
    """Where the frame's octets begin; None where the descriptor is malformed or nothing follows it."""
    at = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += (1 if flags & 0x40 else 0) + (1 if flags & 0x30 else 0)
    return at if at < len(payload) else None


_FRAME_MS = (10, 20, 40, 60)


def opus_seconds(packet: bytes) -> float | None:
    """How long an Opus packet sounds (RFC 6716 §3.1); None where it is malformed."""
    if not packet:
        return None
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = float(_FRAME_MS[config & 3])
    elif config < 16:
        frame = 10.0 * (1 + (config & 1))
    else:
        frame = 2.5 * (1 << (config & 3))
    if code == 3 and len(packet) < 2:
        return None
    frames = (1, 2, 2, packet[1] & 63 if code == 3 else 0)[code]
    return frame * frames / 1000 if 0 < frames * frame <= 120 else None
