"""Uploads: one file of a multipart form, streamed to disk under a hard limit and removed when it was read."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from api.problems import Problem

FIELD_LIMIT = 4096
"""Bytes of an ordinary field beside the file."""


@dataclass(frozen=True, slots=True)
class Received:
    """An uploaded file. `name` is what the browser called it, without folders; `path` exists while it is being read."""

    name: str
    path: Path
    size: int
    sha256: str
    fields: Mapping[str, str]


@asynccontextmanager
async def receive(request: web.Request, *, max_bytes: int, field: str = "file") -> AsyncIterator[Received]:
    """Reads the form's file; raises problems 415, 400 (no such field) and 413. Ordinary fields may stand before it."""
    if request.content_type != "multipart/form-data":
        raise Problem("wrong_type", facts={"accepted": "multipart/form-data"})
    with tempfile.TemporaryDirectory(prefix="sanke-upload-") as folder:
        yield await _received(request, Path(folder), max_bytes, field)


async def _received(request: web.Request, folder: Path, max_bytes: int, field: str) -> Received:
    fields: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == field:
                return await _kept(part, folder, max_bytes, fields)
            if len(fields) >= 16:
                break
            fields[part.name] = (await part.read_chunk(FIELD_LIMIT)).decode(errors="replace")
    except (ValueError, AssertionError, HttpProcessingError):
        raise Problem("bad_request") from None
    raise Problem("bad_request")


def _named(given: str) -> str:
    """Without folders, and without what cannot be stored or answered, as of a name that is no UTF-8."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in given)
    return Path(shown.replace("\\", "/")).name[:120] or "upload"


async def _kept(part: BodyPartReader, folder: Path, max_bytes: int, fields: Mapping[str, str]) -> Received:
    name = _named(part.filename or "")
    path = folder / f"upload{Path(name).suffix.lower()[:8]}"
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while chunk := await part.read_chunk(1 << 16):
            size += len(chunk)
            if size > max_bytes:
                raise Problem("too_large", facts={"limit_mb": max_bytes >> 20})
            digest.update(chunk)
            target.write(chunk)
    return Received(name, path, size, digest.hexdigest(), fields)
