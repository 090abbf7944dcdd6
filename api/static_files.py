"""Static files: an address with the hash of what is served is kept for a year, any other is asked about each time."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from api.pages import STATIC, asset
from api.problems import Problem

KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
}


async def serve_static(request: web.Request) -> web.StreamResponse:
    """A file under ``api/static``; nothing outside it, and no kind that is not served on purpose."""
    path = _file(request.match_info["name"])
    if path is None:
        raise Problem("not_found")
    # While servers are replaced one after the other, a page of the new one may ask the old one for its file.
    kept = request.path_qs == asset(path.relative_to(STATIC.resolve()).as_posix())
    headers = {
        "Content-Type": KINDS[path.suffix],
        "Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache",
    }
    return web.FileResponse(path, headers=headers)


def _file(name: str) -> Path | None:
    try:
        path = (STATIC / name).resolve()
        served = path.is_relative_to(STATIC.resolve()) and path.suffix in KINDS and path.is_file()
    except (OSError, ValueError):  # a name longer than names can be, or with a NUL
        return None
    return path if served else None
