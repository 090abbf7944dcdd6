"""The files of a recording: written whole or not at all, kept on one disk, closed after a crash with what is there.

What is written gets its name later: the writer of many folders has the disk take all their files at once, and then waits once
(`Folder.keep_files`, `Folder.keep_names`).

A recording is a folder with an opaque name. It holds for each source a playlist (``lead.m3u8``), headers (``lead-h0.mp4``) and
segments (``lead-0.m4s``); and, while it is being written, ``open``: locked by the process that writes, it names the room.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

from media.recording.playlist import Part, Playlist, Segment, parse, render

OPEN, RESERVE = "open", "reserve"
RESERVED = 256 * 1024
"""Octets held back on the disk, so that the last playlist of a recording can be written when nothing else can."""


class NoSpace(OSError):
    """Less is free than must stay free."""


class Elsewhere(OSError):
    """Another process writes this recording, or has written it."""


State = Literal["absent", "written", "deserted", "closed"]
"""Of a folder: not there; being written; left open by a writer that died; closed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds."""

    room: str
    seconds: float
    octets: int


def free_space(path: Path) -> int:
    """Octets that may still be written there."""
    return shutil.disk_usage(path).free


class Folder:
    """A recording that is being written; `durable` where each file must outlive a power cut. Raises OSError."""

    def __init__(self, path: Path, room: str, *, must_stay_free: int, durable: bool) -> None:
        self.path, self._durable, self._must_stay_free = path, durable, must_stay_free
        self._written: dict[str, None] = {}
        """Files that have no name yet, in the order in which they get them."""
        self._outdated: list[str] = []
        self._names_kept = True
        path.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.check_space(twice=True)
        self._lock: IO[str] = (path / OPEN).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise Elsewhere(path.name) from None
        if durable and any(path.glob("*.m3u8")):  # what is kept is never written over
            if not self._lock.tell():  # it names no room: nobody had left it open
                (path / OPEN).unlink(missing_ok=True)
            self._lock.close()
            raise Elsewhere(path.name)
        self._lock.truncate(0)
        self._lock.write(room)
        self._lock.flush()
        (path / RESERVE).write_bytes(bytes(RESERVED))

    def check_space(self, *, twice: bool = False) -> None:
        """Raises NoSpace where writing on would eat into what must stay free; to begin, twice that must be."""
        if free_space(self.path) < self._must_stay_free * (2 if twice else 1):
            raise NoSpace(f"less than {self._must_stay_free} octets are free")

    def write(self, name: str, data: bytes) -> None:
        """Writes a file whole, which `keep_files` puts in place."""
        self._written.pop(name, None)
        temporary = self._temporary(name)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                if self._durable:  # the disk begins with it now, so that waiting for one file is waiting for all
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._written[name] = None

    def _temporary(self, name: str) -> Path:
        return self.path / f"{name}.tmp"

    def remove(self, name: str) -> None:
        """Lets a file go, when what was written before is in place."""
        self._outdated.append(name)

    def has(self, name: str) -> bool:
        """Whether the file is there, or will be."""
        return name in self._written or (self.path / name).exists()

    def keep_files(self) -> None:
        """Puts in place what was written. A file that the disk does not take is gone."""
        while self._written:
            name = next(iter(self._written))
            del self._written[name]
            temporary = self._temporary(name)
            try:
                if self._durable:
                    _sync(temporary)
                temporary.rename(self.path / name)
                self._names_kept = False
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        while self._outdated:
            (self.path / self._outdated.pop()).unlink(missing_ok=True)

    def keep_names(self) -> None:
        """The new names themselves must outlive a power cut."""
        if self._durable and not self._names_kept:
            _sync(self.path)
        self._names_kept = True

    def free_reserve(self) -> None:
        """Gives the last playlist its room."""
        (self.path / RESERVE).unlink(missing_ok=True)

    def close(self) -> None:
        """The recording is written."""
        self.free_reserve()
        (self.path / OPEN).unlink(missing_ok=True)
        self._lock.close()


class Rendition:
    """One source's files. `keep` is the number of seconds kept; None keeps all."""

    def __init__(self, folder: Folder, source: str, began: datetime, keep: float | None) -> None:
        self._folder, self._source, self._keep = folder, source, keep
        self.playlist = Playlist(began)
        self._part: Part | None = None
        self._parts = self._next = 0

    def begin(self, header: bytes, codecs: str, extension: str) -> None:
        """A new header: what follows belongs to it."""
        name = f"{self._source}-h{self._parts}.{'webm' if extension == 'webm' else 'mp4'}"
        self._parts += 1
        self._folder.write(name, header)
        self._part = Part(name, codecs)

    def add(self, start: float, end: float, data: bytes, extension: str) -> None:
        """A segment, then the playlist with it."""
        assert self._part is not None
        self._folder.check_space()
        name = f"{self._source}-{self._next}.{extension}"
        self._next += 1
        self._folder.write(name, data)
        start = round(start, 3)
        segment = Segment(name, start, round(end - start, 3), self._part)
        self.playlist = replace(self.playlist, segments=(*self.playlist.segments, segment))
        dropped = self._outdated(end)
        self._write_playlist()
        for each in dropped:
            self._folder.remove(each.name)

    def _outdated(self, end: float) -> list[Segment]:
        """Takes segments that are no longer kept out of the playlist."""
        if self._keep is None:
            return []
        oldest = end - self._keep
        dropped = [each for each in self.playlist.segments if each.start + each.seconds < oldest]
        self.playlist = self.playlist.without(len(dropped))
        return dropped

    def end(self) -> None:
        """No more will come. What the disk did not take is no part of it."""
        has = self._folder.has
        there = tuple(each for each in self.playlist.segments if has(each.name) and has(each.part.header))
        self.playlist = replace(self.playlist, segments=there, ended=True)
        self._write_playlist()

    def _write_playlist(self) -> None:
        self._folder.write(f"{self._source}.m3u8", render(self.playlist).encode())


