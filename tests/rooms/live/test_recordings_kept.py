"""Recordings: begun and ended by whom it is allowed, told of by the relay, watched with markers, removed in two steps."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from live_class import END, START, TEACHER, Lesson, Ordered, slots
from sqlalchemy import select, update
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError
from waiting import PATIENCE, until

from config.settings import Settings
from media.events import (
    Connected,
    PeerId,
    RecordingEnded,
    RecordingFailed,
    RecordingId,
    RecordingStarted,
    RoomId,
    SessionId,
    SourceName,
)
from media.orders import Record, ServeSegments
from media.recording.folder import Folder
from media.recording.playlist import Part, Playlist, Segment, render
from rooms.audit import append
from rooms.live.board import LiveBoard
from rooms.recordings import Recordings, destroy, markers, recordings_of, restore, withdraw
from rooms.recordings.removal import GRACE, clear_up
from rooms.recordings.views import RecordingView
from rooms.refusals import Conflict, Forbidden, NotFound
from rooms.store import SYSTEM, Actor, Store
from rooms.tables import AuditLeaf, Occurrence, Recording

OPERATOR = Actor("account:op", "operator")
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def recordings(
    store: Store, clock: Any, settings: Settings, media: Ordered, board: LiveBoard
) -> AsyncIterator[Recordings]:
    recordings = Recordings(store, clock, settings, media, board.tell)
    await recordings.start(sweeping=False)  # the sweep is called by hand
    yield recordings
    await recordings.close()


async def only(store: Store, lesson: Lesson) -> RecordingView:
    async with store.read() as session:
        (found,) = await recordings_of(session, lesson.id)
    return found


async def both(store: Store, lesson: Lesson) -> list[RecordingView]:
    """Two recordings, the older first."""
    async with store.read() as session:
        found = await recordings_of(session, lesson.id)
    assert len(found) == 2
    return list(found)


async def ended(recordings: Recordings, lesson: Lesson, view: RecordingView, seconds: float = 60) -> Path:
    """The lead ended the recording; its folder."""
    folder = recordings.root / view.id
    folder.mkdir(parents=True)
    await recordings.end(TEACHER, lesson.id)
    recordings.on_media_event(RecordingEnded(RoomId(lesson.id), RecordingId(view.id), seconds, 5, START))
    await recordings.flush()
    return folder


async def recorded(store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any) -> RecordingView:
    """The class is live and recorded from its planned start."""
    await board.open_class(TEACHER, lesson.id)
    clock.time = START
    await recordings.begin(TEACHER, lesson.id)
    found = await only(store, lesson)
    recordings.on_media_event(RecordingStarted(RoomId(lesson.id), RecordingId(found.id), START))
    await recordings.flush()
    return await only(store, lesson)


async def test_a_recording_begins_and_ends_with_its_class(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    with pytest.raises(Conflict, match="occurrence_not_live"):
        await recordings.begin(TEACHER, lesson.id)
    with pytest.raises(NotFound):
        await recordings.begin(TEACHER, "f" * 32)
    view = await recorded(store, board, recordings, lesson, clock)
    await recordings.begin(TEACHER, lesson.id)
    room, recording = RoomId(lesson.id), RecordingId(view.id)
    assert media.orders == [Record(room, recording)], "it is recorded once"
    state = await board.state(lesson.id)
    assert state is not None
    assert state.recording == "on"
    (recordings.root / view.id).mkdir(parents=True)
    await recordings.end(TEACHER, lesson.id)
    assert media.orders[-1] == Record(room, None)
    recordings.on_media_event(RecordingEnded(room, recording, 61.4, 7_000_000_000, START))
    await recordings.flush()
    view = await only(store, lesson)
    assert (view.state, view.reason, view.seconds, view.octets) == ("complete", None, 61, 7_000_000_000)
    async with store.read() as session:
        log = list(await session.scalars(select(AuditLeaf.action).where(AuditLeaf.object == f"recording:{view.id}")))
    assert log == ["recording.start", "recording.stop", "recording.end"]
    await recordings.begin(TEACHER, lesson.id)
    await recordings.end(TEACHER, lesson.id)
    async with store.read() as session:
        both = {(each.state, each.seconds) for each in await recordings_of(session, lesson.id)}
    assert both == {("complete", 61), ("complete", 0)}, "nobody sent anything: nothing is waited for"


@one_database
async def test_a_full_disk_is_told_and_the_class_goes_on(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    failed = RecordingFailed(RoomId(lesson.id), RecordingId(view.id), "disk_full", 90.2, 1000, START)
    for _ in range(2):  # told twice, it is the same end
        recordings.on_media_event(failed)
    await recordings.flush()
    state, view = await board.state(lesson.id), await only(store, lesson)
    assert state is not None
    assert (state.state, state.recording) == ("live", "failed")
    assert (view.state, view.reason, view.seconds) == ("partial", "disk_full", 90)


@one_database
async def test_an_end_is_stored_when_the_database_is_back(
    store: Store,
    board: LiveBoard,
    recordings: Recordings,
    lesson: Lesson,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    away = iter([True, True])

    def write() -> Any:
        if next(away, False):
            raise OperationalError("SELECT", {}, OSError("the database is away"))
        return Store.write(store)

    monkeypatch.setattr("rooms.recordings.board.RETRY_SECONDS", (0.001,))
    monkeypatch.setattr(store, "write", write)
    recordings.on_media_event(RecordingFailed(RoomId(lesson.id), RecordingId(view.id), "disk_full", 90.2, 1000, START))
    await recordings.flush()
    state = await board.state(lesson.id)
    assert state is not None
    assert state.recording == "failed"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_the_lead_ends_a_recording_while_the_relay_tells_its_end(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    async with store.write() as told:  # as the relay's word is stored: the row first, then the log
        await told.get(Recording, view.id, with_for_update=True)
        ending = asyncio.create_task(recordings.end(TEACHER, lesson.id))
        await asyncio.sleep(0.5)
        await append(told, SYSTEM, "recording.end", f"recording:{view.id}", at=clock.now())
    await ending


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_disk_that_stands_still_keeps_nobody_from_the_log(
    store: Store,
    board: LiveBoard,
    recordings: Recordings,
    lesson: Lesson,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await recorded(store, board, recordings, lesson, clock)
    asked, goes_on = threading.Event(), threading.Event()

    def stands_still(_path: Path) -> str:
        asked.set()
        goes_on.wait(2 * PATIENCE)
        return "written"

    monkeypatch.setattr("rooms.recordings.board.state_of", stands_still)
    ending = asyncio.create_task(recordings.end(TEACHER, lesson.id))
    await asyncio.to_thread(asked.wait, PATIENCE)
    try:
        async with asyncio.timeout(PATIENCE), store.write() as session:
            await append(session, OPERATOR, "account.create", "account:new", at=clock.now())
    finally:
        goes_on.set()
        await ending


@one_database
async def test_what_is_left_over_is_ended_and_closed_with_what_is_there(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    folder = recordings.root / view.id
    folder.mkdir(parents=True)
    part = Part("lead-h0.mp4", "opus")
    (folder / "lead.m3u8").write_text(render(Playlist(START, (Segment("lead-0.m4s", 0.0, 42.0, part),))))
    clock.time = END
    await board.close_class(TEACHER, lesson.id)
    await recordings.sweep()
    assert media.orders[-1] == Record(RoomId(lesson.id), None)
    await recordings.flush()
    assert (await only(store, lesson)).state == "recording", "the relay may still tell how it ended"
    clock.advance(seconds=61)
    await recordings.sweep()
    await recordings.flush()
    view = await only(store, lesson)
    assert (view.state, view.reason, view.seconds) == ("partial", "interrupted", 42)


@one_database
async def test_a_recording_that_was_cut_off_goes_on_in_another_one(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    """The writer's lock is gone with its process."""
    view = await recorded(store, board, recordings, lesson, clock)
    folder = recordings.root / view.id
    folder.mkdir(parents=True)
    (folder / "open").write_text(lesson.id)
    clock.advance(seconds=5)
    await recordings.sweep()
    await recordings.flush()
    assert not (folder / "open").exists()
    first, second = await both(store, lesson)
    assert (first.id, first.state, first.reason, second.state) == (view.id, "partial", "interrupted", "recording")
    assert not first.there  # before its first segment: there is nothing to watch
    assert media.orders[-1] == Record(RoomId(lesson.id), RecordingId(second.id))


