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


@pytest.mark.parametrize("sound", [True, False])
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_where_nothing_came_there_is_a_gap_and_no_silence(tmp_path: Path, codec: str, sound: bool) -> None:
    """A screen that is shown, put away, and shown again a minute later in the same size."""
    size = b"\x40\x01\xb4\x00"
    parameters, data = (
        (READABLE, READABLE + START + b"\x65\x88\x84")
        if codec == "H264"
        else (size, b"\x10\0\0\x9d\x01\x2a" + size + bytes(20))
    )
    folder = Folder(tmp_path, "room", must_stay_free=0, durable=False)
    rendition = Rendition(folder, "screen", datetime.now(UTC), None)
    assembly = Assembly(rendition)
    for begins in (0, 66):
        for number in range(300):
            at = begins + number * SILENT_SECONDS
            if number % 25 == 0:
                assembly.picture(codec, Picture(0, at, data, True, parameters), at)
            if sound:
                assembly.sound(SILENCE, at)
    assembly.close()
    segments = rendition.playlist.segments
    assert [each.start for each in segments] == pytest.approx([0, 2, 4, 66, 68, 70], abs=0.05)
    assert max(each.seconds for each in segments) == pytest.approx(2, abs=0.05)
    folder.close()


def test_sound_that_waits_for_a_picture_is_not_stretched_over_a_gap(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "room", must_stay_free=0, durable=False)
    rendition = Rendition(folder, "lead", datetime.now(UTC), None)
    assembly = Assembly(rendition)
    for begins in (0, 60):
        for number in range(100):
            assembly.sound(SILENCE, begins + number * SILENT_SECONDS)
    assembly.close()
    assert [each.start for each in rendition.playlist.segments] == pytest.approx([0], abs=0.05)
    folder.close()