def read_playlist(path: Path) -> Playlist | None:
    """The playlist in this file; None where there is none."""
    try:
        return parse(path.read_text())
    except (OSError, ValueError):
        return None


def contents(path: Path) -> Found:
    """How much a recording holds."""
    playlists = [found for each in path.glob("*.m3u8") if (found := read_playlist(each)) is not None]
    names = [name for playlist in playlists for each in playlist.segments for name in (each.name, each.part.header)]
    return Found("", max((each.seconds for each in playlists), default=0.0), _octets(path, set(names)))


def _octets(path: Path, names: Iterable[str]) -> int:
    return sum((path / name).stat().st_size for name in names if (path / name).exists())


def recover(root: Path) -> dict[str, Found]:
    """Closes recordings whose writer died, with what is there; by the name of their folder. One that is being written by
    another process is left alone."""
    return {path.name: _close(path, room) for path, room in _deserted(root)}


def clear(root: Path) -> None:
    """Removes the segments that a writer which died has left."""
    for path, _ in _deserted(root):
        shutil.rmtree(path)


def state_of(path: Path) -> State:
    """How a recording's folder stands."""
    if not path.is_dir():
        return "absent"
    if not (path / OPEN).exists():
        return "closed"
    return "deserted" if any(each == path for each, _ in _deserted(path.parent, path.name)) else "written"


def close_deserted(path: Path) -> Found:
    """`recover` for one folder."""
    return next((_close(each, room) for each, room in _deserted(path.parent, path.name)), contents(path))


def _deserted(root: Path, name: str = "*") -> Iterator[tuple[Path, str]]:
    """Folders whose writer is no more, with their room."""
    for mark in root.glob(f"{name}/{OPEN}") if root.is_dir() else ():
        with suppress(FileNotFoundError), mark.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if mark.exists():  # its writer closes it at any moment
                yield mark.parent, lock.read()


def _close(path: Path, room: str) -> Found:
    for left in (*path.glob("*.tmp"), path / RESERVE):
        left.unlink(missing_ok=True)
    for each in path.glob("*.m3u8"):
        playlist = read_playlist(each)
        if playlist is not None and not playlist.ended:
            temporary = each.with_name(f"{each.name}.tmp")
            temporary.write_text(render(replace(playlist, ended=True)))
            temporary.rename(each)
    held = contents(path)
    (path / OPEN).unlink(missing_ok=True)
    return replace(held, room=room)


def _sync(path: Path) -> None:
    """Returns when a file, or the names in a folder, are on the disk; other threads run meanwhile."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
