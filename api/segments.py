"""A running class over HTTP, a few seconds behind: for classrooms whose network lets no UDP through. It is no evidence of anything."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from api.live import Now, OccurrencePath, lead_of, presented, side_of
from api.problems import Problem
from api.recorded import MPEGURL, playlist_text, served
from api.routing import SIGNED_IN, Call, HexId, Nothing, Routes, Shape
from media.recording.folder import read_playlist

routes = Routes("live")

NEWEST = 8
"""Segments a page is told of."""
AGAIN = 2
FileName = Annotated[str, StringConstraints(pattern=r"^(lead|screen)(-h?\d{1,6}\.(mp4|m4s|webm)|\.m3u8)$")]


class SegmentPath(Shape):
    occurrence: HexId
    file: FileName


class Wanted(Shape):
    on: bool


@routes.post("/api/live/{occurrence}/recording", needs="lesson.teach", summary="Record the class, or no longer")
async def record(call: Call[OccurrencePath, Nothing, Wanted]) -> Now:
    view = await lead_of(call, call.path.occurrence)
    act = call.app.recordings.begin if call.body.on else call.app.recordings.end
    await act(call.actor, view.id)
    state = await call.app.board.state(view.id)
    if state is None:
        raise Problem("not_found")
    return presented(state)


@routes.get(
    "/live/{occurrence}/segments/{file}",
    needs=SIGNED_IN,
    summary="The running class over HTTP: the newest segments",
    produces=MPEGURL,
    also={409: "No segment is there yet (Retry-After)"},
)
async def segment(call: Call[SegmentPath, Nothing, Nothing]) -> web.StreamResponse:
    view, _ = await side_of(call, call.path.occurrence)
    if view.state != "live":
        raise Problem("not_found")
    folder = call.app.settings.data_dir / await call.app.recordings.folder_of(view.id)
    if not call.path.file.endswith(".m3u8"):
        return await served(folder / call.path.file)
    await call.app.recordings.ask_for_segments(view.id)
    playlist = await asyncio.to_thread(read_playlist, folder / call.path.file)  # a disk may stand still, media never
    if playlist is None or not playlist.segments:
        raise Problem("no_segments", headers={"Retry-After": str(AGAIN)}, facts={"seconds": AGAIN})
    return playlist_text(playlist.tail(NEWEST))
