"""Static files: an address with a content hash is kept for a year, any other is asked about each time."""

from __future__ import annotations

from aiohttp import web

from api.pages import STATIC
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
    name = request.match_info["name"]
    path = (STATIC / name).resolve() if "\x00" not in name else STATIC
    if not path.is_relative_to(STATIC.resolve()) or path.suffix not in KINDS or not path.is_file():
        raise Problem("not_found")
    hashed = "v" in request.query
    headers = {
        "Content-Type": KINDS[path.suffix],
        "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
    }
    return web.FileResponse(path, headers=headers)
