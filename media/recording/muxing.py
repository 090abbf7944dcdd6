"""One run of a file format: a header, and fragments that each begin with a key picture (or with any sound, without pictures).

Sound is always there: where none came, silence stands for it, so that every player keeps time by it. Times are seconds on the
recording's timeline; what would go back in time is moved or left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Literal, NamedTuple

from media.recording.depacketising import Picture, opus_seconds

SILENCE = b"\xfc\xff\xfe"
"""20 ms of stereo silence in Opus (RFC 6716 §3: CELT, full band, one frame)."""
SILENT_SECONDS = 0.02
LARGEST_HOLE = 0.06
"""A hole in the sound up to this long is left to the player."""
LAG = 2.5
"""Seconds the sound may stay behind the picture before silence takes its place: repairs take up to 1.4 s."""
LEAST_BEHIND = 1.5
SOUND_ONLY_FRAGMENT = 2.0
PICTURE_SECONDS = 1 / 30
"""How long the last picture of a run is said to last."""
Track = Literal["picture", "sound"]
OPUS_HEAD = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
"""RFC 7845 §5.1: two channels, no preskip, 48 kHz, no gain."""


class Fragment(NamedTuple):
    """A piece of the run, from `start` to `end`."""

    start: float
    end: float
    data: bytes


class Run(ABC):
    """What both formats share: whose turn it is, where silence belongs, where fragments begin."""

    codecs: str
    """As in a MIME type (RFC 6381)."""
    extension: str
    header: bytes = b""
    """Empty until it is known."""

    def __init__(self, *, pictures: bool) -> None:
        self._pictures = pictures
        self.sound_until: float | None = None
        """The end of the last sound."""
        self.picture_at: float | None = None
        """The time of the last picture."""
        self._starts: deque[float] = deque()
        """Where the fragments begin that were not taken yet, and the one being written."""

    def picture(self, picture: Picture, at: float) -> None:
        """Adds a picture."""
        if self.sound_until is None:
            self.sound_until = at
        if at - self.sound_until > LAG:
            self._silence(at - LEAST_BEHIND)
        self.picture_at = self._put("picture", picture.data, at, PICTURE_SECONDS, key=picture.key)
        if picture.key:
            self._starts.append(self.picture_at)

    def sound(self, packet: bytes, at: float) -> None:
        """Adds a packet of sound."""
        length = opus_seconds(packet)
        if length is None:
            return
        if self.sound_until is not None:
            if at < self.sound_until - length / 2 - LARGEST_HOLE:
                return  # silence stands there already
            if at > self.sound_until + LARGEST_HOLE:
                self._silence(at)
        self._add_sound(packet, at, length)

    def _silence(self, until: float) -> None:
        assert self.sound_until is not None
        while self.sound_until + SILENT_SECONDS <= until:
            self._add_sound(SILENCE, self.sound_until, SILENT_SECONDS)

    def _add_sound(self, packet: bytes, at: float, length: float) -> None:
        put = self._put("sound", packet, at, length, key=True)
        self.sound_until = put + length
        if not self._pictures and (not self._starts or put - self._starts[-1] >= SOUND_ONLY_FRAGMENT):
            self._starts.append(put)

    def take(self) -> list[Fragment]:
        """The fragments that are complete."""
        return [Fragment(self._starts.popleft(), self._end(), piece) for piece in self._pieces()]

    def _end(self) -> float:
        """The end of the fragment just taken."""
        return self._starts[0] if self._starts else self.until or 0.0

    @property
    def until(self) -> float | None:
        """Where the last picture or sound ends; None before the first."""
        shown = self.picture_at + PICTURE_SECONDS if self.picture_at is not None else None
        return max((each for each in (shown, self.sound_until) if each is not None), default=None)

    def close(self) -> list[Fragment]:
        """Ends the run; what is left."""
        self._finish()
        return self.take()

    @abstractmethod
    def _put(self, track: Track, data: bytes, at: float, length: float, *, key: bool) -> float:
        """Adds a packet; the time it really got."""

    @abstractmethod
    def _pieces(self) -> list[bytes]:
        """The bytes of fragments that are complete and were not returned yet; may set `header` first."""

    @abstractmethod
    def _finish(self) -> None:
        """No more will be put."""
