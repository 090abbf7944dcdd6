"""A class of the synthetic publisher recorded through the relay: every picture can be decoded, whatever happens to the writer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import av
import pytest
from media_world import LEAD, ROOM, join, only
from waiting import until

from media.clients.synthetic import SyntheticPublisher
from media.events import MediaEvent, PeerId, RecordingEnded, RecordingFailed, RecordingId, RecordingStarted, SourceName
from media.forwarding.layer import Layer
from media.forwarding.publication import Publication
from media.forwarding.reception import Reception
from media.orders import CloseRoom, Record, ServeSegments
from media.recording import folder as folders
from media.recording.folder import read_playlist
from media.recording.manuscript import Stream
from media.recording.playlist import Playlist
from media.recording.taps import FLOWING, HIGHER_AFTER, LayerTap, Tapped, best_layer
from media.relay import Relay
from media.values import RelayConfig

ID = RecordingId("a" * 32)
pytestmark = pytest.mark.usefixtures("short_segments")


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second long, so that tests need not wait; key pictures cannot be had more often."""
    for module in ("taps", "assembly"):
        monkeypatch.setattr(f"media.recording.{module}.SEGMENT_SECONDS", 1.0)


async def publish(relay: Relay, codec: str = "H264", source: SourceName = LEAD) -> SyntheticPublisher:
    publisher = SyntheticPublisher(video_codecs=(codec,))

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, source, PeerId("teacher"), offer)).sdp

    await publisher.start(post)
    return publisher


@pytest.fixture
async def publisher(relay: Relay) -> AsyncIterator[SyntheticPublisher]:
    publisher = await publish(relay)
    yield publisher
    await publisher.close()


def segments(folder: Path, source: str = "lead") -> Playlist:
    playlist = read_playlist(folder / f"{source}.m3u8")
    assert playlist is not None, "there is no playlist yet"
    return playlist


def decoded(folder: Path, source: str = "lead") -> tuple[list[float], list[float]]:
    """Decodes everything the playlist names: the times of the pictures, and of the sounds."""
    playlist = segments(folder, source)
    pictures: list[float] = []
    sounds: list[float] = []
    for part in dict.fromkeys(each.part for each in playlist.segments):
        names = [part.header, *(each.name for each in playlist.segments if each.part == part)]
        joined = folder / "joined"
        joined.write_bytes(b"".join((folder / name).read_bytes() for name in names))
        with av.open(str(joined)) as container:
            for packet in container.demux():
                for frame in packet.decode():
                    (pictures if isinstance(frame, av.VideoFrame) else sounds).append(float(frame.time or 0))
    return pictures, sounds


async def test_a_recorded_class_decodes_and_its_screen_lies_on_the_same_timeline(
    relay: Relay, events: list[MediaEvent], publisher: SyntheticPublisher, tmp_path: Path
) -> None:
    await relay.carry_out(Record(ROOM, ID))
    await asyncio.sleep(0.5)
    asked = datetime.now(UTC)
    screen = await publish(relay, source=SourceName("screen"))
    folder = tmp_path / "recordings" / ID
    await until(lambda: (folder / "lead.m3u8").exists() and len(segments(folder).segments) >= 2)
    await until(lambda: (folder / "screen.m3u8").exists())
    there = datetime.now(UTC)
    await relay.carry_out(Record(ROOM, None))
    await screen.close()
    assert only(events, RecordingStarted, recording=ID)
    (ended,) = only(events, RecordingEnded, recording=ID)
    playlist = segments(folder)
    assert playlist.ended
    assert ended.seconds == max(playlist.seconds, segments(folder, "screen").seconds)
    assert sorted(each.name for each in folder.iterdir() if each.suffix in (".tmp", "")) == []
    pictures, sounds = decoded(folder)
    assert publisher.key_pictures_asked >= 2, "a segment begins where it asked for a key picture"
    assert len(pictures) >= 10
    assert len(sounds) >= 49 * (playlist.seconds - pictures[0] - 0.3)
    assert max(b - a for a, b in itertools.pairwise(sounds)) < 0.06, "sound has no hole"
    assert [each.start for each in playlist.segments] == sorted(each.start for each in playlist.segments)
    assert all(each.seconds >= 0.7 for each in playlist.segments[:-1])
    assert segments(folder, "screen").began == playlist.began
    shown = playlist.began + timedelta(seconds=segments(folder, "screen").segments[0].start)
    assert asked < shown < there


