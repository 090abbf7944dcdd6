"""RTP (RFC 3550) as far as a relay reads it: headers, sequence numbers, where a key picture begins."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER = struct.Struct("!BBHII")
"""First byte, marker and payload type, sequence number, timestamp, SSRC."""


class Packet(NamedTuple):
    """A parsed packet; `payload` excludes header extensions and padding."""

    marker: int
    """0 or 0x80, ready to be joined with a payload type."""
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(packet: bytes) -> Packet | None:
    """Reads an unprotected packet; None when it is malformed."""
    if len(packet) < 12:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
    if first == 0x80:  # nothing but the fixed header: what most packets have
        return Packet(second & 0x80, second & 0x7F, sequence, timestamp, ssrc, packet[12:])
    span = _payload_span(first, packet)
    if span is None:
        return None
    return Packet(second & 0x80, second & 0x7F, sequence, timestamp, ssrc, packet[span[0] : span[1]])


def repaired(packet: Packet, ssrc: int) -> Packet | None:
    """The packet of stream `ssrc` that a retransmission carries (RFC 4588 §4); None for one that carries none, as browsers send to
    probe their bandwidth."""
    if len(packet.payload) < 3:
        return None
    return packet._replace(sequence=int.from_bytes(packet.payload[:2], "big"), ssrc=ssrc, payload=packet.payload[2:])


def _payload_span(first: int, packet: bytes) -> tuple[int, int] | None:
    """From where to where the payload goes, by the first byte; None where lengths do not fit, or the version is not 2."""
    if first >> 6 != 2:
        return None
    start, end = 12 + 4 * (first & 15), len(packet)
    if first & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    if start > end:
        return None
    if first & 0x20:
        padding = packet[-1]
        if padding == 0 or start + padding > end:
            return None
        end -= padding
    return start, end


def extensions(packet: bytes) -> dict[int, bytes]:
    """The header extensions of a packet that `parse` has read, by id (RFC 8285: one- and two-byte forms); what is cut
    short is left out."""
    found: dict[int, bytes] = {}
    start = 12 + 4 * (packet[0] & 15)
    if not packet[0] & 0x10:
        return found
    profile, words = (
        int.from_bytes(packet[start : start + 2], "big"),
        int.from_bytes(packet[start + 2 : start + 4], "big"),
    )
    body = packet[start + 4 : start + 4 + 4 * words]
    wide = profile >> 4 == 0x100
    if not wide and profile != 0xBEDE:
        return found
    at = 0
    while at < len(body):
        if body[at] == 0:  # padding
            at += 1
            continue
        if wide:
            number, size, at = body[at], body[at + 1] if at + 1 < len(body) else len(body), at + 2
        else:
            number, size, at = body[at] >> 4, (body[at] & 15) + 1, at + 1
            if number == 15:
                break
        if at + size > len(body):
            break
        found[number] = body[at : at + size]
        at += size
    return found


def unwrap(number: int, near: int) -> int:
    """The full sequence number that ends in these 16 bits and lies nearest to `near`."""
    return near + ((number - near + 0x8000) & 0xFFFF) - 0x8000


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """True for the first packet of a picture that needs no other: H264 (RFC 6184: SPS or IDR) or VP8 (RFC 7741)."""
    if codec == "H264":
        return _h264_key(payload)
    if codec == "VP8":
        return _vp8_key(payload)
    return False


def _h264_key(payload: bytes) -> bool:
    if not payload:
        return False
    unit = payload[0] & 31
    if unit in (5, 7):
        return True
    if unit == 28 and len(payload) > 1:  # FU-A: only its first fragment begins a unit
        return bool(payload[1] & 0x80) and payload[1] & 31 in (5, 7)
    at = 1
    while unit == 24 and at + 2 < len(payload):  # STAP-A
        if payload[at + 2] & 31 in (5, 7):
            return True
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return False


def _vp8_key(payload: bytes) -> bool:
    if len(payload) < 2 or payload[0] & 0x1F != 0x10:  # start of partition 0
        return False
    at = 1
    if payload[0] & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += (1 if flags & 0x40 else 0) + (1 if flags & 0x30 else 0)
    return len(payload) > at and payload[at] & 1 == 0
