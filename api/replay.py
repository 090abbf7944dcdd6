"""Watching recordings again: the page with its player, the files behind it, one file to take away, and their removal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import StringConstraints

from api.live import own_side
from api.pages import ZONE
from api.problems import Problem
from api.recorded import MPEGURL, pieces, playlist_text, served, whole
from api.routing import SIGNED_IN, Call, HexId, Nothing, Routes, Shape
from api.segments import FileName
from api.stage import script_words, side_name
from media.recording.folder import read_playlist
from media.recording.playlist import Playlist
from rooms import recordings
from rooms.planning.occurrences import OccurrenceView, occurrence
from rooms.recordings import Marker, RecordingView

routes = Routes("recordings")


class RecordingPath(Shape):
    recording: HexId


class FilePath(Shape):
    recording: HexId
    file: FileName


class SourcePath(Shape):
    recording: HexId
    source: Literal["lead", "screen"]


class Withdrawal(Shape):
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


@routes.get("/recordings", needs="recording.remove", summary="Recordings kept, and those to be removed", page=True)
async def kept(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        found = await recordings.recordings_in(session, call.principal.counties("recording.remove"))
    return call.page(
        "recordings/kept.html",
        recordings=found,
        held=sum(each.octets for each in found if each.deleted_at is None),
        account=call.actor.name,
        may_watch=lambda each: call.principal.may("recording.watch", county=each.county),
    )


@routes.get("/recordings/{recording}", needs=SIGNED_IN, summary="Watch a recording", page=True)
async def watch(call: Call[RecordingPath, Nothing, Nothing]) -> web.Response:
    view, lesson = await _open(call)
    now = call.app.clock.now()
    async with call.app.store.write() as session:
        marked = await recordings.markers(session, view, lesson.lead.id)
        await recordings.watched(session, call.actor, view, now, how="page")
    playlists = {source: await _playlist(call, view, source) for source in ("lead", "screen")}
    sources = [source for source, playlist in playlists.items() if playlist is not None and playlist.segments]
    own = own_side(call.principal, lesson)
    return call.page(
        "recordings/watch.html",
        recording=view,
        lesson=lesson,
        sources=sources,
        chapters=[(marker, _chapter(call, marker, lesson)) for marker in marked],
        may_withdraw=view.state != "recording" and _may_withdraw(call, view, lesson),
        back=_back(call, lesson),
        clock=lambda at: f"{at.astimezone(ZONE):%H:%M}",
        large=own is not None and call.principal.kind == "device",
        data={
            "recording": view.id,
            "sources": sources,
            "running": view.state == "recording",
            "words": script_words(call.caller.language, "recording"),
        },
    )


@routes.get(
    "/recordings/{recording}/{file}", needs=SIGNED_IN, summary="A playlist, a header or a segment of a recording",
    produces=MPEGURL, also={206: "A part of a segment", 409: "Nothing is recorded yet", 416: "No such part"},
)  # fmt: skip
async def file(call: Call[FilePath, Nothing, Nothing]) -> web.StreamResponse:
    view, _ = await _open(call)
    app = call.app
    await recordings.watched_files(app.store, call.actor, view, app.clock.now(), call.caller.token)
    if not call.path.file.endswith(".m3u8"):
        return await served(_folder(call, view) / call.path.file)
    playlist = await _playlist(call, view, call.path.file.removesuffix(".m3u8"))
    if playlist is None:
        raise Problem("no_segments", facts={"seconds": 2})
    return playlist_text(playlist)


@routes.get(
    "/recordings/{recording}/download/{source}", needs=SIGNED_IN, summary="A recording as one file",
    produces="video/mp4", also={409: "Nothing is recorded yet"},
)  # fmt: skip
async def download(call: Call[SourcePath, Nothing, Nothing]) -> web.StreamResponse:
    view, lesson = await _open(call)
    playlist = await _playlist(call, view, call.path.source)
    if playlist is None or not playlist.segments:
        raise Problem("no_segments", facts={"seconds": 2})
    ending, paths = whole(_folder(call, view), playlist)
    async with call.app.store.write() as session:
        await recordings.watched(session, call.actor, view, call.app.clock.now(), how="download")
    name = f"{lesson.day:%Y%m%d}-{call.path.source}{ending}"
    return await pieces(paths, name)


@routes.post(
    "/api/recordings/{recording}/withdraw", needs=SIGNED_IN, summary="First step of removal: nobody watches it"
)
async def withdraw(call: Call[RecordingPath, Nothing, Withdrawal]) -> None:
    view, lesson = await _open(call)
    if not _may_withdraw(call, view, lesson):
        raise Problem("not_allowed")
    await recordings.withdraw(call.app.store, call.app.clock, call.actor, view.id, call.body.why)


@routes.post("/api/recordings/{recording}/restore", needs="recording.remove", summary="Take the first step back")
async def restore(call: Call[RecordingPath, Nothing, Nothing]) -> None:
    view = await _within_reach(call)
    await recordings.restore(call.app.store, call.app.clock, call.actor, view.id)


@routes.post("/api/recordings/{recording}/destroy", needs="recording.remove", summary="Second step: the files go")
async def destroy(call: Call[RecordingPath, Nothing, Nothing]) -> None:
    view = await _within_reach(call)
    await recordings.destroy(call.app.store, call.app.clock, call.app.settings, call.actor, view.id)


# ---------------------------------------------------------------- within


async def _open(call: Call[Any, Any, Any]) -> tuple[RecordingView, OccurrenceView]:
    """The recording that may be watched, and its lesson; 404 where there is none for this caller."""
    async with call.app.store.read() as session:
        view = await recordings.recording_of(session, call.path.recording)
        lesson = await occurrence(session, view.occurrence_id) if view is not None and view.there else None
    if view is None or lesson is None:
        raise Problem("not_found")
    on_a_side = own_side(call.principal, lesson) is not None
    if not recordings.open_to(call.principal, lesson, on_a_side=on_a_side):
        raise Problem("not_found")
    return view, lesson


async def _within_reach(call: Call[Any, Any, Any]) -> RecordingView:
    """A recording of a county whose recordings the caller may remove; 404 for others."""
    async with call.app.store.read() as session:
        view = await recordings.recording_of(session, call.path.recording)
    if view is None or not call.principal.may("recording.remove", county=view.county):
        raise Problem("not_found")
    return view


def _may_withdraw(call: Call[Any, Any, Any], view: RecordingView, lesson: OccurrenceView) -> bool:
    """The lead of the lesson, and who removes recordings of the county."""
    own = own_side(call.principal, lesson)
    return (own is not None and own.side == "lead") or call.principal.may("recording.remove", county=view.county)


def _folder(call: Call[Any, Any, Any], view: RecordingView) -> Any:
    return call.app.recordings.root / view.id


async def _playlist(call: Call[Any, Any, Any], view: RecordingView, source: str) -> Playlist | None:
    """A rendition's files; one that no longer grows is ended, even where its writer could not say so."""
    found = await asyncio.to_thread(read_playlist, _folder(call, view) / f"{source}.m3u8")
    return replace(found, ended=True) if found is not None and view.state != "recording" else found


def _chapter(call: Call[Any, Any, Any], marker: Marker, lesson: OccurrenceView) -> str:
    """A marker in words."""
    side = next((each for each in lesson.sides if each.id == marker.side_id), None)
    name = side_name(call.caller.language, side) if side is not None else ""
    return call.say(f"recording.marker_{marker.kind}", name=name)


def _back(call: Call[Any, Any, Any], lesson: OccurrenceView) -> str:
    """The lesson's page of whoever watches."""
    if call.principal.kind == "device":
        return f"/classroom/{lesson.id}"
    if own_side(call.principal, lesson) is not None:
        return f"/teach/{lesson.id}"
    if call.principal.may("report.read", county=lesson.county):
        return f"/bureau/{lesson.county}/lessons/{lesson.id}"
    return f"/planner/{lesson.county}/lessons/{lesson.id}"