async def test_a_change_of_publisher_goes_on_in_the_same_recording(
    relay: Relay, events: list[MediaEvent], publisher: SyntheticPublisher, tmp_path: Path
) -> None:
    """First H264, then nothing for a while, then VP8: three headers, one timeline."""
    await relay.carry_out(Record(ROOM, ID))
    folder = tmp_path / "recordings" / ID
    await until(lambda: (folder / "lead.m3u8").exists())
    await publisher.close()
    again = await publish(relay, "VP8")
    await until(lambda: len({each.part for each in segments(folder).segments}) == 2)
    await relay.carry_out(CloseRoom(ROOM))
    await again.close()
    assert only(events, RecordingEnded)
    playlist = segments(folder)
    assert [part.codecs for part in dict.fromkeys(each.part for each in playlist.segments)] == [
        "avc1.42c016,opus",
        "vp8,opus",
    ]
    pictures, _ = decoded(folder)
    assert pictures == sorted(pictures)
    assert abs(pictures[-1] - playlist.seconds) < 0.5


async def test_another_name_ends_the_recording_before_it(
    relay: Relay, events: list[MediaEvent], publisher: SyntheticPublisher
) -> None:
    """The room was another process's meanwhile, which recorded it under a name of its own."""
    other = RecordingId("b" * 32)
    await relay.carry_out(Record(ROOM, ID))
    await until(lambda: only(events, RecordingStarted, recording=ID))
    await relay.carry_out(Record(ROOM, other))
    assert only(events, RecordingFailed, recording=ID, reason="interrupted")
    await until(lambda: only(events, RecordingStarted, recording=other))


