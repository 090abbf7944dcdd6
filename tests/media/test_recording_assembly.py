"""Whatever pictures a publisher sends, its sound is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.recording.assembly import Assembly
from media.recording.depacketising import Picture
from media.recording.folder import Folder, Rendition
from media.recording.muxing import SILENCE, SILENT_SECONDS
from media.recording.playlist import Playlist

START = b"\0\0\0\1"
SPS, PPS = bytes.fromhex("6742c016da05079684"), b"\x68\xce\x3c\x80"
READABLE, UNREADABLE = (START + sps + START + PPS for sps in (SPS, b"\x67\x42\xc0\x16"))
PICTURES, LENGTH = 12, 0.5


def record(parameters: Sequence[bytes]) -> Playlist:
    """A key picture every half second, with these parameter sets one after the other, and sound throughout."""
    with TemporaryDirectory() as path:
        folder = Folder(Path(path), "room", must_stay_free=0, durable=False)
        rendition = Rendition(folder, "lead", datetime.now(UTC), None)
        assembly, at = Assembly(rendition), 0.0
        for number in range(PICTURES):
            its = parameters[number % len(parameters)]
            assembly.picture("H264", Picture(0, at, its + START + b"\x65\x88\x84", True, its), at)
            for _ in range(round(LENGTH / SILENT_SECONDS)):
                assembly.sound(SILENCE, at)
                at += SILENT_SECONDS
        assembly.close()
        folder.close()
    return rendition.playlist


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Parameter sets with some octets changed, or cut short."""
    sps = bytearray(SPS)
    for at in draw(st.lists(st.integers(0, len(SPS) - 1), max_size=4)):
        sps[at] = draw(st.integers(0, 255))
    return START + bytes(sps[: draw(st.integers(1, len(SPS)))]) + START + PPS


@settings(max_examples=25, deadline=None)
@given(st.lists(spoilt(), min_size=1, max_size=PICTURES))
def test_no_parameter_sets_end_a_recording(parameters: list[bytes]) -> None:
    assert record(parameters).seconds == pytest.approx(PICTURES * LENGTH, abs=0.1)


def test_pictures_that_nobody_can_read_are_left_out_until_one_can_be_read() -> None:
    playlist = record([READABLE] * 4 + [UNREADABLE] * 4 + [READABLE] * 4)
    headers = list(dict.fromkeys(each.part for each in playlist.segments))
    assert [each.codecs.count("avc1") for each in headers] == [1, 0, 1]
    assert [sum(s.seconds for s in playlist.segments if s.part == each) for each in headers] == pytest.approx(
        [2.0] * 3, abs=0.1
    )
