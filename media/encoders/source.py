"""Reads an encoder's stream with FFmpeg: pictures as they are, sound as Opus, both on the encoder's one clock.

Everything here blocks and belongs into the encoder's own process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, BinaryIO, NamedTuple

import av
import av.error

from media.encoders.addresses import RtspUrl
from media.encoders.guard import Guard
from media.encoders.h264 import AccessUnits
from media.encoders.sound import RATE, Sound, Transcoder
from media.encoders.values import EncoderRefused, Found, Reason

OPEN_SECONDS, READ_SECONDS = 8.0, 8.0
"""For FFmpeg to open the stream, and without a packet of it."""
LARGEST_JUMP = 3.0
"""Seconds an encoder's clock may go back, as when it learns its own time; more is a new beginning."""
SOUNDS = frozenset({"aac", "aac_latm", "pcm_alaw", "pcm_mulaw", "mp3", "opus"})
_COMMON = {"analyzeduration": "2000000", "probesize": "2000000", "max_streams": "8"}
_RTSP = {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,tcp", "allowed_media_types": "video+audio"}
_REASONS: Mapping[type[BaseException], Reason] = {
    av.error.HTTPUnauthorizedError: "unauthorised",
    av.error.HTTPForbiddenError: "unauthorised",
    av.error.HTTPNotFoundError: "stream_unknown",
    av.error.HTTPBadRequestError: "stream_unknown",
    av.error.HTTPOtherClientError: "stream_unknown",
    av.error.InvalidDataError: "not_a_stream",
    av.error.ExitError: "silent",
    TimeoutError: "silent",
}


class Picture(NamedTuple):
    """A coded picture as NAL units; `time` counts 1/90,000 s."""

    time: int
    units: list[bytes]
    key: bool


def open_rtsp(url: RtspUrl, guard: Guard) -> Source:
    """Opens an encoder's stream through the guard; `url` leads to the guard. Raises EncoderRefused."""
    return _opened(lambda: av.open(url.full(), options=_COMMON | _RTSP, timeout=(OPEN_SECONDS, READ_SECONDS)), guard)


def open_flv(stream: BinaryIO) -> Source:
    """Opens what an encoder pushes. Raises EncoderRefused."""
    return _opened(lambda: av.open(stream, format="flv", options={**_COMMON, "protocol_whitelist": "none"}), None)


def _opened(open_it: Callable[[], Any], guard: Guard | None) -> Source:
    try:
        return Source(open_it())
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if guard is not None and guard.redirected:
            raise EncoderRefused("redirected") from None
        raise EncoderRefused(_reason(error, "unreachable" if guard else "not_a_stream"), type(error).__name__) from None


def _reason(error: BaseException, otherwise: Reason) -> Reason:
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), otherwise)


class Source:
    """An open stream. `found` says what it is; `samples` reads it. Raises EncoderRefused for what no browser can show."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._video, self._audio = _first(container.streams.video), _first(container.streams.audio)
        if self._video is None:
            raise EncoderRefused("no_picture")
        picture, sound = self._video.codec_context, self._audio and self._audio.codec_context
        if picture.name != "h264":
            raise EncoderRefused("picture_unsupported", picture.name)
        if sound is not None and sound.name not in SOUNDS:
            raise EncoderRefused("sound_unsupported", sound.name)
        if picture.has_b_frames:
            raise EncoderRefused("b_frames")
        self.found = Found(
            picture=picture.name,
            profile=str(picture.profile or ""),
            width=picture.width,
            height=picture.height,
            sound=sound.name if sound is not None else "",
            sample_rate=sound.sample_rate if sound is not None else 0,
            channels=sound.channels if sound is not None else 0,
        )
        self._pictures = AccessUnits(bytes(picture.extradata or b""))
        self._transcoder = Transcoder(self.found.channels) if sound is not None and sound.name != "opus" else None

    def samples(self) -> Iterator[Picture | Sound]:
        """Pictures and sounds as they come, from the first key picture on. Raises EncoderRefused, also ``ended`` at the end."""
        began = False
        for sample in self._read():
            began = began or (isinstance(sample, Picture) and sample.key)
            if began:
                yield sample
        raise EncoderRefused("ended")

    def _read(self) -> Iterator[Picture | Sound]:
        latest: dict[int, Fraction] = {}
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        try:
            for packet in self._container.demux(streams):
                if packet.pts is None:
                    continue  # the end of a stream, or a packet without a time
                at = packet.pts * packet.time_base
                if at < latest.get(packet.stream.index, at) - LARGEST_JUMP:
                    raise EncoderRefused("ended", "its clock went back")
                latest[packet.stream.index] = at
                yield from self._picture(packet, at) if packet.stream is self._video else self._sound(packet, at)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise EncoderRefused(_reason(error, "ended"), type(error).__name__) from None

    def _picture(self, packet: Any, at: Fraction) -> Iterator[Picture]:
        found, key = self._pictures.split(bytes(packet))
        if found:
            yield Picture(int(at * 90_000), found, key)

    def _sound(self, packet: Any, at: Fraction) -> Iterator[Sound]:
        if self._transcoder is None:
            yield Sound(int(at * RATE), bytes(packet))
            return
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            return  # one broken packet of sound
        for frame in frames:
            yield from self._transcoder.take(frame)


def _first(streams: Any) -> Any:
    return streams[0] if len(streams) else None
