"""What an encoder is found to send, how it does, and why it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "address_refused",  # not within the networks and ports that may be pulled from
    "unreachable",  # no such name, nobody answers, or the connection broke while opening
    "unauthorised",  # the encoder wants another name or password
    "stream_unknown",  # the encoder knows no such stream
    "redirected",  # the encoder sent us elsewhere, and we do not go
    "not_a_stream",  # what came can not be read as a stream
    "no_picture",
    "picture_unsupported",  # not H264
    "b_frames",  # H264 in an order that no browser shows live
    "sound_unsupported",
    "silent",  # it was running, and then nothing came
    "ended",  # it ended, or its clock began anew
    "not_pushing",  # nobody has come to the RTMP door yet
    "relay_refused",
    "relay_ended",  # the relay ended the session
    "crashed",  # the reading process fell over or hung
]
REASONS: tuple[Reason, ...] = get_args(Reason)


class EncoderRefused(Exception):
    """An encoder, or its address, cannot be used; the text is for logs and holds no address and no secret."""

    def __init__(self, reason: Reason, text: str = "") -> None:
        super().__init__(f"{reason} {text}".rstrip())
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Found:
    """The stream as it is: codecs by FFmpeg's names; `sound` is empty where there is none."""

    picture: str
    profile: str
    width: int
    height: int
    sound: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Connecting:
    """An attempt to reach the encoder, or to come up at the relay, is under way."""


@dataclass(frozen=True, slots=True)
class Live:
    """The relay receives it."""

    found: Found


@dataclass(frozen=True, slots=True)
class Waiting:
    """It did not work, and will be tried again after `seconds`; for a push, whenever the encoder comes (`seconds` 0)."""

    reason: Reason
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not be tried again: somebody must change something first."""

    reason: Reason


State = Connecting | Live | Waiting | Failed
