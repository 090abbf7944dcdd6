"""Files of recordings on the wire: playlists, headers, segments with byte ranges, and a whole recording as one file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import web

from api.problems import Problem
from media.recording.playlist import Playlist, render

MPEGURL = "application/vnd.apple.mpegurl"
KINDS = {".mp4": "video/mp4", ".m4s": "video/iso.segment", ".webm": "video/webm"}


async def served(path: Path) -> web.StreamResponse:
    """A header or a segment; it never changes. Answers byte ranges."""
    if not await asyncio.to_thread(path.is_file):
        raise Problem("not_found")
    headers = {"Content-Type": KINDS[path.suffix], "Cache-Control": "private, max-age=3600, immutable"}
    return web.FileResponse(path, headers=headers)


def playlist_text(playlist: Playlist) -> web.Response:
    """A playlist; it is asked for again while it grows."""
    return web.Response(text=render(playlist), content_type=MPEGURL, headers={"Cache-Control": "private, no-cache"})


def whole(folder: Path, playlist: Playlist) -> tuple[str, list[Path]]:
    """Extension and pieces of the recording as one file: the first header with pictures, then every segment of its format.

    Later headers are left out: H264 repeats in the stream what they say, VP8 needs none, tracks have the same numbers in each."""
    parts = list(dict.fromkeys(segment.part for segment in playlist.segments))
    first = next((part for part in parts if "," in part.codecs), parts[0])
    ending = Path(first.header).suffix
    segments = [each.name for each in playlist.segments if Path(each.part.header).suffix == ending]
    return ending, [folder / name for name in (first.header, *segments)]


async def pieces(paths: Sequence[Path], name: str) -> web.Response:
    """Files one after the other as one, to be saved under this name."""
    octets = await asyncio.to_thread(lambda: sum(path.stat().st_size for path in paths))
    headers = {
        "Content-Type": KINDS[Path(name).suffix],
        "Content-Length": str(octets),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }

    async def read() -> AsyncIterator[bytes]:
        for path in paths:
            yield await asyncio.to_thread(path.read_bytes)

    return web.Response(body=read(), headers=headers)
