"""H264 as an encoder sends it, made ready for a browser that joins at any moment; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator

from media.clients.encoding import units
from media.encoders.values import EncoderRefused

SLICE, KEY_SLICE, SPS, PPS = 1, 5, 7, 8
_LEFT_OUT = frozenset({9, 10, 11, 12})
"""Delimiters, ends of sequence and stream, filler: of no use in RTP."""
_B_SLICES = (1, 6)
MOST_UNITS = 512
"""NAL units of one picture; more is no picture."""


class AccessUnits:
    """Splits pictures into NAL units, from length prefixes (AVCC) or start codes (Annex B) as `extradata` tells.

    The parameter sets are kept and go before each key picture that comes without them; before any are known, none is one.
    """

    def __init__(self, extradata: bytes) -> None:
        self._prefix = 0
        """Octets of a length prefix; 0 where start codes are used."""
        if len(extradata) > 6 and extradata[0] == 1:
            self._prefix = (extradata[4] & 3) + 1
            found = list(_avcc_sets(extradata))
        else:
            found = list(units(extradata))
        self._sets = {kind: [unit for unit in found if unit[0] & 31 == kind] for kind in (SPS, PPS)}

    def split(self, picture: bytes) -> tuple[list[bytes], bool]:
        """The units of a picture, and whether it is a key picture. Raises EncoderRefused ``b_frames``, ``not_a_stream``."""
        found = [unit for unit in self._units(picture) if unit[0] & 31 not in _LEFT_OUT]
        if len(found) > MOST_UNITS:
            raise EncoderRefused("not_a_stream", "too many units")
        kinds = {unit[0] & 31 for unit in found}
        for kind in (SPS, PPS):
            if kind in kinds:
                self._sets[kind] = [unit for unit in found if unit[0] & 31 == kind]
        if any(_slice_type(unit) in _B_SLICES for unit in found if unit[0] & 31 == SLICE):
            raise EncoderRefused("b_frames")
        key = KEY_SLICE in kinds and all(self._sets.values())
        if key:
            found = [unit for kind in (SPS, PPS) if kind not in kinds for unit in self._sets[kind]] + found
        return found, key

    def _units(self, picture: bytes) -> Iterator[bytes]:
        if not self._prefix:
            yield from units(picture)
            return
        at = 0
        while at + self._prefix < len(picture):
            size = int.from_bytes(picture[at : at + self._prefix], "big")
            at += self._prefix
            unit = picture[at : at + size]
            if len(unit) < size:
                return  # cut short
            if unit:
                yield unit
            at += size


def _avcc_sets(record: bytes) -> Iterator[bytes]:
    """The parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1)."""
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(record):
            return
        count = record[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            unit = record[at + 2 : at + 2 + size]
            if not unit:
                return
            yield unit
            at += 2 + size


def _slice_type(unit: bytes) -> int:
    """`slice_type` of a slice header (ITU-T H.264 §7.3.3): the second number after the unit's first octet."""
    head = unit[1:24].replace(b"\0\0\3", b"\0\0")
    bits, left = int.from_bytes(head, "big"), 8 * len(head)
    value = -1
    for _ in range(2):
        zeros = left - (bits & ((1 << left) - 1)).bit_length()
        if 2 * zeros + 1 > left:
            return -1
        left -= 2 * zeros + 1
        value = (bits >> left & ((1 << (zeros + 1)) - 1)) - 1
    return value