async def test_what_ends_on_a_disk_that_stands_still_takes_no_more(
    relay: Relay, publisher: SyntheticPublisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The recording is ended by hand, and the class goes on for as long as the disk does not."""
    disk, synchronise = threading.Event(), folders._sync

    def stand_still(path: Path) -> None:
        disk.wait(30)
        synchronise(path)

    await relay.carry_out(Record(ROOM, ID))
    await until(lambda: (tmp_path / "recordings" / ID / "lead.m3u8").exists())
    monkeypatch.setattr(folders, "_sync", stand_still)
    monkeypatch.setattr("media.recording.recorder.PATIENCE", 0.1)
    await relay.carry_out(Record(ROOM, None))
    assert not any(layer.taps for each in relay.published_here(ROOM) for layer in each.layers)
    disk.set()


async def test_another_name_begins_while_the_disk_stands_still(
    relay: Relay,
    events: list[MediaEvent],
    publisher: SyntheticPublisher,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The disk takes longer to end the recording before it than anybody waits."""
    disk, synchronise, other = threading.Event(), folders._sync, RecordingId("b" * 32)

    def stand_still(path: Path) -> None:
        disk.wait(30)
        synchronise(path)

    await relay.carry_out(Record(ROOM, ID))
    await until(lambda: (tmp_path / "recordings" / ID / "lead.m3u8").exists())
    monkeypatch.setattr(folders, "_sync", stand_still)
    monkeypatch.setattr("media.recording.recorder.PATIENCE", 0.1)
    await relay.carry_out(Record(ROOM, other))
    disk.set()
    await until(lambda: only(events, RecordingFailed, recording=ID, reason="interrupted"))
    await until(lambda: (tmp_path / "recordings" / other / "lead.m3u8").exists())
    monkeypatch.setattr("media.recording.recorder.PATIENCE", 10)
    await relay.carry_out(CloseRoom(ROOM))
    assert only(events, RecordingEnded, recording=other)


async def test_segments_alone_are_kept_for_a_while_and_then_all_let_go(
    relay: Relay,
    events: list[MediaEvent],
    publisher: SyntheticPublisher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media.recording.recorder.SEGMENTS_KEPT", 3.0)
    folder = tmp_path / "segments" / ROOM
    await relay.carry_out(ServeSegments(ROOM))
    await until(lambda: (folder / "lead.m3u8").exists() and segments(folder).number >= 1)
    names = {each.name for each in segments(folder).segments}
    await until(lambda: {each.name for each in folder.glob("lead-?.m4s")} <= names | {f"lead-{len(names) + 1}.m4s"})
    assert not only(events, RecordingStarted), "this is no recording"
    monkeypatch.setattr("media.recording.recorder.SEGMENTS_UNWATCHED", 0.0)
    await relay.carry_out(ServeSegments(ROOM))
    await until(lambda: not folder.exists())


async def test_too_little_space_refuses_the_recording_and_nothing_else(config: RelayConfig, tmp_path: Path) -> None:
    events: list[MediaEvent] = []
    relay = Relay(RelayConfig(folder=tmp_path, must_stay_free=1 << 60), events.append)
    await relay.start()
    publisher = await publish(relay)
    await relay.carry_out(Record(ROOM, ID))
    await until(lambda: only(events, RecordingFailed, reason="disk_full", seconds=0.0))
    assert relay.totals().publishers == 1
    await publisher.close()
    await relay.close()


CHILD = dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from media.events import PeerId, RecordingId, RoomId, SourceName
    from media.orders import Record
    from media.relay import Relay
    from media.clients.synthetic import SyntheticPublisher
    from media.values import RelayConfig

    async def main():
        relay, publisher = Relay(RelayConfig(folder=Path(sys.argv[1]), must_stay_free=0), print), SyntheticPublisher()
        await relay.start()
        async def post(offer):
            return (await relay.publish(RoomId("room"), SourceName("lead"), PeerId("teacher"), offer)).sdp
        await publisher.start(post)
        await relay.carry_out(Record(RoomId("room"), RecordingId(sys.argv[2])))
        await asyncio.sleep(60)

    asyncio.run(main())
    """
)


async def test_kill_9_loses_at_most_the_last_segment(config: RelayConfig, tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / ID
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), ID], stdout=subprocess.DEVNULL)
    try:
        await until(lambda: (folder / "lead.m3u8").exists() and len(segments(folder).segments) >= 2)
        await asyncio.sleep(0.5)
    finally:
        killed_at = datetime.now(UTC)
        child.send_signal(signal.SIGKILL)
        child.wait()
    seconds = segments(folder).seconds
    assert (killed_at - segments(folder).began).total_seconds() - seconds < 4, "a segment and what waits for repair"
    events: list[MediaEvent] = []
    relay = Relay(config, events.append)
    await relay.start()
    await relay.close()
    (failed,) = only(events, RecordingFailed, recording=ID, room=ROOM, reason="interrupted")
    playlist = segments(folder)
    assert playlist.ended
    assert playlist.seconds == failed.seconds == seconds
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        {"lead.m3u8", *(each.name for each in playlist.segments), *(each.part.header for each in playlist.segments)}
    )
    pictures, sounds = decoded(folder)
    assert pictures[-1] == pytest.approx(seconds, abs=0.2), "all that the playlist names is there"
    assert sounds[-1] == pytest.approx(seconds, abs=0.2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a mebibyte."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(mount)], capture_output=True)
    if made.returncode:
        pytest.skip("a small tmpfs can only be mounted by root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


async def test_a_full_disk_stops_the_recording_and_not_the_class(small_disk: Path) -> None:
    events: list[MediaEvent] = []
    relay = Relay(RelayConfig(folder=small_disk, must_stay_free=0), events.append)
    await relay.start()
    publisher = await publish(relay)
    listener, _ = await join(relay, "class")
    await relay.carry_out(Record(ROOM, ID))
    folder = small_disk / "recordings" / ID
    await until(lambda: (folder / "lead.m3u8").exists())
    filler = small_disk / "filler"
    with contextlib.suppress(OSError):
        filler.write_bytes(bytes(1 << 20))
    await until(lambda: only(events, RecordingFailed, reason="disk_full"))
    heard = listener.packets
    await until(lambda: listener.packets > heard + 60)
    (failed,) = only(events, RecordingFailed)
    playlist = segments(folder)
    assert playlist.ended
    assert playlist.seconds == failed.seconds > 0
    filler.unlink()
    assert decoded(folder)[0]
    await listener.close()
    await publisher.close()
    await relay.close()


async def test_the_highest_layer_that_flows_is_recorded(relay: Relay) -> None:
    """A change upwards waits until the layer has flowed for a while, a change downwards does not wait."""
    low, high = (Layer("video", 90_000, relay._started()) for _ in range(2))
    publication = Publication(ROOM, LEAD, PeerId("teacher"), relay._started())
    publication.tracks["video"].layers = (low, high)

    def chosen(now: float, flowing: set[Layer], current: Layer | None, since: float | None = None) -> Layer | None:
        for layer in (low, high):
            layer.codec = "H264"
            layer.reception = Reception(1, 90_000)
            layer.reception.last_at = now if layer in flowing else now - 2 * FLOWING
        stream = Stream(LEAD, "video", "H264", 90_000, None)
        tapped = Tapped(current, stream, LayerTap(), 0, higher_since=since) if current is not None else None
        return best_layer(publication, "video", tapped, now)

    assert chosen(10, set(), None) is None
    assert chosen(10, {low}, None) is low
    assert chosen(10, {low, high}, None) is high
    assert chosen(10, {low, high}, low) is low, "it came just now"
    assert chosen(10, {low, high}, low, since=10 - HIGHER_AFTER) is high
    assert chosen(10, {low}, high) is low
    assert chosen(10, set(), high) is high, "nothing flows: nothing changes"
