"""The list of a rendition's files as an HLS playlist (RFC 8216): written beside them, and read back by whoever serves them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

LONGEST_SEGMENT = 6
"""Seconds of the playlist's target where no segment is longer."""
_CODECS = "#EXT-X-SANKE-CODECS:"
"""What the header before it declares, as in a MIME type; players that do not know the tag pass over it."""
_CHANGES = "#EXT-X-DISCONTINUITY-SEQUENCE"
"""How many discontinuities went with the segments that were let go, so that players know which those are that remain (RFC 8216 §4.3.3.3)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A header and the segments that follow it."""

    header: str
    """File name."""
    codecs: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that begins with a key picture. `start` is in seconds since the recording began, to the millisecond."""

    name: str
    start: float
    seconds: float
    part: Part


@dataclass(frozen=True, slots=True)
class Playlist:
    """One rendition. `number` is the number of its first segment: not 0 where older ones were let go; `changes` is how often the header
    had changed until then."""

    began: datetime
    segments: tuple[Segment, ...] = ()
    ended: bool = False
    number: int = 0
    changes: int = 0

    @property
    def seconds(self) -> float:
        """From the recording's beginning to the end of the last segment."""
        return self.segments[-1].start + self.segments[-1].seconds if self.segments else 0.0

    def tail(self, count: int) -> Playlist:
        """The last segments alone."""
        return self.without(max(0, len(self.segments) - count))

    def without(self, count: int) -> Playlist:
        """All but so many of the first segments."""
        changed = sum(one.part != next_.part for one, next_ in pairwise(self.segments[: count + 1]))
        kept = self.segments[count:]
        return replace(self, segments=kept, number=self.number + count, changes=self.changes + changed)


def render(playlist: Playlist) -> str:
    """The playlist as text. A header is named anew, after a discontinuity, wherever it changes; the date wherever a segment
    does not begin where the one before it ended. One that grows is of no type: what is served of it loses its first segments, which those
    of an EVENT never do (RFC 8216 §4.3.3.5)."""
    target = max([LONGEST_SEGMENT, *(math.ceil(each.seconds) for each in playlist.segments)])
    kind = ["#EXT-X-PLAYLIST-TYPE:VOD"] if playlist.ended and not playlist.number else []
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", *kind]
    lines += [f"#EXT-X-MEDIA-SEQUENCE:{playlist.number}", f"#EXT-X-SANKE-BEGAN:{_stamp(playlist.began)}"]
    if playlist.changes:
        lines.append(f"{_CHANGES}:{playlist.changes}")
    before: Segment | None = None
    for segment in playlist.segments:
        if before is None or before.part != segment.part:
            if before is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines += [f"{_CODECS}{segment.part.codecs}", f'#EXT-X-MAP:URI="{segment.part.header}"']
        if before is None or abs(before.start + before.seconds - segment.start) >= 0.0005:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_stamp(playlist.began + timedelta(seconds=segment.start))}")
        lines += [f"#EXTINF:{segment.seconds:.3f},", segment.name]
        before = segment
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if playlist.ended else [])]) + "\n"


def parse(text: str) -> Playlist:
    """Reads what `render` wrote. Raises ValueError for anything else."""
    began: datetime | None = None
    number, changes, start, seconds, codecs = 0, 0, 0.0, 0.0, ""
    part = Part("", "")
    segments: list[Segment] = []
    ended = False
    for line in text.splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-SANKE-BEGAN":
            began = datetime.fromisoformat(value)
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(value)
        elif tag == _CHANGES:
            changes = int(value)
        elif line.startswith(_CODECS):
            codecs = value
        elif tag == "#EXT-X-MAP":
            part = Part(value.removeprefix('URI="').removesuffix('"'), codecs)
        elif tag == "#EXT-X-PROGRAM-DATE-TIME" and began is not None:
            start = round((datetime.fromisoformat(value) - began).total_seconds(), 3)
        elif tag == "#EXTINF":
            seconds = float(value.removesuffix(","))
        elif tag == "#EXT-X-ENDLIST":
            ended = True
        elif line and not line.startswith("#"):
            segments.append(Segment(line, start, seconds, part))
            start = round(start + seconds, 3)
    if began is None:
        raise ValueError("no playlist of a recording")
    return Playlist(began, tuple(segments), ended, number, changes)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
