"""RTCP (RFC 3550, 4585, 5104) as far as a relay speaks it. The reader takes any bytes and never raises."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SR, RR, SDES, BYE, FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 202, 203, 205, 206
"""Packet types (RFC 3550 §12.1); the last two are the transport-layer and the payload-specific feedback of RFC 4585 §6.1."""
NACK, PLI, FIR, APPLICATION = 1, 1, 4, 15
"""Formats of feedback: generic NACK and picture loss indication (RFC 4585 §6.2.1, §6.3.1), full intra request (RFC 5104 §4.3.1), and the
application's own (RFC 4585 §6.4), which is how browsers send their estimate of the line (REMB, draft-alvestrand-rmcat-remb)."""
NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
MOST_NACKED = 512
"""Lost packets read out of one compound; more is abuse."""
MOST_BLOCKS = 64
"""Report blocks read out of one compound: two packets of 31, the most that one has room for (RFC 3550 §6.4.2)."""
_HEAD = struct.Struct("!BBH")
"""Version, padding and count (or format), packet type, length in words less one (RFC 3550 §6.4.1)."""
_REPORT = struct.Struct("!IQI")
_BLOCK = struct.Struct("!IIIIII")


class Block(NamedTuple):
    """A report block: how a receiver fares with one SSRC."""

    ssrc: int
    fraction: int
    lost: int
    """Cumulative, may be negative."""
    highest: int
    """Extended highest sequence number received."""
    jitter: int
    """In timestamp units."""
    last_sr: int
    delay: int
    """Since that sender report, in 1/65,536 s."""


class SenderReport(NamedTuple):
    """Which RTP time was which NTP time at the sender."""

    ssrc: int
    ntp: int
    rtp: int


class Feedback(NamedTuple):
    """What one compound packet says, all parts together."""

    reports: list[SenderReport]
    blocks: list[Block]
    nacks: list[tuple[int, int]]
    """(media SSRC, sequence number) of each packet asked for again."""
    keyframes: list[int]
    """Media SSRCs a key picture is asked for (PLI or FIR)."""
    byes: list[int]
    """SSRCs that have left."""
    limit: int | None = None
    """Bits a second its line carries, as a receiver estimates (REMB)."""


def _parts(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(count or format, packet type, body) of each well-formed part, up to the first malformed one."""
    at = 0
    while at + 4 <= len(compound):
        first, kind, words = _HEAD.unpack_from(compound, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            return
        body = compound[at + 4 : end]
        if first & 0x20:
            if not body or not 0 < body[-1] <= len(body):
                return
            body = body[: -body[-1]]
        yield first & 31, kind, body
        at = end


def parse(compound: bytes) -> Feedback:
    """Reads an unprotected compound, or a reduced-size packet; what cannot be read is left out."""
    found, limit = Feedback([], [], [], [], []), None
    for count, kind, body in _parts(compound):
        if kind in (SR, RR):
            at = 24 if kind == SR else 4
            if kind == SR and len(body) >= 24:
                found.reports.append(SenderReport(*_REPORT.unpack_from(body)))
            while at + 24 <= len(body) and len(found.blocks) < MOST_BLOCKS:
                found.blocks.append(_block(body, at))
                at += 24
        elif kind == FEEDBACK and count == NACK and len(body) >= 12:
            _read_nack(body, found.nacks)
        elif kind == PAYLOAD_FEEDBACK and count == PLI and len(body) >= 8:
            found.keyframes.append(int.from_bytes(body[4:8], "big"))
        elif kind == PAYLOAD_FEEDBACK and count == FIR and len(body) >= 16:
            found.keyframes.append(int.from_bytes(body[8:12], "big"))
        elif kind == PAYLOAD_FEEDBACK and count == APPLICATION and body[8:12] == b"REMB" and len(body) >= 16:
            rate = int.from_bytes(body[13:16], "big")
            limit = (rate & 0x3FFFF) << (rate >> 18)
        elif kind == BYE:
            found.byes.extend(
                int.from_bytes(body[i : i + 4], "big") for i in range(0, min(4 * count, len(body) - 3), 4)
            )
    return found._replace(limit=limit) if limit is not None else found


def _block(body: bytes, at: int) -> Block:
    ssrc, packed, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, at)
    lost = packed & 0xFFFFFF
    return Block(ssrc, packed >> 24, lost - 0x1000000 if lost & 0x800000 else lost, highest, jitter, last_sr, delay)


def _read_nack(body: bytes, into: list[tuple[int, int]]) -> None:
    ssrc = int.from_bytes(body[4:8], "big")
    for at in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, at)
        for bit in range(17):
            if (bit == 0 or mask >> (bit - 1) & 1) and len(into) < MOST_NACKED:
                into.append((ssrc, (first + bit) & 0xFFFF))


def _packet(count: int, kind: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def ntp(unix_seconds: float) -> int:
    """A Unix time in the 64-bit form of NTP."""
    return int((unix_seconds + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def sender_report(ssrc: int, *, ntp_time: int, rtp_time: int, packets: int, octets: int) -> bytes:
    """SR without report blocks; packets and octets since the beginning of the stream."""
    values = (ssrc, ntp_time, rtp_time & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    return _packet(0, SR, struct.pack("!IQIII", *values))


def receiver_report(ssrc: int, blocks: Sequence[Block]) -> bytes:
    """RR with up to 31 blocks."""
    body = struct.pack("!I", ssrc)
    for b in blocks:
        lost = max(-0x800000, min(0x7FFFFF, b.lost)) & 0xFFFFFF
        packed = (b.fraction & 255) << 24 | lost
        body += _BLOCK.pack(b.ssrc, packed, b.highest & 0xFFFFFFFF, b.jitter, b.last_sr, b.delay)
    return _packet(len(blocks), RR, body)


def description(ssrc: int, cname: str) -> bytes:
    """SDES with the canonical name that ties sound and picture to one clock."""
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(1, SDES, chunk + bytes(-len(chunk) % 4))


def goodbye(ssrcs: Sequence[int]) -> bytes:
    """BYE for these streams."""
    return _packet(len(ssrcs), BYE, struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def picture_loss(sender: int, media: int) -> bytes:
    """PLI: the stream needs a key picture."""
    return _packet(PLI, PAYLOAD_FEEDBACK, struct.pack("!II", sender, media))


def nack(sender: int, media: int, sequences: Sequence[int]) -> bytes:
    """Generic NACK (RFC 4585 §6.2.1) for these sequence numbers, given in rising order."""
    body, rest = struct.pack("!II", sender, media), list(sequences)
    while rest:
        first, mask = rest.pop(0), 0
        while rest and 0 < (rest[0] - first) & 0xFFFF <= 16:
            mask |= 1 << (((rest.pop(0) - first) & 0xFFFF) - 1)
        body += struct.pack("!HH", first & 0xFFFF, mask)
    return _packet(NACK, FEEDBACK, body)


def bitrate_limit(sender: int, media: Sequence[int], bits_per_second: int) -> bytes:
    """REMB: the most the publisher should send for all these streams together."""
    exponent = max(0, bits_per_second.bit_length() - 18)
    rate = exponent << 18 | bits_per_second >> exponent
    body = struct.pack("!II4sI", sender, 0, b"REMB", len(media) << 24 | rate) + struct.pack(f"!{len(media)}I", *media)
    return _packet(APPLICATION, PAYLOAD_FEEDBACK, body)
