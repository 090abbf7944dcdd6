"""One timeline: an hour of sound and picture whose clocks drift, and a playlist that says when everything was."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.reception import ClockPoint
from media.recording.clock import PublisherClock, TrackClock
from media.recording.playlist import Part, Playlist, Segment, parse, render

HOUR = 3600
BEGAN = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(3))
def test_sound_and_picture_stay_together_for_an_hour(seed: int) -> None:
    """The sound card runs 200 ppm fast, the camera 150 ppm slow, the publisher's own clock 100 ppm fast; packets take between
    20 and 320 ms, reports come every one to five seconds, and the timestamps wrap. Without correction: 1.2 s apart."""
    chance = random.Random(seed)
    publisher = PublisherClock()
    clocks = {"sound": TrackClock(48_000, publisher), "picture": TrackClock(90_000, publisher)}
    rates = {"sound": 48_000 * (1 + 200e-6), "picture": 90_000 * (1 - 150e-6)}
    first = {"sound": chance.getrandbits(32), "picture": 0xFFFFFFFF - 90_000 * 60}
    report_at = {"sound": 1.0, "picture": 1.7}
    found: dict[str, list[float]] = {"sound": [], "picture": []}
    worst_step = 0.0
    for step in range(HOUR * 5):
        true = 1000 + step / 5
        for track, clock in clocks.items():
            rtp = int(first[track] + (true - 1000) * rates[track]) & 0xFFFFFFFF
            delay = 0.02 + 0.3 * chance.random() ** 4 + (0.1 if track == "picture" else 0)
            if true - 1000 >= report_at[track]:
                report_at[track] += chance.uniform(1, 5)
                ntp = 3_900_000_000 + true * (1 + 100e-6)
                clock.heard(ClockPoint(int(ntp * (1 << 32)), rtp, true + delay))
            found[track].append(clock.at(rtp, true + delay))
            if len(found[track]) > 1:
                worst_step = max(worst_step, abs(found[track][-1] - found[track][-2] - 0.2))
    apart = [abs(sound - picture) for sound, picture in zip(found["sound"], found["picture"], strict=True)]
    assert max(apart[100:]) < 0.010, "80 ms are promised"
    assert worst_step < 0.2 * 0.03, "corrections are gentle"
    assert abs(found["sound"][-1] - (1000 + HOUR)) < 0.3, "and the timeline is the relay's"


def test_without_reports_the_arrival_tells() -> None:
    clock = TrackClock(90_000, PublisherClock())
    assert clock.at(5000, 10.0) == 10.0
    assert clock.at(5000 + 90_000, 11.2) == pytest.approx(11.0)
    assert clock.at(5000 + 90_000 * 50, 12.0) == pytest.approx(12.0), "a timestamp that means nothing"


def test_a_publisher_whose_clock_is_set_does_not_tear_the_recording() -> None:
    publisher = PublisherClock()
    clock = TrackClock(48_000, publisher)
    times = []
    for second in range(60):
        stepped = 0 if second < 30 else -7200
        clock.heard(ClockPoint(int((1e9 + second + stepped) * (1 << 32)), second * 48_000, 500.0 + second))
        times.append(clock.at(second * 48_000, 500.0 + second))
    assert times == pytest.approx([500.0 + second for second in range(60)], abs=0.05)


@st.composite
def playlists(draw: st.DrawFn) -> Playlist:
    parts = [Part("lead-h0.mp4", "avc1.42c016,opus"), Part("lead-h1.mp4", "opus"), Part("lead-h2.webm", "vp8,opus")]
    at, segments, number = 0.0, [], draw(st.integers(0, 5))
    for index in range(draw(st.integers(0, 8))):
        at = round(at + draw(st.sampled_from([0, 0, 0.5, 600.001])), 3)
        seconds = draw(st.integers(1, 9000)) / 1000
        part = parts[min(2, index // 2)]
        segments.append(Segment(f"lead-{index}.m4s", at, seconds, part))
        at = round(at + seconds, 3)
    return Playlist(BEGAN, tuple(segments), draw(st.booleans()), number, draw(st.integers(0, number)))


@given(playlists())
def test_a_playlist_reads_back_as_it_was_written(playlist: Playlist) -> None:
    assert parse(render(playlist)) == playlist
    tail = playlist.tail(3)
    assert parse(render(tail)) == tail
    assert tail.segments == playlist.segments[-3:]
    assert tail.number + len(tail.segments) == playlist.number + len(playlist.segments)


def test_a_list_that_loses_its_first_segments_says_which_discontinuities_it_has() -> None:
    """Neither may its type ever change (RFC 8216 §6.2.1), so it has none while it grows, though nothing was lost yet."""
    parts = [Part(f"lead-h{each}.mp4", "opus") for each in (0, 0, 1, 2, 2)]
    young = Playlist(BEGAN, tuple(Segment(f"lead-{n}.m4s", 6.0 * n, 6.0, each) for n, each in enumerate(parts)))
    known = {each: render(young.tail(5 - each)) for each in range(4)}
    assert not any("PLAYLIST-TYPE" in text for text in known.values())
    sequences = [re.findall("DISCONTINUITY-SEQUENCE:(.*)", text) for text in known.values()]
    assert sequences == [[], [], ["1"], ["2"]]
    assert [text.count("#EXT-X-DISCONTINUITY\n") for text in known.values()] == [2, 2, 1, 0]
    assert young.tail(4).tail(2) == young.tail(2)


@pytest.mark.parametrize("text", ["", "#EXTM3U\nlead-0.m4s\n", "#EXT-X-SANKE-BEGAN:yesterday\n"])
def test_other_text_is_no_playlist(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