@one_database
async def test_a_recording_goes_on_where_its_room_has_moved(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any
) -> None:
    """Nobody asked for its end, and the class goes on: another worker has the room now."""
    view = await recorded(store, board, recordings, lesson, clock)
    clock.advance(seconds=60)
    recordings.on_media_event(RecordingEnded(RoomId(lesson.id), RecordingId(view.id), 60, 5, START))
    await recordings.flush()
    assert [(each.state, each.reason) for each in await both(store, lesson)] == [
        ("partial", "interrupted"),
        ("recording", None),
    ]


@one_database
async def test_a_recording_goes_on_while_another_process_still_writes_the_one_before(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    """Its worker is being emptied, or stands still. The last word on what it wrote is taken when it comes."""
    view = await recorded(store, board, recordings, lesson, clock)
    room, recording = RoomId(lesson.id), RecordingId(view.id)
    elsewhere = Folder(recordings.root / view.id, lesson.id, must_stay_free=0, durable=False)
    segments = (Segment("lead-0.m4s", 0.0, 42.0, Part("lead-h0.mp4", "opus")),)
    (elsewhere.path / "lead.m3u8").write_text(render(Playlist(START, segments)))
    clock.advance(seconds=45)
    side, session_id = PeerId(lesson.lead), SessionId("new")
    recordings.on_media_event(Connected(room, side, session_id, SourceName("lead"), "publisher", clock.time))
    await recordings.flush()
    assert media.orders == [Record(room, recording)] * 2, "whoever has the class now is told, and may find it written"
    recordings.on_media_event(RecordingFailed(room, recording, "elsewhere", 0.0, 0, clock.time))
    await recordings.flush()
    first, second = await both(store, lesson)
    assert (first.state, first.reason, first.seconds, second.state) == ("partial", "interrupted", 42, "recording")
    assert media.orders[-1] == Record(room, RecordingId(second.id))
    assert (elsewhere.path / "open").exists(), "it is the other's to close"
    elsewhere.close()
    recordings.on_media_event(RecordingEnded(room, recording, 44.0, 9000, clock.time))
    recordings.on_media_event(RecordingFailed(room, recording, "interrupted", 30.0, 5000, clock.time))
    await recordings.flush()
    first, second = await both(store, lesson)
    assert (first.reason, first.seconds, first.octets, second.state) == ("interrupted", 44, 9000, "recording")


@one_database
async def test_the_county_decides_who_decides(
    store: Store, board: LiveBoard, lesson: Lesson, media: Ordered, clock: Any, settings: Settings
) -> None:
    await board.open_class(TEACHER, lesson.id)
    never = Recordings(store, clock, settings.model_copy(update={"recording": "never"}), media, board.tell)
    with pytest.raises(Forbidden, match="recording_never"):
        await never.begin(TEACHER, lesson.id)
    always = Recordings(store, clock, settings.model_copy(update={"recording": "always"}), media, board.tell)
    await always.sweep()
    await always.sweep()
    view = await only(store, lesson)
    assert set(media.orders) == {Record(RoomId(lesson.id), RecordingId(view.id))}, "again until somebody writes"
    with pytest.raises(Forbidden, match="recording_always"):
        await always.end(TEACHER, lesson.id)


@pytest.mark.parametrize("rule", ["always", "teacher"])
async def test_a_look_at_all_classes_is_one_question_however_many_are_live(
    store: Store, board: LiveBoard, lesson: Lesson, media: Ordered, clock: Any, settings: Settings, rule: str
) -> None:
    recordings = Recordings(store, clock, settings.model_copy(update={"recording": rule}), media, board.tell)
    async with store.write() as session:
        await session.execute(update(Occurrence).values(state="live"))
        everything = set(await session.scalars(select(Occurrence.id)))
    asked: list[str] = []
    listen(store.engine.sync_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    found = await recordings._to_begin(None)
    assert sum(each.startswith("SELECT") for each in asked) == 1
    assert len(everything) > 1
    assert set(found) == (everything if rule == "always" else set())


@one_database
async def test_segments_are_asked_for_and_found(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, media: Ordered, clock: Any
) -> None:
    await board.open_class(TEACHER, lesson.id)
    await recordings.ask_for_segments(lesson.id)
    assert media.orders == [ServeSegments(RoomId(lesson.id))]
    assert await recordings.folder_of(lesson.id) == f"segments/{lesson.id}"
    await recordings.begin(TEACHER, lesson.id)
    assert await recordings.folder_of(lesson.id) == f"recordings/{(await only(store, lesson)).id}"


@one_database
async def test_markers_tell_what_happened_while_it_was_recorded(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any
) -> None:
    """The near class was there before; the far one comes, loses its line for ten seconds, and leaves; both are of the evidence."""
    await board.open_class(TEACHER, lesson.id)
    clock.time = START + timedelta(minutes=1)
    await recordings.begin(TEACHER, lesson.id)
    view = await only(store, lesson)
    recording = RecordingId(view.id)
    recordings.on_media_event(RecordingStarted(RoomId(lesson.id), recording, clock.time))
    for event in [
        *slots(lesson.id, lesson.lead, 0, 5, publishes=True),
        *slots(lesson.id, lesson.near, 0, 10)[:-1],
        *slots(lesson.id, lesson.far, 2, 3, session="one"),
        *slots(lesson.id, lesson.far, 3 + 1 / 6, 4, session="two"),
        *slots(lesson.id, lesson.lead, 3, 4, publishes=True, source="screen"),
    ]:
        board.on_media_event(event)
    await board.flush()
    clock.time = START + timedelta(minutes=4.5)
    await board.give_floor(TEACHER, lesson.id, lesson.near)
    await ended(recordings, lesson, view, 240)
    async with store.read() as session:
        found = await markers(session, await only(store, lesson), lesson.lead)
    assert [(round(each.at), each.kind, each.side_id) for each in found] == [
        (0, "opened", lesson.lead),
        (0, "lead", lesson.lead),
        (0, "joined", lesson.near),
        (60, "joined", lesson.far),
        (120, "screen", lesson.lead),
        (180, "left", lesson.far),
        (180, "screen_back", lesson.lead),
        (210, "floor", lesson.near),
        (240, "lead_back", lesson.lead),
    ]


@one_database
async def test_two_people_remove_a_recording(
    store: Store, board: LiveBoard, recordings: Recordings, lesson: Lesson, clock: Any, settings: Settings
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    with pytest.raises(Conflict, match="recording_running"):
        await withdraw(store, clock, TEACHER, view.id, "口误")
    folder = await ended(recordings, lesson, view)
    with pytest.raises(Conflict, match="recording_not_withdrawn"):
        await destroy(store, clock, settings, OPERATOR, view.id)
    await withdraw(store, clock, TEACHER, view.id, "口误")
    assert not (await only(store, lesson)).there
    with pytest.raises(Forbidden, match="recording_same_person"):
        await destroy(store, clock, settings, TEACHER, view.id)
    await restore(store, clock, OPERATOR, view.id)
    assert (await only(store, lesson)).there
    await withdraw(store, clock, TEACHER, view.id, "口误")
    assert folder.exists()
    await destroy(store, clock, settings, OPERATOR, view.id)
    view = await only(store, lesson)
    assert not folder.exists()
    assert (view.deleted_at is not None, view.seconds, view.octets) == (True, 60, 5), "the figures stay"
    with pytest.raises(Conflict, match="recording_deleted"):
        await restore(store, clock, OPERATOR, view.id)


@one_database
async def test_files_go_also_where_the_server_ended_before_they_were_gone(
    store: Store,
    board: LiveBoard,
    recordings: Recordings,
    lesson: Lesson,
    clock: Any,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    folder = await ended(recordings, lesson, view)
    (kept := folder.parent / ("0" * 32)).mkdir()
    await withdraw(store, clock, TEACHER, view.id, "口误")
    with monkeypatch.context() as disk:
        disk.setattr("rooms.recordings.removal.shutil.rmtree", lambda *_, **__: None)
        await destroy(store, clock, settings, OPERATOR, view.id)
    assert folder.exists()
    sweeping = Recordings(store, clock, settings, Ordered(), board.tell)
    await sweeping.start()
    await until(lambda: not folder.exists(), "the folder is gone")
    await sweeping.close()
    assert kept.exists(), "what nobody destroyed stays"


@one_database
async def test_a_recording_goes_by_itself_when_its_time_is_up(
    store: Store,
    board: LiveBoard,
    recordings: Recordings,
    lesson: Lesson,
    clock: Any,
    settings: Settings,
    tmp_path: Path,
) -> None:
    view = await recorded(store, board, recordings, lesson, clock)
    await ended(recordings, lesson, view)
    clock.advance(days=settings.recording_keep_days - 1)
    await clear_up(store, clock, settings)
    assert (await only(store, lesson)).there
    clock.advance(days=1)
    await clear_up(store, clock, settings)
    view = await only(store, lesson)
    assert (view.withdrawn_by, view.deleted_at) == ("system", None)
    clock.time += GRACE
    await clear_up(store, clock, settings)
    assert (await only(store, lesson)).deleted_at is not None
    async with store.read() as session:
        leaves = await session.scalars(select(AuditLeaf.canonical).where(AuditLeaf.action == "recording.destroy"))
        assert [json.loads(leaf)["actor"] for leaf in leaves] == ["system"]
