"""What the relay tells the world; `rooms` decides what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

RoomId = NewType("RoomId", str)
"""A live room; the domain uses the occurrence's id."""
PeerId = NewType("PeerId", str)
"""Who speaks or listens; the domain uses the id of the occurrence's side."""
EDGE = "edge:"
"""A peer id that begins so is another worker's (`media.cascade`), and nobody's presence."""
SessionId = NewType("SessionId", str)
"""One WHIP or WHEP session; its resource URL ends in it."""
SourceName = NewType("SourceName", str)
"""A publication within a room: ``lead``, ``screen``, or ``class:<peer>`` for a classroom that has the floor."""
Role = Literal["publisher", "subscriber"]
"""Whether a peer sends or receives media."""
Reason = Literal["closed", "expired", "replaced", "failed", "shutdown"]
"""Why a session ended: by DELETE, an order or a DTLS alert; its consent ran out; the peer's newer session took its place; its handshake
or its packets went wrong; the relay ends."""
RecordingId = NewType("RecordingId", str)
"""A recording; the name of its folder."""


def is_edge(peer: PeerId) -> bool:
    """Whether a peer is another worker and no side of the class."""
    return peer.startswith(EDGE)


@dataclass(frozen=True, slots=True)
class Connected:
    """ICE and DTLS are done."""

    room: RoomId
    peer: PeerId
    session: SessionId
    source: SourceName
    role: Role
    at: datetime


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session ended. Sessions that were never connected say nothing."""

    room: RoomId
    peer: PeerId
    session: SessionId
    source: SourceName
    role: Role
    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class MediaSlot:
    """What one session carried in ``[started_at, ended_at)``, 10 s; less at either end of a session, and where reports stopped or came again.

    The slots of a session touch each other from its `Connected` to its `Disconnected`, which comes after the last of them; only
    a time in which the relay's process was stopped or starved is in none.
    A slot is told when reports have passed all its packets, or after a grace; where reports stopped within it, it is told in
    two parts, so that the unknown begins at the last report.

    For a publisher, `packets` and `octets` arrived from it; they are authentic, so `acknowledged` and `source_packets` are
    the same number. For a subscriber they were sent to it, `acknowledged` is how
    many of the packets sent an SRTP-authenticated receiver report has confirmed (its highest sequence advanced over
    them, less its loss), `source_packets` how many arrived from the publisher meanwhile. `acknowledged` is None
    where no report came in the slot: unknown, which is not presence. `rung` and `rid` say what a subscriber was sent at the
    slot's end (`media.ladder`, and the size of its picture; None for a publisher, and where no picture was sent).
    """

    room: RoomId
    peer: PeerId
    session: SessionId
    source: SourceName
    role: Role
    started_at: datetime
    ended_at: datetime
    packets: int
    octets: int
    acknowledged: int | None
    source_packets: int
    lost: int
    jitter_ms: float | None
    round_trip_ms: float | None
    rung: str | None = None
    rid: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """The room is being recorded. The recording's time 0 is `at`."""

    room: RoomId
    recording: RecordingId
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The recording ended as it was asked to. All of it is on disk: `seconds` long, `octets` large."""

    room: RoomId
    recording: RecordingId
    seconds: float
    octets: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """The recording ended by itself, the class did not. What it holds until `seconds` can be played."""

    room: RoomId
    recording: RecordingId
    reason: Literal["disk_full", "disk_error", "too_slow", "failed", "interrupted", "elsewhere"]
    """``too_slow``: the disk did not keep up; ``interrupted``: the process that wrote it ended without a word; ``elsewhere``:
    what is recorded is published here, and a process that had the room before still writes this recording."""
    seconds: float
    octets: int
    at: datetime


SessionEvent = Connected | Disconnected | MediaSlot
RecordingEvent = RecordingStarted | RecordingEnded | RecordingFailed
MediaEvent = SessionEvent | RecordingEvent
OnEvent = Callable[[MediaEvent], None]
