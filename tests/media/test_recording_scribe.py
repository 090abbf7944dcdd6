"""One thread writes all recordings: what befalls one of them never ends another."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from media.events import SourceName
from media.packets.sequence import Kept
from media.recording import folder, scribe
from media.recording.folder import Elsewhere, Folder, contents, read_playlist, recover, state_of
from media.recording.manuscript import Chunk, Manuscript, Plan, Stream
from media.recording.muxing import SILENCE
from media.recording.playlist import Playlist, render
from media.recording.scribe import Outcome, Scribe, Writing

SOUND = Stream(SourceName("lead"), "audio", "OPUS", 48_000, object())
PATIENCE = 5.0


class Recorded:
    """A recording of sound alone."""

    def __init__(self, scribe: Scribe, path: Path, on_begin: Callable[[], None] = lambda: None) -> None:
        self.path, self.sounds, self._outcome = path, 0, SimpleQueue[Outcome]()
        plan = Plan(path, "room", 0.0, datetime.now(UTC), must_stay_free=0)
        self.writing: Writing = scribe.begin(plan, on_begin, self._outcome.put)

    def hear(self, seconds: int) -> None:
        """So much sound, in batches of a second."""
        for _ in range(seconds):
            numbers = range(self.sounds, self.sounds + 50)
            self.sounds += 50
            packets = [Kept(each, 0, each * 960, SILENCE) for each in numbers]
            chunk = Chunk(SOUND, packets, [each * 0.02 for each in numbers], None)
            self.writing.put([chunk], self.sounds * 0.02)

    def ended(self) -> Outcome:
        return self._outcome.get(timeout=PATIENCE)


@pytest.fixture
def writer() -> Iterator[Scribe]:
    writer = Scribe()
    yield writer
    writer.close(PATIENCE)
    assert not [each for each in threading.enumerate() if each.name == "media-scribe"]


def test_one_that_cannot_begin_ends_alone(writer: Scribe, tmp_path: Path) -> None:
    elsewhere = Folder(tmp_path / "elsewhere", "room", must_stay_free=0, durable=True)
    (tmp_path / "file").write_text("no folder")
    good, theirs, broken = (Recorded(writer, tmp_path / name) for name in ("good", "elsewhere", "file"))
    for each in (good, theirs, broken):
        each.hear(9)
    assert [theirs.ended().failure, broken.ended().failure] == ["elsewhere", "disk_error"]
    good.writing.finish()
    ended = good.ended()
    assert ended == Outcome("", contents(good.path).seconds, contents(good.path).octets)
    assert ended.seconds == pytest.approx(9, abs=0.1)
    assert (elsewhere.path / "open").exists(), "the other process still writes it"
    elsewhere.close()


def test_what_is_kept_is_never_written_over(writer: Scribe, tmp_path: Path) -> None:
    """Whoever has the class now is told to record it under the name that another process has just finished."""
    first, second = Recorded(writer, tmp_path / "one"), Recorded(writer, tmp_path / "one")
    first.hear(5)
    first.writing.finish()
    assert first.ended().failure == ""
    held = contents(first.path)
    second.hear(9)
    assert second.ended().failure == "elsewhere"
    assert contents(first.path) == held
    assert state_of(first.path) == "closed"


def test_a_dead_writers_recording_is_left_to_whoever_closes_it(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "open").write_text("room")
    (tmp_path / "one" / "lead.m3u8").write_text(render(Playlist(datetime.now(UTC))))
    with pytest.raises(Elsewhere):
        Folder(tmp_path / "one", "room", must_stay_free=0, durable=True)
    assert recover(tmp_path)["one"].room == "room"


@pytest.mark.parametrize("step", [(Path, "open"), (folder.fcntl, "flock")], ids=["before", "after"])
def test_a_recording_that_ends_while_it_is_looked_at_is_not_deserted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    """Its writer, in another process, closes it before or after the mark is opened."""
    written, go_on = Folder(tmp_path / "one", "room", must_stay_free=0, durable=True), getattr(*step)

    def late(*given: Any) -> Any:
        written.close()
        return go_on(*given)

    with monkeypatch.context() as patched:
        patched.setattr(*step, late)
        assert recover(tmp_path) == {}
    assert state_of(tmp_path / "one") == "closed"


def test_while_the_disk_stands_still_each_recording_waits_up_to_its_own_bound(
    writer: Scribe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "LARGEST_QUEUE", 8 * 50 * len(SILENCE))
    stands, disk = threading.Event(), threading.Event()

    def stand_still() -> None:
        stands.set()
        disk.wait(PATIENCE)

    full, other = Recorded(writer, tmp_path / "full", stand_still), Recorded(writer, tmp_path / "other")
    full.hear(1)
    assert stands.wait(PATIENCE)
    full.hear(9)
    other.hear(7)
    disk.set()
    assert full.ended() == Outcome("too_slow", contents(full.path).seconds, contents(full.path).octets)
    assert contents(full.path).seconds == pytest.approx(9, abs=0.1), "what had waited was written"
    other.hear(1)
    other.writing.finish()
    assert other.ended().failure == ""
    assert contents(other.path).seconds == pytest.approx(8, abs=0.1)


def test_what_the_disk_does_not_take_is_not_in_the_playlist(
    writer: Scribe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronise = folder._sync

    def failing(path: Path) -> None:
        if path.match("bad/lead-2.m4s.tmp"):
            raise OSError(errno.EIO, "the disk is ill")
        synchronise(path)

    monkeypatch.setattr(folder, "_sync", failing)
    bad, good = Recorded(writer, tmp_path / "bad"), Recorded(writer, tmp_path / "good")
    for each in (bad, good):
        each.hear(12)
    ended = bad.ended()
    assert ended.failure == "disk_error"
    playlist = read_playlist(bad.path / "lead.m3u8")
    assert playlist is not None
    assert playlist.ended
    names = [each.name for each in playlist.segments]
    assert names[:2] == ["lead-0.m4s", "lead-1.m4s"]
    assert "lead-2.m4s" not in names
    assert sorted(each.name for each in bad.path.iterdir()) == sorted(["lead.m3u8", "lead-h0.mp4", *names])
    good.writing.finish()
    assert good.ended().failure == ""
    assert contents(good.path).seconds == pytest.approx(12, abs=0.1)


def test_segments_whose_header_the_disk_does_not_take_are_not_in_the_playlist(
    writer: Scribe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronise = folder._sync

    def failing(path: Path) -> None:
        if path.match("lead-h0.mp4.tmp"):
            raise OSError(errno.EIO, "the disk is ill")
        synchronise(path)

    monkeypatch.setattr(folder, "_sync", failing)
    bad = Recorded(writer, tmp_path / "bad")
    bad.hear(12)
    assert bad.ended() == Outcome("disk_error", 0.0, 0)
    playlist = read_playlist(bad.path / "lead.m3u8")
    assert playlist is not None
    assert playlist.segments == ()


def test_what_waits_behind_a_gap_is_kept_when_the_publisher_comes_back(tmp_path: Path) -> None:
    manuscript = Manuscript(Plan(tmp_path / "one", "room", 0.0, datetime.now(UTC), must_stay_free=0))
    numbers = [each for each in range(200) if each != 140]
    packets = [Kept(each, 0, each * 960, SILENCE) for each in numbers]
    manuscript.take([Chunk(SOUND, packets, [each * 0.02 for each in numbers], None)], 4.0)
    manuscript.take([Chunk(replace(SOUND, publisher=object()), [], [], None)], 4.1)
    manuscript.end()
    manuscript.keep_files()
    manuscript.close()
    assert contents(tmp_path / "one").seconds == pytest.approx(4, abs=0.01)
