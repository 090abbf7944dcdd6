"""H264 from encoders, without decoding: both framings, parameter sets before key pictures, and the order of pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.encoders.h264 import AccessUnits
from media.encoders.values import EncoderRefused

SPS, PPS, KEY, DELTA = b"\x67\x42\xc0\x1f", b"\x68\xce\x0f", b"\x65\x88\x84", b"\x41\x9a\x22"
B_SLICE = b"\x01\x9e\x22"
RECORD = b"\x01\x42\xc0\x1f\xff\xe1\x00\x04" + SPS + b"\x01\x00\x03" + PPS


def prefixed(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def started(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def test_parameter_sets_of_the_header_go_before_each_key_picture() -> None:
    for pictures, join in ((AccessUnits(RECORD), prefixed), (AccessUnits(started(SPS, PPS)), started)):
        assert pictures.split(join(b"\x09\xf0", KEY)) == ([SPS, PPS, KEY], True)
        assert pictures.split(join(DELTA)) == ([DELTA], False)
        assert pictures.split(join(SPS, PPS, KEY)) == ([SPS, PPS, KEY], True), "not twice"


def test_new_parameter_sets_replace_the_old() -> None:
    pictures, new = AccessUnits(RECORD), SPS + b"\x01"
    pictures.split(prefixed(new, PPS, KEY))
    assert pictures.split(prefixed(KEY)) == ([new, PPS, KEY], True)


def test_without_parameter_sets_nothing_is_a_key_picture() -> None:
    assert AccessUnits(b"").split(started(KEY)) == ([KEY], False)


def test_b_slices_are_refused() -> None:
    with pytest.raises(EncoderRefused, match="b_frames"):
        AccessUnits(RECORD).split(prefixed(B_SLICE))


@given(st.binary(max_size=60), st.binary(max_size=200))
def test_any_octets_are_split_or_refused(header: bytes, picture: bytes) -> None:
    try:
        found, _ = AccessUnits(header).split(picture)
    except EncoderRefused:
        return
    assert all(found)
