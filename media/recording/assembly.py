"""One source's recording: pictures and sounds with their times in, segments out.

A header holds as long as the pictures do: other parameter sets, another codec, or pictures that stay away begin a new one.
"""

from __future__ import annotations

import logging
from collections import deque

import av

from media.recording.depacketising import Picture
from media.recording.folder import Rendition
from media.recording.mp4 import Mp4
from media.recording.muxing import Fragment, Run
from media.recording.webm import WebM

log = logging.getLogger(__name__)

SEGMENT_SECONDS = 2.0
"""A segment is closed by the first key picture after this time; the recorder asks the publisher for one."""
TOLERANCE = 0.25
PICTURE_PATIENCE = 2.5
"""Seconds of sound that wait for a first picture before they are recorded without."""
PICTURE_AWAY = 4.0
"""Seconds without any picture after which sound goes on alone; without any sound either, after which the timeline has a gap."""
KEY_AWAY = 20.0
"""Seconds without a key picture after which the same happens: no segment may grow without end."""


class Assembly:
    """Gives what it is given to a run of a file format, and its fragments to the rendition's files. Raises OSError, av.FFmpegError."""

    def __init__(self, rendition: Rendition) -> None:
        self._rendition = rendition
        self._run: Run | None = None
        self._codec, self._webm = "", False
        self._parameters = b""
        self._begun = False
        self._key_at = 0.0
        self._held: deque[tuple[bytes, float]] = deque()
        self._fragments: list[Fragment] = []

    def picture(self, codec: str, picture: Picture, at: float) -> None:
        """Takes a picture; until the first key picture there is none, nor after one that no player could read."""
        self._part(at)
        if picture.key:
            if self._run is None or (codec, picture.parameters) != (self._codec, self._parameters):
                self._change(codec, picture, at)
            self._key_at = at
        if self._run is None or not self._codec:
            return None
        if self._run.picture_at is not None and at - self._key_at > KEY_AWAY:
            return self._go_on_without()
        self._run.picture(picture, at)
        return self._store()

    def sound(self, packet: bytes, at: float) -> None:
        """Takes a packet of sound."""
        self._part(at)
        if self._run is None:
            self._held.append((packet, at))
            if at - self._held[0][1] > PICTURE_PATIENCE:
                self._go_on_without()
            return
        self._run.sound(packet, at)
        shown = self._run.picture_at
        if shown is not None and at - shown > PICTURE_AWAY:
            self._go_on_without()
        self._store()

    def _part(self, at: float) -> None:
        """Where nothing came for a while there is a gap and no silence: what was before it ends with its last picture or sound."""
        if self._held and at - self._held[-1][1] > PICTURE_AWAY:
            self._go_on_without()
        until = self._run.until if self._run is not None else None
        if until is not None and at - until > PICTURE_AWAY:
            self.close()

    def _change(self, codec: str, key: Picture, at: float) -> None:
        """Other pictures than before. What libavformat cannot read counts as pictures that stay away: whatever a publisher sends,
        its sound is recorded."""
        try:
            run = WebM(key) if codec == "VP8" else Mp4(key)
        except av.FFmpegError as error:
            log.info("recording_picture_unreadable codec=%s error=%s", codec, error)
            if self._codec:
                self._go_on_without()
            return
        self._held = deque(each for each in self._held if each[1] >= at)
        self._webm = codec == "VP8"
        self._open(run, codec, key.parameters)

    def _go_on_without(self) -> None:
        """Sound alone from here on."""
        self._open(WebM(None) if self._webm else Mp4(None), "", b"")

    def _open(self, run: Run, codec: str, parameters: bytes) -> None:
        """Ends the header in use and begins another one."""
        self.close()
        self._run, self._codec, self._parameters = run, codec, parameters
        held, self._held = self._held, deque()
        for packet, at in held:
            self._run.sound(packet, at)

    def _store(self) -> None:
        assert self._run is not None
        self._keep(self._run.take())

    def _keep(self, fragments: list[Fragment]) -> None:
        assert self._run is not None
        if self._run.header and not self._begun:
            self._rendition.begin(self._run.header, self._run.codecs, self._run.extension)
            self._begun = True
        for fragment in fragments:
            self._fragments.append(fragment)
            if fragment.end - self._fragments[0].start >= SEGMENT_SECONDS - TOLERANCE:
                self._cut()

    def _cut(self) -> None:
        assert self._run is not None
        fragments, self._fragments = self._fragments, []
        if fragments:
            data = b"".join(each.data for each in fragments)
            self._rendition.add(fragments[0].start, fragments[-1].end, data, self._run.extension)

    def close(self) -> None:
        """Writes what is left."""
        if self._run is not None:
            self._keep(self._run.close())
            self._cut()
            self._run, self._begun = None, False
